"""Benchmark of time and memory of a training step of one layer: here, in other libraries, and for the products alone.

Method: `Linear(n, n)` and neurons, forwards and backwards, with batch 16, single precision and two threads; incoming
spikes are random with a given density. SpikingGamma's layer runs as in `train`, without autograd; the others learn by
autograd, so they run under it. Each case is loaded, checked and warmed up in a process of its own, and only one runs at
a time. The cases of one shape take turns, round after round, so that other load on the machine affects all alike, and a
row reports the median.

Rows: `seconds`; `ratio_to_matmul`, relative to the three dense matrix products that any such layer needs, which take
turns with the others; `ratio_to_ours`, relative to SpikingGamma; `step_mib`, the peak of memory above the loaded
process; `agreement`, the share of spikes for which a leaky integrate-and-fire neuron agrees with its formula.

The case `shd` is a whole net of the shape of the Spiking Heidelberg Digits, 700-128-20, at batch 256: a gradient of all weights
by rules with and without memory over time, ours and theirs. Its rows have the hidden layer as `neurons`, and also `inputs` and
`outputs`. Input is in memory beforehand, for all, and is not counted.

Libraries that are not installed are left out: `docs/speed.md` says how to install those that are compared, those on JAX in
another environment.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch

from spikinggamma.bench.rows import Row, row
from spikinggamma.bench.speed_competitors import SUBJECTS, installed
from spikinggamma.bench.speed_jax import JAX_SUBJECTS, command_of, environment_of, has_jax_subject
from spikinggamma.bench.speed_nets import NETS
from spikinggamma.bench.speed_protocol import Case
from spikinggamma.data import known_name
from spikinggamma.errors import SpikingGammaError

__all__ = ["run"]

_BATCH = 16
_ROUNDS, _FEW_ROUNDS = 5, 3
_STEPS = (125, 500, 2000, 8000)
_NEEDED = ("matmul", "spikinggamma")  # by ratios
_NET = (700, 128, 20)
_NET_BATCH, _NET_DENSITY = 256, 0.03
_NET_STEPS = (256, 1000, 4000, 8000)
# Beyond these steps a library's quadratic backward takes minutes a round, or its peak, kept while it waits, gigabytes.
_LONGEST = {"norse": 2000, "sinabs": 2000, "snntorch": 2000}
_LONGEST_NET = {
    "snntorch": 1000,
    "spikingjelly": 1000,
    "spyx": 4000,
    "jaxpike": 4000,
    "lif": 4000,
    "spikinggamma_bptt": 4000,
}
_MUCH = 2**28  # numbers of input from which on processes do not wait side by side: their memory would not suffice


class _Shape(NamedTuple):
    """What is the same for all subjects of a case."""

    case: str
    batch: int
    steps: int
    neurons: int
    density: float
    inputs: int = 0
    outputs: int = 0

    def subjects(self) -> list[str]:
        """Those that are installed and for which it is not too long."""
        if not self.outputs:
            names = [name for name, one in SUBJECTS.items() if installed(one.package)]
            names += [name for name, one in JAX_SUBJECTS.items() if one.neurons and has_jax_subject(name)]
            return [name for name in names if self.steps <= _LONGEST.get(name, self.steps)]
        names = [name for name, net in NETS.items() if installed(net.package)]
        names += [name for name, one in JAX_SUBJECTS.items() if one.net and has_jax_subject(name)]
        return [name for name in names if self.steps <= _LONGEST_NET.get(name, self.steps)]


class _Process:
    """The process of a case that waits for its turn."""

    def __init__(self, case: Case) -> None:
        threads = str(case.threads)
        environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        if case.library in JAX_SUBJECTS:
            command, environment = command_of(case), environment | environment_of(case)
        else:
            command = [sys.executable, "-m", "spikinggamma.bench.speed_case", json.dumps(case._asdict())]
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
        known_name("--only", name, {shape.case for shape in shapes})
    here = {name for shape in shapes for name in shape.subjects()}
    for name in models:
        if known_name("--models", name, {*SUBJECTS, *NETS, *JAX_SUBJECTS}) not in here:
            raise SpikingGammaError("--models", repr(name), "a library that is installed", "docs/speed.md says how.")
    for shape in shapes:
        if not only or shape.case in only:
            chosen = [name for name in shape.subjects() if not models or name in (*models, *_NEEDED)]
            yield from _measured(shape, chosen, device, seed, quick)


def _shapes(device: str, quick: bool) -> list[_Shape]:
    if quick:
        return [_Shape("dense", _BATCH, 20, 32, 0.2), _Shape("shd", 4, 20, 8, 0.2, 30, 3)]
    sizes = (4096, 16384) if device == "cuda" else (512, 2048)
    shapes = [_Shape("sparse", _BATCH, 500, n, 0.02) for n in sizes]
    shapes += [_Shape("dense", _BATCH, 500, n, 0.2) for n in sizes]
    shapes += [_Shape("steps", _BATCH, steps, 512, 0.02) for steps in _STEPS]
    inputs, hidden, outputs = _NET
    return shapes + [_Shape("shd", _NET_BATCH, steps, hidden, _NET_DENSITY, inputs, outputs) for steps in _NET_STEPS]


def _measured(shape: _Shape, chosen: Sequence[str], device: str, seed: int, quick: bool) -> Iterator[Row]:
    threads = 1 if quick else min(2, os.cpu_count() or 1)
    much = shape.steps * shape.batch * max(shape.neurons, shape.inputs) >= _MUCH
    rounds = 1 if quick else _FEW_ROUNDS if much else _ROUNDS
    cases = [Case(library, *shape[1:5], threads, device, seed, shape.inputs, shape.outputs) for library in chosen]
    found: dict[str, _Found] = {}
    for group in [[case] for case in cases] if much else [cases]:
        found |= _side_by_side(group, rounds)
    median = {library: statistics.median(one.seconds) for library, one in found.items()}
    sizes = {"inputs": shape.inputs, "outputs": shape.outputs} if shape.outputs else {}
    for library, one in found.items():
        yield row(
            "speed",
            quick=quick,
            seed=seed,
            threads=threads,
            device=device,
            case=shape.case,
            library=library,
            version=one.version,
            batch=shape.batch,
            steps=shape.steps,
            neurons=shape.neurons,
            density=shape.density,
            **sizes,
            seconds=median[library],
            rounds=len(one.seconds),
            step_mib=one.step_mib,
            ratio_to_matmul=median[library] / median["matmul"],
            ratio_to_ours=median[library] / median["spikinggamma"],
            agreement=one.agreement,
        )


class _Found(NamedTuple):
    """What a process told."""

    seconds: list[float]
    step_mib: float
    version: str
    agreement: float | None


def _side_by_side(cases: Sequence[Case], rounds: int) -> dict[str, _Found]:
    """Let cases take turns."""
    with ExitStack() as stack:
        waiting: list[_Process] = []
        for case in cases:
            waiting.append(_Process(case))
            stack.callback(waiting[-1].kill)
        for _ in range(rounds):
            for process in waiting:
                process.turn()
        return {
            one.case.library: _Found(one.seconds, one.end(), one.ready["version"], one.ready["agreement"])
            for one in waiting
        }
