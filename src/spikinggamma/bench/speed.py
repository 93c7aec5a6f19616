"""Benchmark of time and memory of a training step of one layer: here, in other libraries, and for the products alone.

Method: `Linear(n, n)` and neurons, forwards and backwards, with batch 16, single precision and two threads; incoming
spikes are random with a given density. SpikingGamma's layer runs as in `train`, without autograd; the others learn by
autograd, so they run under it. Each case is loaded, checked and warmed up in a process of its own, and only one runs at
a time. The cases of one shape take turns, round after round, so that other load on the machine affects all alike, and a
row reports the median.

Rows: `seconds`; `ratio_to_matmul`, relative to the three dense matrix products that any such layer needs, which take
turns with the others; `ratio_to_ours`, relative to SpikingGamma; `step_mib`, the peak of memory above the loaded
process; `agreement`, the share of spikes for which a leaky integrate-and-fire neuron agrees with its formula.

Libraries that are not installed are left out; `docs/speed.md` says how to install those that are compared.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import torch

from spikinggamma.bench.rows import Row, row
from spikinggamma.bench.speed_case import Case
from spikinggamma.bench.speed_competitors import SUBJECTS, installed
from spikinggamma.data import known_name
from spikinggamma.errors import SpikingGammaError

__all__ = ["run"]

_BATCH = 16
_ROUNDS = 5
_STEPS = (125, 500, 2000, 8000)
_NEEDED = ("matmul", "spikinggamma")  # for the ratios
# Beyond these steps a library's quadratic backward takes minutes a round, or its peak, kept while it waits, gigabytes.
_LONGEST = {"norse": 2000, "sinabs": 2000, "snntorch": 2000}


class _Process:
    """The process of a case that waits for its turn."""

    def __init__(self, case: Case) -> None:
        command = [sys.executable, "-m", "spikinggamma.bench.speed_case", json.dumps(case._asdict())]
        threads = str(case.threads)
        environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        self.case = case
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        self.ready = self._answer()
        self.seconds: list[float] = []

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.case} ended with code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def turn(self) -> None:
        """Run one training step."""
        assert self.process.stdin is not None
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        self.seconds.append(self._answer()["seconds"])

    def end(self) -> float:
        """End the process, and return its peak memory above the loaded process in MiB."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        peak: float = self._answer()["step_mib"]
        self.process.wait()
        return peak

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def run(*, quick: bool, seed: int, only: Sequence[str] = (), models: Sequence[str] = ()) -> Iterator[Row]:
    """Yield rows shape by shape.

    Args:
        quick: Whether to use one small shape, as a check that it works.
        seed: Seed of weights and input.
        only: Cases, such as `sparse`; all if none are named.
        models: Competitors in addition to those needed for ratios; all installed ones if none are named.

    Raises:
        SpikingGammaError: A case or competitor is unknown, or a competitor is not installed.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shapes = _shapes(device, quick)
    for name in only:
        known_name("--only", name, {case for case, *_ in shapes})
    for name in models:
        if not installed(known_name("--models", name, SUBJECTS)):
            raise SpikingGammaError("--models", repr(name), "a library that is installed", "docs/speed.md says how.")
    chosen = [name for name in SUBJECTS if installed(name) and (not models or name in (*models, *_NEEDED))]
    for name, steps, neurons, density in shapes:
        if not only or name in only:
            yield from _side_by_side(chosen, name, steps, neurons, density, device, seed, quick)


def _shapes(device: str, quick: bool) -> list[tuple[str, int, int, float]]:
    """Return the name, T, n and density of each case."""
    if quick:
        return [("dense", 20, 32, 0.2)]
    sizes = (4096, 16384) if device == "cuda" else (512, 2048)
    widths = [("sparse", 500, n, 0.02) for n in sizes] + [("dense", 500, n, 0.2) for n in sizes]
    return [*widths, *(("steps", steps, 512, 0.02) for steps in _STEPS)]


def _side_by_side(
    chosen: Sequence[str], name: str, steps: int, neurons: int, density: float, device: str, seed: int, quick: bool
) -> Iterator[Row]:
    threads = 1 if quick else min(2, os.cpu_count() or 1)
    libraries = [one for one in chosen if steps <= _LONGEST.get(one, steps)]
    with ExitStack() as stack:
        waiting: dict[str, _Process] = {}
        for library in libraries:
            waiting[library] = _Process(Case(library, _BATCH, steps, neurons, density, threads, device, seed))
            stack.callback(waiting[library].kill)
        for _ in range(1 if quick else _ROUNDS):
            for process in waiting.values():
                process.turn()
        seconds = {library: statistics.median(process.seconds) for library, process in waiting.items()}
        for library, process in waiting.items():
            yield row(
                "speed",
                quick=quick,
                seed=seed,
                threads=threads,
                device=device,
                case=name,
                library=library,
                version=process.ready["version"],
                batch=_BATCH,
                steps=steps,
                neurons=neurons,
                density=density,
                seconds=seconds[library],
                rounds=len(process.seconds),
                step_mib=process.end(),
                ratio_to_matmul=seconds[library] / seconds["matmul"],
                ratio_to_ours=seconds[library] / seconds["spikinggamma"],
                agreement=process.ready["agreement"],
            )
