"""Functions that make the usual SpikingGamma nets: fully connected ones, and convolutions followed by such layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn.layers.conv import Conv2d
from spikinggamma.nn.layers.dense import Dense
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.per_synapse import PerSynapse
from spikinggamma.nn.layers.timescales import Timescales
from spikinggamma.nn.nets.gamma_net import GammaNet

__all__ = ["conv_net", "dense_net"]


def dense_net(
    sizes: Sequence[int],
    *,
    tau_ms: Sequence[float],
    code: SigmaDelta | None = None,
    analogue: bool = False,
    synapse: str = "neuron",
    rectify: bool = True,
    train_tau: bool = False,
    shortest_ms: float | None = None,
    input_gain: float = 1.0,
    dropout: float = 0.0,
    generator: torch.Generator | None = None,
) -> GammaNet:
    """Return a SpikingGamma net of fully connected layers.

    Args:
        sizes: Inputs, hidden layers, classes: `(140, 256, 256, 10)`.
        tau_ms: Time constants of the buckets in ms, the same in every layer.
        code: The sigma-delta code; None for its defaults.
        analogue: Whether to send the signal y itself instead of spikes.
        synapse: "neuron" (one bucket weight per neuron) or "synapse" (one per connection).
        rectify: Whether y = max(x, 0); else y = x.
        train_tau: Whether time constants are trained.
        shortest_ms: Floor of trained time constants in ms.
        input_gain: Height of an input event.
        dropout: Probability that a hidden neuron is silenced for a whole recording in training.
        generator: Random numbers of the initial weights.

    Raises:
        SpikingGammaError: A size or another value is out of range.

    Example:
        >>> len(dense_net((3, 8, 8, 2), tau_ms=(4.0, 8.0)).stack)
        3
    """
    if len(sizes) < 2:
        raise SpikingGammaError("sizes", tuple(sizes), "inputs, hidden layers and classes, each at least 1")
    return conv_net(
        (sizes[0],),
        (),
        sizes[1:],
        tau_ms=tau_ms,
        code=code,
        analogue=analogue,
        synapse=synapse,
        rectify=rectify,
        train_tau=train_tau,
        shortest_ms=shortest_ms,
        input_gain=input_gain,
        dropout=dropout,
        generator=generator,
    )


def conv_net(
    in_shape: Sequence[int],
    convolutions: Sequence[tuple[int, int, int]],
    sizes: Sequence[int],
    *,
    tau_ms: Sequence[float],
    code: SigmaDelta | None = None,
    analogue: bool = False,
    synapse: str = "neuron",
    rectify: bool = True,
    train_tau: bool = False,
    shortest_ms: float | None = None,
    input_gain: float = 1.0,
    dropout: float = 0.0,
    generator: torch.Generator | None = None,
) -> GammaNet:
    """Return a SpikingGamma net of convolutions, then fully connected layers, the last of them the read-out.

    Args:
        in_shape: Shape of one sample's input at one step; (C, H, W) if there are convolutions.
        convolutions: Channels, side of the kernel and stride of each; the input is padded by half a kernel.
        sizes: Hidden layers and classes: `(128, 10)`.
        tau_ms: As in `dense_net`, like all further arguments; `synapse` is that of the fully connected layers.

    Raises:
        SpikingGammaError: A size or another value is out of range.

    Example:
        >>> net = conv_net((2, 34, 34), [(8, 5, 2), (16, 3, 2)], (10,), tau_ms=(4.0, 8.0))
        >>> [layer.out_shape for layer in net.stack]
        [(8, 17, 17), (16, 9, 9), (10,)]
    """
    for name, values in (("sizes", sizes), ("in_shape", in_shape), *(("convolutions", row) for row in convolutions)):
        if not values or any(int(value) != value or value < 1 for value in values):
            raise SpikingGammaError(name, tuple(values), "whole numbers of at least 1")
    kinds: dict[str, type[Dense] | type[PerSynapse]] = {"neuron": Dense, "synapse": PerSynapse}
    if synapse not in kinds:
        raise SpikingGammaError("synapse", repr(synapse), " or ".join(map(repr, kinds)))
    spoken = None if analogue else (code or SigmaDelta())

    def timescales() -> Timescales:
        return Timescales(tau_ms, trainable=train_tau, shortest_ms=shortest_ms)

    layers: list[GammaLayer] = []
    shape = tuple(int(side) for side in in_shape)
    for channels, kernel, stride in convolutions:
        layers.append(
            Conv2d(
                shape,
                channels,
                kernel,
                timescales(),
                code=spoken,
                stride=stride,
                padding=kernel // 2,
                rectify=rectify,
                generator=generator,
            )
        )
        shape = layers[-1].out_shape
    for index, (below, above) in enumerate(pairwise((torch.Size(shape).numel(), *sizes))):
        last = index == len(sizes) - 1
        layers.append(
            kinds[synapse](
                (int(below),),
                int(above),
                timescales(),
                code=None if last else spoken,
                readout=last,
                rectify=rectify,
                generator=generator,
            )
        )
    return GammaNet(layers, input_gain=input_gain, dropout=dropout)
