"""A package outside the tree, as a user would install one: each thing that it adds is one file.

It is written to a folder with the `dist-info` that an installer leaves, so that a process which has the folder on its path
finds the entry point as if it were installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["PACKAGE", "RECIPE", "run_with", "write_package"]

PACKAGE = "outside_house"

_LOSS = '''
"""Cross-entropy of the outputs between two times, the margin at both ends left out."""

import torch
from pydantic import Field

from spikinggamma.learning.loss import LOSSES, OneDecision
from spikinggamma.options import Options


class MiddleOptions(Options):
    """Options of the middle loss."""

    margin: float = Field(default=0.25, ge=0.0, lt=0.5, description="share of a recording that is left out at each end")


@LOSSES.register("middle", options=MiddleOptions, citations=("@misc{middle2026, title = {The middle of things}}",))
class Middle(OneDecision):
    """Cross-entropy of the outputs averaged over the middle of a recording."""

    replay = True

    def _share(self, start, steps, like):
        time = torch.arange(start, start + steps, device=self.lengths.device).unsqueeze(1)
        first = (self.lengths * self.options.margin).floor()
        inside = ((time >= first) & (time < self.lengths - first)).to(like)
        return inside / (self.lengths - 2 * first).to(like)

    def observe(self, logits, start):
        """See `Loss.observe`."""
        self.gather(logits, self._share(start, len(logits), logits))

    def gradient(self, logits, start):
        """See `Loss.gradient`."""
        return self._share(start, len(logits), logits).unsqueeze(2) * self.error()
'''

_DATASET = '''
"""Two rhythms: every channel spikes at a regular interval, short in one class and long in the other."""

import numpy as np
from pydantic import Field

from spikinggamma.datasets import Floor, Info, Loading, register_dataset
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.options import Options

INFO = Info(
    name="rhythms",
    title="Two rhythms",
    n_classes=2,
    class_names=("fast", "slow"),
    n_channels=4,
    size="48 recordings by default",
    licence="made on the spot",
    url="https://example.org/rhythms",
    citation="@misc{rhythms2026, title = {Two rhythms}}",
)


class RhythmOptions(Options):
    """What a recording is like."""

    n_channels: int = Field(default=4, ge=1, le=1000, description="channels")
    slow_ms: int = Field(default=9, ge=4, le=40, description="interval of the slow rhythm [ms]")
    recordings: int = Field(default=48, ge=12, description="recordings of all three parts")


def described(options: RhythmOptions) -> Info:
    return INFO._replace(n_channels=options.n_channels)


@register_dataset(
    INFO,
    options=RhythmOptions,
    describe=described,
    floors=(Floor(0.75, "a guess of the example", "python -m outside_house"),),
    behind=("@misc{metronome1815, title = {The metronome}}",),
    made_here=True,
)
def load(options: RhythmOptions, how: Loading) -> Splits:
    """Two rhythms in three parts."""
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    rng = np.random.default_rng([how.seed, 7])
    made = []
    for index in range(options.recordings):
        interval = 3 if index % 2 == 0 else options.slow_ms
        starts = rng.integers(0, interval, options.n_channels)
        times = [np.arange(start, 60, interval) * 1000 for start in starts]
        channels = np.repeat(np.arange(options.n_channels), [len(one) for one in times])
        order = np.argsort(np.concatenate(times), kind="stable")
        recording = Recording(
            np.concatenate(times)[order], channels[order], options.n_channels, 60_000, index % 2, source=f"rhythm {index}"
        )
        made.append(recording)
    third = len(made) // 4
    return Splits(made[2 * third :], made[:third], made[third : 2 * third])
'''

_PERTURBATION = '''
"""Every spike comes later by the same time, those at the end stay there."""

import numpy as np

from spikinggamma.events import register_perturbation


@register_perturbation("lateness", unit="ms", most=100.0, example=3.0, moves_time=True)
def later(events, delay_ms, rng):
    """Every spike comes later by the same time."""
    last = events.durations_us[events.samples] - 1
    return events._replace(times_us=np.minimum(events.times_us + round(delay_ms * 1000), last))
'''

_ENCODER = '''
"""An event where a signal changes its sign."""

import numpy as np
from pydantic import Field

from spikinggamma.encoders import ENCODERS, Encoder
from spikinggamma.options import Options


class SignOptions(Options):
    """Options of changes of sign."""

    dead_zone: float = Field(default=0.0, ge=0.0, description="size below which a value has no sign")


@ENCODERS.register("sign_changes", options=SignOptions)
class SignChanges(Encoder):
    """An event where the signal changes its sign."""

    channels_per_signal = 1

    def events(self, signal, rng):
        """See `Encoder.events`."""
        sign = np.where(np.abs(signal.values) > self.options.dead_zone, np.sign(signal.values), 0.0)
        rows, signals = np.nonzero(np.diff(sign, axis=0, prepend=sign[:1]))
        return signal.times_us[rows], signals, np.zeros_like(signals)

    def decode(self, recording, times_us):
        """Return 1 and -1 in turns: the sign, if the signal begins above zero."""
        return 1.0 - 2.0 * (self.counts(recording, times_us)[:, :, 0].cumsum(0) % 2)
'''

_SURROGATE = '''
"""A Gaussian bump."""

import math

import torch
from pydantic import Field

from spikinggamma.functional.surrogate import Surrogate, register_surrogate


@register_surrogate("gaussian", citations=("@misc{gauss1809, title = {Theoria motus}}",))
class Gaussian(Surrogate):
    """A Gaussian of area 1 around the threshold."""

    slope: float = Field(default=2.0, gt=0.0, le=1e3, description="steepness of the bump, per unit of the membrane")

    def derivative(self, x):
        """See `Surrogate.derivative`."""
        return self.slope / math.sqrt(math.pi) * torch.exp(-(self.slope * x).square())
'''

_NEURON = '''
"""Two compartments: a slow dendrite that drives a fast soma, both with time constants of their own, which are learnt."""

from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.nn.neurons.base import NEURONS, Neuron
from spikinggamma.nn.neurons.spiking_options import SpikingOptions


class TwoCompartmentState(NamedTuple):
    """Of every neuron: its dendrite, its soma, and whether it has just spiked."""

    dendrite: Tensor
    soma: Tensor
    spikes: Tensor


class TwoCompartmentOptions(SpikingOptions):
    """Options of neurons with two compartments."""

    dendrite_tau_ms: float = Field(default=40.0, gt=0.0, le=1e4, description="initial time constant of the dendrite [ms]")
    soma_tau_ms: float = Field(default=8.0, gt=0.0, le=1e4, description="initial time constant of the soma [ms]")
    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="membrane at which a neuron spikes")


@NEURONS.register(
    "two_compartment",
    title="two compartments",
    options=TwoCompartmentOptions,
    citations=("@misc{compartments2026, title = {Two compartments}}",),
)
class TwoCompartment(Neuron):
    """A slow dendrite that drives a fast soma, with time constants that are learnt."""

    State = TwoCompartmentState
    parameter_kinds = {"log_dendrite_tau": "time_constant", "log_soma_tau": "time_constant"}

    def __init__(self, shape, options=None, generator=None):
        super().__init__(shape, options, generator)
        self.log_dendrite_tau = nn.Parameter(torch.full(self.out_shape, self.options.dendrite_tau_ms).log())
        self.log_soma_tau = nn.Parameter(torch.full(self.out_shape, self.options.soma_tau_ms).log())

    def _leak(self, state, drive, dt_ms):
        keep, fast = (torch.exp(-dt_ms * torch.exp(-log)) for log in (self.log_dendrite_tau, self.log_soma_tau))
        dendrite = keep * state.dendrite + (1.0 - keep) * drive
        soma = fast * (state.soma - self.options.threshold * state.spikes) + (1.0 - fast) * (drive + dendrite)
        return dendrite, soma

    def step(self, state, drive, dt_ms):
        """See `Neuron.step`."""
        dendrite, soma = self._leak(state, drive, dt_ms)
        spikes = self.options.spike()(soma - self.options.threshold)
        return spikes, TwoCompartmentState(dendrite, soma, spikes)

    def response(self, drive, dt_ms):
        """See `Neuron.response`."""
        state, membranes = self.initial_state(drive.shape[1]), []
        for u in drive.unbind(0):
            dendrite, soma = self._leak(state, u, dt_ms)
            state = TwoCompartmentState(dendrite, soma, torch.zeros_like(soma))
            membranes.append(soma)
        return torch.stack(membranes) / self.options.threshold
'''

_RULE = '''
"""BPTT whose error signal is weakened: a rule with an option."""

from pydantic import Field

from spikinggamma.learning.bptt import Backpropagation
from spikinggamma.learning.rule import RULES
from spikinggamma.options import Options


class WeakOptions(Options):
    """Options of weak BPTT."""

    share: float = Field(default=0.5, gt=0.0, le=1.0, description="share of the error signal that is learnt from")


@RULES.register("weak_bptt", options=WeakOptions, citations=("@misc{weak2026, title = {Learning a little}}",))
class WeakBPTT(Backpropagation):
    """BPTT from a share of the error signal."""

    def __init__(self, net, dt_ms, options):
        super().__init__(net, dt_ms, options)
        self.share = options.share

    def accumulate(self, activations, delta):
        """See `Rule.accumulate`."""
        return super().accumulate(activations, self.share * delta)
'''

_LAYER = '''
"""An echo: what went in comes out again some time later, weaker."""

import torch
from pydantic import Field

from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.options import Options


class EchoOptions(Options):
    """Options of an echo."""

    delay_ms: float = Field(default=6.0, ge=0.0, le=1e3, description="delay of the echo [ms]")
    gain: float = Field(default=0.5, ge=0.0, le=1.0, description="its size")


class Echo(Layer):
    """y(t) = x(t) + gain x(t - delay)."""

    def __init__(self, shape, options):
        super().__init__()
        self.out_shape, self.options = tuple(shape), options

    def initial_state(self, batch):
        """See `Layer.initial_state`."""

    def forward(self, x, state, dt_ms):
        """See `Layer.forward`."""
        steps = round(self.options.delay_ms / dt_ms)
        history = torch.cat([x.new_zeros(steps, *x.shape[1:]) if state is None else state, x])
        return x + self.options.gain * history[: len(x)], history[len(x) :]


@LAYERS.register("echo", options=EchoOptions, citations=("@misc{echo2026, title = {Echo}}",))
def echo(in_shape, options, generator):
    """What went in, again and weaker some time later."""
    return Echo(in_shape, options)
'''

# A recipe that names all of it.
RECIPE = """
name = "outside"

