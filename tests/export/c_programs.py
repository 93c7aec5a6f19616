"""Compiling exported programs, running them, and reading what they say; random nets and recordings to try them on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from spikinggamma.events import Recording
from spikinggamma.export import ProgramNet, c_program, event_text, program_net
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import GammaNet, dense_net

COMPILER = next((path for name in ("gcc", "cc") if (path := shutil.which(name))), None)
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
LOSSES = ("sum", "running", "last", "each_step")

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler, gcc or cc, and finds none")


class Case(NamedTuple):
    """A net, at a time step, and recordings for it."""

    net: GammaNet
    dt_ms: float
    loss: str
    channels: int
    recordings: list[Recording]

    @property
    def program(self) -> ProgramNet:
        return program_net(self.net, dt_ms=self.dt_ms, loss=self.loss, channels=self.channels, title="a test's net")


class Answer(NamedTuple):
    """What a program says of one recording; signals and spikes by (time, layer, neuron)."""

    decision: int
    steps: int
    scores: list[float]
    spikes: dict[tuple[int, int, int], int]
    signals: dict[tuple[int, int, int], float]
    decisions: dict[int, int]
    counts: dict[str, int]


def build(source: str, folder: Path, *flags: str, name: str = "net") -> Path:
    """The compiled program; warnings are errors."""
    assert COMPILER is not None
    text, program = folder / f"{name}.c", folder / name
    text.write_text(source)
    command = [COMPILER, *STRICT, *flags, "-o", str(program), str(text)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return program


def answers(program: Path, recordings: Sequence[Recording], *options: str) -> list[Answer]:
    """What the program says of each recording."""
    done = call(program, event_text(recordings).encode(), "-c", *options)
    assert done.returncode == 0, done.stderr
    found = read_answers(done.stdout.decode())
    assert len(found) == len(recordings)
    return found


def call(program: Path, data: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(program), *options], input=data, capture_output=True, check=False, timeout=600)


def read_answers(text: str) -> list[Answer]:
    found: list[Answer] = []
    spikes: dict[tuple[int, int, int], int] = {}
    signals: dict[tuple[int, int, int], float] = {}
    decisions: dict[int, int] = {}
    for line in text.splitlines():
        kind, *words = line.split()
        if kind == "spike":
            spikes[int(words[0]), int(words[1]), int(words[2])] = int(words[3])
        elif kind == "signal":
            signals[int(words[0]), int(words[1]), int(words[2])] = float(words[3])
        elif kind == "step":
            decisions[int(words[0])] = int(words[1])
        elif kind == "class":
            scores = [float(word) for word in words[2:]]
            found.append(Answer(int(words[0]), int(words[1]), scores, spikes, signals, decisions, {}))
            spikes, signals, decisions = {}, {}, {}
        else:
            assert kind == "count", line
            found[-1].counts.update((name, int(value)) for name, value in (word.split("=") for word in words))
    return found


def random_net(seed: int, sizes: Sequence[int], *, tau_ms: Sequence[float], code: SigmaDelta, gain: float) -> GammaNet:
    """A net whose layers speak, with weights and biases of either sign."""
    generator = torch.Generator().manual_seed(seed)
    net = dense_net(sizes, tau_ms=tau_ms, code=code, input_gain=gain, generator=generator)
    with torch.no_grad():
        for layer in net.stack:
            layer.weight.mul_(3.0 * code.threshold / gain if layer is net.stack[0] else 2.0)
            layer.bias.copy_(code.threshold * torch.randn(len(layer.bias), generator=generator))
            layer.get_parameter("bucket_weight").add_(
                torch.randn(layer.get_parameter("bucket_weight").shape, generator=generator) / layer.order
            )
    return net


def random_recording(rng: np.random.Generator, channels: int, duration_us: int, events: int, step_us: int) -> Recording:
    """Events in bursts with silence between, some exactly on the border of steps."""
    centres = rng.integers(0, duration_us, 3)
    times = np.clip(rng.choice(centres, events) + rng.normal(0, duration_us / 40, events), 0, duration_us - 1)
    times = times.astype(np.int64)
    times = np.where(rng.random(events) < 0.3, times // step_us * step_us, times)
    return Recording(np.sort(times), rng.integers(0, channels, events), channels, duration_us, 0)


class Plan(NamedTuple):
    """What hypothesis draws; the case is made outside of it, because checks of types draw random numbers of their own."""

    seed: int
    hidden: list[int]
    inputs: int
    fold: int
    classes: int
    dt_ms: float
    tau_ms: list[float]
    code: SigmaDelta
    gain: float
    loss: str
    durations: list[tuple[int, int]]  # steps, and microseconds more
    events: int

    def case(self) -> Case:
        sizes = (self.inputs, *self.hidden, self.classes)
        net = random_net(self.seed, sizes, tau_ms=self.tau_ms, code=self.code, gain=self.gain)
        rng, step_us, channels = np.random.default_rng(self.seed), int(self.dt_ms * 1000), self.inputs * self.fold
        recordings = [
            random_recording(rng, channels, steps * step_us + more, self.events, step_us)
            for steps, more in self.durations
        ]
        return Case(net, self.dt_ms, self.loss, channels, recordings)


CODES = st.builds(
    SigmaDelta,
    threshold=st.sampled_from([0.01, 0.1, 1.0, 30.0]),
    adaptation=st.sampled_from([0.0, 0.1, 2.0]),
    adaptation_tau_ms=st.sampled_from([5.0, 50.0]),
    max_spikes=st.sampled_from([None, 1, 2]),
)

PLANS = st.builds(
    Plan,
    seed=st.integers(0, 2**16),
    hidden=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    inputs=st.integers(1, 6),
    fold=st.sampled_from([1, 3]),
    classes=st.integers(1, 4),
    dt_ms=st.sampled_from([0.5, 1.0, 4.0]),
    tau_ms=st.lists(st.sampled_from([4.0, 5.0, 8.0, 20.0, 50.0]), min_size=1, max_size=9),
    code=CODES,
    gain=st.sampled_from([1.0, 0.3]),
    loss=st.sampled_from(LOSSES),
    durations=st.lists(st.sampled_from([(0, 1), (1, 0), (1, 1), (30, 0), (150, 0)]), min_size=1, max_size=3),
    events=st.sampled_from([0, 5, 60]),
)
"""Nets of one to three hidden layers in all settings, recordings of one step and more."""


@lru_cache(maxsize=1)
def small_case() -> Case:
    """One net for tests of everything but nets: three layers, channels folded in twos, silence in its recordings."""
    code = SigmaDelta(0.1, 0.1, 20.0)
    net = random_net(5, (4, 6, 5, 3), tau_ms=(4.0, 5.0, 8.0), code=code, gain=1.0)
    with torch.no_grad():
        for layer in net.stack:
            layer.bias.clamp_max_(0.5 * code.threshold)  # none speaks without hearing
    rng = np.random.default_rng(5)
    recordings = [random_recording(rng, 8, duration, 80, 1000) for duration in (400_000, 1, 900_000)]
    return Case(net, 1.0, "sum", 8, recordings)


def small_program(number: str = "float", loss: str = "sum") -> str:
    return c_program(small_case()._replace(loss=loss).program, number=number)
