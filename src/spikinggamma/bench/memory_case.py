"""One case of the memory benchmark, in its own process: `python -m spikinggamma.bench.memory_case JSON`.

The process first learns a short recording, so that code, compiled kernels, parameters, gradients and every buffer of
constant size are loaded. The resident memory at that point is that of the loaded process. It then learns one recording of
`steps` steps, which is generated chunk by chunk and discarded, and reports the peak.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.learning import RULES, Learner
from spikinggamma.nn import SequenceNet, SurrogateNet, dense_net
from spikinggamma.process_memory import peak_mib, reset_peak, resident_mib

__all__ = ["Case", "measure"]

DT_MS = 4.0
_NEURONS = ("adaptive_lif", "lif")
_DENSITY = 0.03  # events per channel and step, as in spoken digits after the cochlea


class Case(NamedTuple):
    """Settings of one measurement.

    Attributes:
        rule: A learning rule of SpikingGamma, or "lif_" and one of LIF nets: `lif_bptt`, `lif_ottt`.
        loss: Loss of the learner.
        steps: Number of steps T.
        sizes: Number of inputs, sizes of hidden layers, number of classes.
        tau_ms: Time constants of the buckets.
        batch: Number of recordings in a batch.
        chunk: Number of steps that are generated, learnt and discarded at once.
        seed: Seed of weights and input.
    """

    rule: str
    loss: str
    steps: int
    sizes: tuple[int, ...]
    tau_ms: tuple[float, ...]
    batch: int
    chunk: int
    seed: int


def measure(case: Case) -> dict[str, float]:
    """Learn one recording after a warm-up; return `peak_mib`, `step_mib` (the peak above the loaded process), `ms_per_step`."""
    torch.set_num_threads(1)
    learn = _learner(case)
    # More than one chunk, so that a rule carries state over and runs all of its code.
    learn(3 * case.chunk)
    gc.collect()
    loaded = resident_mib()
    reset_peak()
    started = time.perf_counter()
    learn(case.steps)
    seconds = time.perf_counter() - started
    peak = peak_mib()
    return {"peak_mib": peak, "step_mib": peak - loaded, "ms_per_step": 1000.0 * seconds / case.steps}


def _chunks(case: Case, steps: int) -> Iterator[Tensor]:
    """Yield a recording of random events in chunks, the same in every pass."""
    for start in range(0, steps, case.chunk):
        generator = torch.Generator().manual_seed(case.seed * 1_000_003 + start)
        size = (min(case.chunk, steps - start), case.batch, case.sizes[0])
        yield (torch.rand(size, generator=generator) < _DENSITY).float()


def _targets(case: Case) -> Tensor:
    return torch.arange(case.batch) % case.sizes[-1]


def _learner(case: Case) -> Callable[[int], None]:
    generator = torch.Generator().manual_seed(case.seed)
    neuron, rule = next(
        (kind, case.rule.removeprefix(f"{kind}_")) for kind in (*_NEURONS, "") if case.rule.startswith(kind)
    )
    net: SequenceNet = (
        dense_net(case.sizes, tau_ms=case.tau_ms, generator=generator)
        if not neuron
        else SurrogateNet(case.sizes, neuron=neuron, generator=generator)
    )
    net.calibrate(next(_chunks(case, case.chunk)), dt_ms=DT_MS)
    # A rule that learns within recordings is stepped, though its weights stay: gradients are dropped.
    update = "recording" if "recording" in RULES.find(rule).target.updates else "chunk"
    learner = Learner(net, rule=rule, loss=case.loss, dt_ms=DT_MS, update=update)

    def learn(steps: int) -> None:
        lengths = torch.full((case.batch,), steps)
        learner.learn(
            lambda: _chunks(case, steps),
            _targets(case),
            lengths,
            optimiser_step=net.zero_grad if update == "chunk" else None,
        )

    return learn


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    wanted = Case(**{**given, "sizes": tuple(given["sizes"]), "tau_ms": tuple(given["tau_ms"])})
    sys.stdout.write(json.dumps(measure(wanted)) + "\n")
