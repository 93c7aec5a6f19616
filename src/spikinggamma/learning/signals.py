"""What reaches neurons through parameters that learn: each parameter, and the signal that it multiplies.

A drive is a sum, u(t) = W x(t) + R s(t-1) + b: the gradient of each parameter is a sum over time of the error signal of the
drive times a trace of what the parameter multiplies, whatever the rule makes of the two.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.functional import DelayState
from spikinggamma.nn import AxonalDelays, Bias, Layer, Linear, Recurrent, add_gradient

__all__ = [
    "Arrived",
    "BiasSignal",
    "DelaySignal",
    "MapSignal",
    "MatrixSignal",
    "RecurrentSignal",
    "Signal",
    "WeightSignal",
]


class Arrived(NamedTuple):
    """What a chunk brings to the neurons of a block.

    Attributes:
        sent: What goes into the delays, or into the weights where there are none, [T, B, *in_shape].
        inputs: What goes into the weights, [T, B, *in_shape].
        past: State of the delays before the chunk; None at the start of a recording, or without delays.
        echoes: The neurons' own spikes of the step before, [T, B, N]; None without recurrence.
    """

    sent: Tensor
    inputs: Tensor
    past: DelayState | None
    echoes: Tensor | None


class Signal(abc.ABC):
    """A parameter, or parameters, and what they multiply."""

    @abc.abstractmethod
    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """Return what the parameters multiply at each step of a chunk."""

    @abc.abstractmethod
    def add(self, grad: Float[Tensor, "T B N"], traced: Float[Tensor, "T B M"]) -> None:
        """Add to the gradients, given the error signal of the drive and what it meets at each step."""


class MatrixSignal(Signal, abc.ABC):
    """Parameters whose gradient follows from that of a matrix [N, M] between the signal and the drive."""

    def add(self, grad: Float[Tensor, "T B N"], traced: Float[Tensor, "T B M"]) -> None:
        """See `Signal.add`."""
        self.add_matrix(grad.flatten(0, 1).T @ traced.flatten(0, 1))

    @abc.abstractmethod
    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """Add to the gradients, given that of the matrix."""


class WeightSignal(MatrixSignal):
    """Fully connected weights, and what arrives at them."""

    def __init__(self, layer: Linear) -> None:
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """See `Signal.values`."""
        return arrived.inputs.flatten(2)

    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """See `MatrixSignal.add_matrix`."""
        add_gradient(self.layer.weight, gradient)


class RecurrentSignal(MatrixSignal):
    """Recurrent weights, and the spikes of the step before, which are taken as given."""

    def __init__(self, layer: Recurrent) -> None:
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """See `Signal.values`."""
        assert arrived.echoes is not None
        return arrived.echoes

    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """See `MatrixSignal.add_matrix`."""
        add_gradient(self.layer.recurrent_weight, gradient)


class DelaySignal(MatrixSignal):
    """Delays in front of fully connected weights, and what arrives, differentiated in the delay of its sender."""

    def __init__(self, delays: AxonalDelays, layer: Linear) -> None:
        self.delays = delays
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """See `Signal.values`: (s(t-n-1) - s(t-n)) / dt for a delay of n steps and a part of one."""
        sent, parameters = arrived.sent.flatten(2), self.delays.parameters_at(dt_ms)
        remembered = parameters.remembered_steps()
        past = sent.new_zeros(remembered, *sent.shape[1:]) if arrived.past is None else arrived.past.past
        history = torch.cat([past, sent])
        time = torch.arange(remembered, len(history), device=sent.device).view(-1, 1, 1)
        index = time - parameters.whole_steps().long()
        near, far = (history.gather(0, at.expand(sent.shape)) for at in (index, index - 1))
        return (far - near) / dt_ms

    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """See `MatrixSignal.add_matrix`."""
        add_gradient(self.delays.delay_ms, (self.layer.weight.detach() * gradient).sum(0))


class BiasSignal(MatrixSignal):
    """Biases of fully connected neurons, which multiply 1."""

    def __init__(self, layer: Bias) -> None:
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B 1"]:
        """See `Signal.values`."""
        return arrived.inputs.new_ones(*arrived.inputs.shape[:2], 1)

    def add_matrix(self, gradient: Float[Tensor, "N 1"]) -> None:
        """See `MatrixSignal.add_matrix`."""
        add_gradient(self.layer.bias, gradient.squeeze(1))


class MapSignal(Signal):
    """Any affine layers without memory, such as a convolution and a pooling: their linear part, or their biases.

    Args:
        layers: Applied in a row at each step.
        in_shape: Shape of one sample's input at one step.
        biases: Whether the biases learn by this signal, which is 1 for them, or all other parameters.
    """

    def __init__(self, layers: Sequence[Layer], in_shape: Sequence[int], *, biases: bool) -> None:
        self.layers = layers
        self.in_shape = tuple(in_shape)
        self.biases = biases

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters that learn by this signal."""
        named = [pair for layer in self.layers for pair in layer.named_parameters() if pair[1].requires_grad]
        return [parameter for name, parameter in named if (name.split(".")[-1] == "bias") == self.biases]

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """See `Signal.values`."""
        inputs = arrived.inputs
        return inputs.new_ones(*inputs.shape[:2], 1) if self.biases else inputs.flatten(2)

    def add(self, grad: Float[Tensor, "T B N"], traced: Float[Tensor, "T B M"]) -> None:
        """See `Signal.add`: the layers' own adjoint at the traced input."""
        if not self.parameters:
            return
        inputs = traced.new_zeros(1).expand(*grad.shape[:2], *self.in_shape) if self.biases else traced
        with torch.enable_grad():
            signal = inputs.reshape(*grad.shape[:2], *self.in_shape)
            for layer in self.layers:
                signal, _ = layer(signal, None, 1.0)  # without memory, so the time step is of no effect
            grad = grad * traced if self.biases else grad
            found = torch.autograd.grad(signal, self.parameters, grad.view_as(signal))
        for parameter, gradient in zip(self.parameters, found, strict=True):
            add_gradient(parameter, gradient)
