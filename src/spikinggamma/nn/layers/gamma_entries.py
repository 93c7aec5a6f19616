"""SpikingGamma layers as named layers of a chain in a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field

from spikinggamma.bibliography import GAMMA_MEMORY, SPIKINGGAMMA
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn.layers.base import LAYERS
from spikinggamma.nn.layers.conv import Conv2d
from spikinggamma.nn.layers.dense import Dense
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.per_synapse import PerSynapse
from spikinggamma.nn.layers.timescales import Timescales
from spikinggamma.options import Options

__all__ = ["GammaConvOptions", "GammaOptions"]

Milliseconds = Annotated[float, Field(gt=0.0, le=60_000.0)]


class MemoryOptions(Options):
    """Options that all SpikingGamma layers share."""

    tau_ms: tuple[Milliseconds, ...] = Field(
        default=(4.0, 6.0, 8.0, 10.0), min_length=1, max_length=256, description="time constant of each bucket [ms]"
    )
    threshold: float = Field(default=0.1, gt=0.0, le=1e3, description="resting threshold; a spike is twice as high")
    adaptation: float = Field(
        default=0.1, ge=0.0, le=10.0, description="each spike raises the threshold by this share of it; 0: none"
    )
    adaptation_tau_ms: float = Field(
        default=50.0, gt=0.0, le=60_000.0, description="time constant of that rise's decay [ms]"
    )
    max_spikes: int = Field(default=0, ge=0, description="most spikes of a neuron in a step; 0: no limit")
    train_tau: bool = Field(default=False, description="whether all time constants but the first are trained")
    readout: bool = Field(default=False, description="whether the layer is a read-out, which does not spike")

    def code(self) -> SigmaDelta | None:
        """Return the sigma-delta code, or None for a read-out."""
        if self.readout:
            return None
        return SigmaDelta(self.threshold, self.adaptation, self.adaptation_tau_ms, self.max_spikes or None)

    def timescales(self) -> Timescales:
        """Return the time constants of the buckets."""
        return Timescales(self.tau_ms, trainable=self.train_tau)


class GammaOptions(MemoryOptions):
    """Options of a fully connected SpikingGamma layer."""

    neurons: int = Field(
        default=64, ge=0, le=65_536, description="number of neurons; in a recipe 0: one for each class"
    )
    synapse: Literal["neuron", "synapse"] = Field(
        default="neuron", description="one bucket weight per neuron, or per synapse"
    )


class GammaConvOptions(MemoryOptions):
    """Options of a convolutional SpikingGamma layer."""

    channels: int = Field(default=16, ge=1, le=65_536, description="output channels")
    kernel: int = Field(default=3, ge=1, le=255, description="side of the kernel [pixels]")
    stride: int = Field(default=1, ge=1, le=255, description="stride [pixels]")


@LAYERS.register("gamma", options=GammaOptions, citations=(SPIKINGGAMMA, GAMMA_MEMORY))
def gamma(in_shape: Sequence[int], options: GammaOptions, generator: torch.Generator | None) -> GammaLayer:
    """Fully connected SpikingGamma neurons, with their weights."""
    kind: type[Dense] | type[PerSynapse] = Dense if options.synapse == "neuron" else PerSynapse
    return kind(
        in_shape,
        options.neurons,
        options.timescales(),
        code=options.code(),
        readout=options.readout,
        generator=generator,
    )


@LAYERS.register("gamma_conv2d", options=GammaConvOptions, citations=(SPIKINGGAMMA, GAMMA_MEMORY))
def gamma_conv2d(in_shape: Sequence[int], options: GammaConvOptions, generator: torch.Generator | None) -> Conv2d:
    """Convolutional SpikingGamma neurons, with their weights."""
    return Conv2d(
        tuple(in_shape),
        options.channels,
        options.kernel,
        options.timescales(),
        code=options.code(),
        stride=options.stride,
        padding=options.kernel // 2,
        generator=generator,
    )
