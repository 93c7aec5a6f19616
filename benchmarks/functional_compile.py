"""Does `torch.compile` make the functional form of a neuron faster? Forwards and backwards under autograd, on one thread.

A neuron without a compiled scan runs the loop over its step. Compared are that loop, the loop over a compiled step, the whole
sequence compiled, and, for the neuron that has one, its compiled scan.

    python benchmarks/functional_compile.py [--steps 200] [--sequence]

`--sequence` adds the whole sequence, whose compilation takes minutes and grows with the number of steps.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable

import torch
from torch import Tensor

from spikinggamma.nn import Neuron, make_neuron
from spikinggamma.runtime import torch_threads

BATCH, NEURONS, DT_MS = 32, 128, 1.0
Forward = Callable[[Tensor], Tensor]


def loop(neuron: Neuron, step: Callable[..., tuple[Tensor, tuple[Tensor, ...]]]) -> Forward:
    """Return the loop over a step, from drive to spikes."""

    def forward(drive: Tensor) -> Tensor:
        state, spikes = neuron.initial_state(BATCH), []
        for u in drive.unbind(0):
            out, state = step(state, u, DT_MS)
            spikes.append(out)
        return torch.stack(spikes)

    return forward


def timed(forward: Forward, drive: Tensor, told: Tensor) -> tuple[float, Tensor]:
    """Return the seconds of one pass forwards and backwards, and the gradient."""
    drive = drive.clone().requires_grad_()
    started = time.perf_counter()
    (grad,) = torch.autograd.grad(forward(drive), drive, told)
    return time.perf_counter() - started, grad


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--sequence", action="store_true")
    chosen = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    drive = 2.0 * torch.randn(chosen.steps, BATCH, NEURONS, generator=generator)
    told = torch.randn(drive.shape, generator=generator)
    neuron = make_neuron("adaptive_lif", (NEURONS,))
    plain = loop(neuron, neuron.step)
    ways = {
        "loop over the step": plain,
        "loop over the compiled step": loop(neuron, torch.compile(neuron.step)),
        **({"compiled sequence": torch.compile(plain)} if chosen.sequence else {}),
        "compiled scan": lambda drive: neuron(drive, neuron.initial_state(BATCH), DT_MS)[0],
    }
    with torch_threads(1):
        _, wanted = timed(plain, drive, told)
        for name, forward in ways.items():
            first, grad = timed(forward, drive, told)
            seconds = min(timed(forward, drive, told)[0] for _ in range(5))
            error = float((grad - wanted).norm() / wanted.norm())
            logging.info(
                f"{name:30} first pass {first:7.2f} s, then {1000 * seconds:8.1f} ms, gradient off by {error:.1e}"
            )


if __name__ == "__main__":
    main()
