"""One case of the speed benchmark, in its own process: `python -m spikinggamma.bench.speed_case JSON`.

It loads, checks that the neurons do what they claim, warms up, and then answers as `speed_protocol` says. So several cases
wait side by side, and one works at a time.
"""

from __future__ import annotations

import gc
import json
import sys
import warnings
from collections.abc import Callable

import torch

from spikinggamma.bench.speed_competitors import SUBJECTS, Subject, version_of
from spikinggamma.bench.speed_nets import NETS
from spikinggamma.bench.speed_protocol import Case, by_the_formula, serve_steps
from spikinggamma.process_memory import peak_mib, resident_mib
from spikinggamma.runtime import keep_freed_memory

__all__ = ["serve"]

_SOME = 40  # number of steps of the check


def serve(case: Case) -> None:
    """Answer lines on standard input by lines on standard output."""
    torch.set_num_threads(case.threads)
    # As in training. Otherwise the system clears the pages of every signal again, which takes as long as a scan, and how
    # often depends on the sizes of a library's allocations.
    keep_freed_memory()
    generator = torch.Generator().manual_seed(case.seed)
    if case.outputs:
        package, agreement = NETS[case.library].package, None
        step = _net(case, generator)
    else:
        subject = SUBJECTS[case.library]
        package, agreement = subject.package, _agreement(subject, generator, case.device)
        step = _layer(case, subject, generator)
    gc.collect()
    if case.device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    serve_steps(
        step,
        {"agreement": agreement, "version": version_of(package)},
        loaded_mib=(lambda: torch.cuda.memory_allocated() / 2**20) if case.device == "cuda" else resident_mib,
        peak_of_mib=(lambda: torch.cuda.max_memory_allocated() / 2**20) if case.device == "cuda" else peak_mib,
    )


def _layer(case: Case, subject: Subject, generator: torch.Generator) -> Callable[[], None]:
    """A step that is warm: what it compiles is compiled, what stays is allocated."""
    shape = (case.steps, case.batch, case.neurons)
    weight = torch.randn(case.neurons, case.neurons, generator=generator) / (case.neurons * case.density) ** 0.5
    spikes = _spikes(shape, case, generator)
    grad = torch.randn(shape, generator=generator).to(case.device)
    step = subject.make(weight.to(case.device))
    some = min(_SOME, case.steps)
    step(spikes[:some], grad[:some])
    return lambda: _finished(step(spikes, grad), case.device)


def _net(case: Case, generator: torch.Generator) -> Callable[[], None]:
    """A step of a net, warm."""
    spikes = _spikes((case.steps, case.batch, case.inputs), case, generator)
    labels = torch.arange(case.batch, device=case.device) % case.outputs
    some = spikes[: min(_SOME, case.steps)]
    step = NETS[case.library].make((case.inputs, case.neurons, case.outputs), some, generator)
    step(some, labels)
    return lambda: _finished(step(spikes, labels), case.device)


def _spikes(shape: tuple[int, ...], case: Case, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(shape, generator=generator).lt_(case.density).to(case.device)


def _finished(_: object, device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _agreement(subject: Subject, generator: torch.Generator, device: str) -> float | None:
    """Return the share of spikes for which leaky integrate-and-fire neurons agree with the formula, step by step."""
    if subject.spiking is None:
        return None
    drive = 2.0 * torch.randn(_SOME, 3, 50, generator=generator) + 0.5
    with torch.no_grad():
        found = subject.spiking()(drive.to(device))
    wanted = torch.from_numpy(by_the_formula(drive.numpy(), subject.reset == "zero")).to(device)
    return float((found == wanted).double().mean())


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # warnings of other libraries
    serve(Case(**json.loads(sys.argv[1])))
