"""One case of the speed benchmark, in its own process: `python -m spikinggamma.bench.speed_case JSON`.

The process loads, checks that the neurons compute what they should, warms up, and reports this in a line. For each line
that it then receives, it runs one training step and answers with the seconds. At the end of its input it answers with
its peak memory above the loaded process. So several cases can wait while one runs.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.bench.memory_case import peak_mib, reset_peak, resident_mib
from spikinggamma.bench.speed_competitors import BETA, SUBJECTS, Subject
from spikinggamma.runtime import keep_freed_memory

__all__ = ["Case", "serve"]

_SOME = 40  # number of steps of the check


class Case(NamedTuple):
    """Settings of one measurement.

    Attributes:
        library: A name in `SUBJECTS`.
        batch: B.
        steps: T.
        neurons: n, the size of input and output.
        density: Share of the input that is not zero.
        threads: Number of torch's threads.
        device: cpu or cuda.
        seed: Seed of weights and input.
    """

    library: str
    batch: int
    steps: int
    neurons: int
    density: float
    threads: int
    device: str
    seed: int


def serve(case: Case) -> None:
    """Answer lines on standard input by lines on standard output."""
    torch.set_num_threads(case.threads)
    # As in training. Otherwise the system clears the pages of every signal again, which takes as long as a scan, and how
    # often depends on the sizes of a library's allocations.
    keep_freed_memory()
    subject = SUBJECTS[case.library]
    generator = torch.Generator().manual_seed(case.seed)
    shape = (case.steps, case.batch, case.neurons)
    weight = torch.randn(case.neurons, case.neurons, generator=generator) / (case.neurons * case.density) ** 0.5
    spikes = (torch.rand(shape, generator=generator) < case.density).float().to(case.device)
    grad = torch.randn(shape, generator=generator).to(case.device)
    agreement = _agreement(subject, generator, case.device)
    step = subject.make(weight.to(case.device))
    some = min(_SOME, case.steps)
    step(spikes[:some], grad[:some])  # compiles, and allocates permanent buffers
    gc.collect()
    _finish(case.device)
    loaded = resident_mib()
    if case.device == "cuda":
        loaded = torch.cuda.memory_allocated() / 2**20
        torch.cuda.reset_peak_memory_stats()
    reset_peak()
    _say({"agreement": agreement, "version": subject.version})
    for _ in sys.stdin:
        started = time.perf_counter()
        step(spikes, grad)
        _finish(case.device)
        _say({"seconds": time.perf_counter() - started})
    peak = torch.cuda.max_memory_allocated() / 2**20 if case.device == "cuda" else peak_mib()
    _say({"step_mib": peak - loaded})


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _agreement(subject: Subject, generator: torch.Generator, device: str) -> float | None:
    """Return the share of spikes for which leaky integrate-and-fire neurons agree with the formula, step by step."""
    if subject.spiking is None:
        return None
    drive = (2.0 * torch.randn(_SOME, 3, 50, generator=generator) + 0.5).to(device)
    with torch.no_grad():
        found = subject.spiking()(drive)
    wanted = _by_the_formula(drive, subject.reset == "zero")
    if wanted.sum() == 0:
        raise RuntimeError("the check has no spike")
    return float((found == wanted).double().mean())


def _by_the_formula(drive: Tensor, to_zero: bool) -> Tensor:
    membrane, spikes = torch.zeros_like(drive[0]), []
    for u in drive.unbind(0):
        membrane = BETA * membrane + (1.0 - BETA) * u
        out = (membrane > 1.0).to(drive)
        membrane = membrane * (1.0 - out) if to_zero else membrane - out
        spikes.append(out)
    return torch.stack(spikes)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # warnings of other libraries
    serve(Case(**json.loads(sys.argv[1])))
