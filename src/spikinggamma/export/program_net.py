"""A trained net as plain arrays at one time step, for a stand-alone program; unsupported nets are refused with a reason."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import LOSSES, Answer, EvidenceKind
from spikinggamma.nn import Dense, GammaLayer, GammaNet, SequenceNet

__all__ = ["ProgramLayer", "ProgramNet", "program_net"]

_NO_EXPONENTIAL = (EvidenceKind.MEAN, EvidenceKind.NOW)
_LONGEST_US = 86_400_000_000  # a day
_Reals = npt.NDArray[np.float64]


class ProgramLayer(NamedTuple):
    """A dense layer at one time step.

    Attributes:
        weight: W, [N, N_in].
        bucket_weight: v, [K, N].
        bias: b, [N].
        take: dt / τ of each bucket, [K]; the bucket keeps the rest.
        code: The sigma-delta code; None for the read-out.
        fade: Decay of the threshold's rise in one step.
    """

    weight: _Reals
    bucket_weight: _Reals
    bias: _Reals
    take: _Reals
    code: SigmaDelta | None
    fade: float

    @property
    def neurons(self) -> int:
        """Number of neurons N."""
        return len(self.bias)

    @property
    def inputs(self) -> int:
        """Number of inputs N_in."""
        return int(self.weight.shape[1])

    @property
    def order(self) -> int:
        """Number of buckets K."""
        return len(self.take)


class ProgramNet(NamedTuple):
    """A chain of layers, the last of which is the read-out.

    Attributes:
        layers: The layers.
        input_gain: Height of a recorded event.
        dt_ms: Time step.
        loss: Loss that determines the decision, a name in `LOSSES` such as sum, running, last or each_step.
        channels: Number of channels of recordings.
        title: Description of the net for the program's header comment.
    """

    layers: tuple[ProgramLayer, ...]
    input_gain: float
    dt_ms: float
    loss: str
    channels: int
    title: str

    @property
    def decides(self) -> str:
        """What answers: the output "by step", the one "at the end", or the recording "by the mean" of its outputs."""
        loss = LOSSES[self.loss].target
        if loss.answer is Answer.CLASS_OR_VALUES_BY_STEP:
            return "by step"
        return "at the end" if loss.evidence_kind is EvidenceKind.NOW else "by the mean"

    @property
    def fold(self) -> int:
        """Number of recorded channels that are summed to one input."""
        return self.channels // self.layers[0].inputs

    @property
    def step_ns(self) -> int:
        """Time step in whole nanoseconds, as in binning."""
        return round(self.dt_ms * 1e6)

    @property
    def longest_allowed_us(self) -> int:
        """Upper limit of a recording's length in microseconds: 2^32 steps and 10^15 microseconds."""
        return min((2**32 - 1) * self.step_ns // 1000, 10**15)

    @property
    def longest_us(self) -> int:
        """Default limit of a recording's length in microseconds, which can be changed when the program is compiled."""
        return min(self.longest_allowed_us, _LONGEST_US)


def program_net(
    net: SequenceNet, *, dt_ms: float, loss: str = "sum", channels: int | None = None, title: str = "a spiking net"
) -> ProgramNet:
    """Convert a net to the plain arrays of a `ProgramNet`.

    Args:
        net: A net of spiking dense layers with one bucket weight per neuron and bucket.
        dt_ms: Time step of the program; the weights do not depend on it.
        loss: Loss that determines the decision: sum, running, last or each_step.
        channels: Number of channels of recordings, a multiple of the net's inputs; the number of inputs if not given.
        title: Description of the net.

    Raises:
        SpikingGammaError: A layer cannot be part of such a program; the message names it and the reason.
    """
    if not isinstance(net, GammaNet):
        raise SpikingGammaError(
            "net", type(net).__name__, "a net of SpikingGamma neurons: others have no C program yet"
        )
    without = [entry.name for entry in LOSSES.entries() if entry.target.evidence_kind in _NO_EXPONENTIAL]
    if loss not in without:
        expected = f"one of {', '.join(without)}: the program has no exponential function"
        raise SpikingGammaError("loss", repr(loss), expected)
    layers = tuple(_layer(f"layer {index}", layer, dt_ms) for index, layer in enumerate(net.stack, start=1))
    inputs = layers[0].inputs
    channels = inputs if channels is None else channels
    if channels < inputs or channels % inputs:
        raise SpikingGammaError("channels", channels, f"a multiple of the net's {inputs} inputs")
    if round(dt_ms * 1e6) < 1:
        raise SpikingGammaError("dt_ms", dt_ms, "at least a nanosecond")
    return ProgramNet(layers, float(net.input_gain), float(dt_ms), loss, channels, title)


def _layer(name: str, layer: GammaLayer, dt_ms: float) -> ProgramLayer:
    kind = f"{type(layer).__name__}, {layer.in_shape} to {layer.out_shape}"
    if not isinstance(layer, Dense):
        expected = (
            "a dense layer with one bucket weight per neuron: the program multiplies columns of a matrix by spikes"
        )
        raise SpikingGammaError(name, kind, expected, "Train a net with net.conv = [] and net.synapse = neuron.")
    if not layer.readout and layer.code is None:
        raise SpikingGammaError(
            name, f"{kind}, which passes its signal itself", "a layer that spikes", "Train with net.analogue = false."
        )
    if not layer.readout and not layer.rectify:
        raise SpikingGammaError(name, f"{kind}, not rectified", "a layer whose spikes encode max(x, 0)")
    alpha = layer.alpha(dt_ms)  # raises for a step that is too long for a bucket
    tau_ms = layer.timescales.tau_ms().detach().double()
    parts = {"weight": layer.weight, "bucket_weight": layer.bucket_weight, "bias": layer.bias, "decays": alpha}
    for part, values in parts.items():
        if not bool(torch.isfinite(values).all()):
            raise SpikingGammaError(name, f"{part} with a value that is not finite", "finite numbers")
    code = None if layer.readout else layer.code
    return ProgramLayer(
        weight=layer.weight.detach().double().numpy(),
        bucket_weight=layer.bucket_weight.detach().double().numpy(),
        bias=layer.bias.detach().double().numpy(),
        take=np.minimum(dt_ms / tau_ms.numpy(), 1.0),
        code=code,
        fade=0.0 if code is None else math.exp(-dt_ms / code.adaptation_tau_ms),
    )
