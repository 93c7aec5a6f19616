"""One case of the speed bench, in a process of its own: `python -m spikinggamma.bench.speed_case JSON`.

It loads, checks that the neurons do what they claim, warms up, and says so in a line. For each line that it is then sent
it does one training step and answers with its seconds; when its input ends, with its peak memory above the loaded process.
So several cases wait side by side, and one works at a time.
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

from spikinggamma.bench.speed_competitors import BETA, SUBJECTS, Subject
from spikinggamma.process_memory import peak_mib, reset_peak, resident_mib
from spikinggamma.runtime import keep_freed_memory

__all__ = ["Case", "serve"]

_SOME = 40  # steps of the check


class Case(NamedTuple):
    """What is timed.

    Attributes:
        library: A name in `SUBJECTS`.
        batch: B.
        steps: T.
        neurons: n, of input and output.
        density: Share of the input that is not zero.
        threads: Of torch.
        device: cpu or cuda.
        seed: Of weights and input.
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
    """Answer line by line on the standard streams."""
    torch.set_num_threads(case.threads)
    # As in training: else the system clears the pages of every signal anew, which takes as long as a scan, and how often it
    # happens depends on the sizes that a library happens to ask for.
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
    step(spikes[:some], grad[:some])  # compiles, allocates what stays
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
    """Share of spikes on which leaky integrate and fire neurons agree with the formula, step by step."""
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
    warnings.simplefilter("ignore")  # of other libraries
    serve(Case(**json.loads(sys.argv[1])))