[data]
name = "rhythms"
dt_ms = 1.0
perturb = ["lateness=3ms"]

[data.options]
slow_ms = 12

[net]
model = "chain"
signal_per_threshold = 2.0

[learning]
rule = "weak_bptt"
loss = "middle"
learning_rate = 2e-2
weight_decay = 0.5
schedule = "constant"

[rule]
share = 0.8

[loss]
margin = 0.2

[training]
epochs = 3
batch_size = 8
threads = 1

[[layers]]
layer = "linear"
neurons = 12

[[layers]]
layer = "two_compartment"
dendrite_tau_ms = 12.0
surrogate = "gaussian"
surrogate_options = { slope = 3.0 }

[[layers]]
layer = "echo"
delay_ms = 4.0

[[layers]]
layer = "linear"
neurons = 0

[[layers]]
layer = "integrator"
"""

_FILES = {
    "rule": _RULE,
    "layer": _LAYER,
    "loss": _LOSS,
    "dataset": _DATASET,
    "perturbation": _PERTURBATION,
    "encoder": _ENCODER,
    "surrogate": _SURROGATE,
    "neuron": _NEURON,
}


def write_package(folder: Path, *, broken: bool = False) -> Path:
    """Write the package and what an installer would leave beside it; returns the folder."""
    package, about = folder / PACKAGE, folder / f"{PACKAGE}-1.0.dist-info"
    package.mkdir(parents=True)
    about.mkdir()
    for name, text in _FILES.items():
        (package / f"{name}.py").write_text(text.lstrip())
    imports = "import missing_module\n" if broken else f"from {PACKAGE} import {', '.join(_FILES)}\n"
    (package / "__init__.py").write_text(f'"""A house of its own."""\n\n{imports}')
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[spikinggamma]\nhouse = {PACKAGE}\n")
    return folder


def run_with(folder: Path, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run Python with the folder on its path, e.g. `run_with(folder, "-m", "spikinggamma", "losses")`."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "120"},
        timeout=300,
        check=False,
    )
    assert done.returncode == expect, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done
