"""Signals that drive neurons: each learnt parameter together with the signal that it multiplies.

A drive is a sum, u(t) = W x(t) + R s(t-1) + b. Under every rule, the gradient of a parameter is a sum over time of the
error signal of the drive times a trace of the signal that the parameter multiplies.
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
    """Inputs of the neurons of a block in a chunk.

    Attributes:
        sent: Input of the delays, or of the weights if there are none, [T, B, *in_shape].
        inputs: Input of the weights, [T, B, *in_shape].
        past: State of the delays before the chunk; None at the start of a recording, or without delays.
        echoes: Spikes of the neurons themselves one step earlier, [T, B, N]; None without recurrence.
    """

    sent: Tensor
    inputs: Tensor
    past: DelayState | None
    echoes: Tensor | None


class Signal(abc.ABC):
    """A parameter, or several, and the signal that they multiply."""

    @abc.abstractmethod
    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """Return the signal that the parameters multiply at each step of a chunk, [T, B, M]."""

    @abc.abstractmethod
    def add(self, grad: Float[Tensor, "T B N"], traced: Float[Tensor, "T B M"]) -> None:
        """Add to the gradients.

        Args:
            grad: Error signal of the drive, [T, B, N].
            traced: Trace of the signal at each step, [T, B, M].
        """


class MatrixSignal(Signal, abc.ABC):
    """Parameters whose gradient follows from that of a matrix [N, M] between the signal and the drive."""

    def add(self, grad: Float[Tensor, "T B N"], traced: Float[Tensor, "T B M"]) -> None:
        """Add to the gradients; see `Signal.add`."""
        self.add_matrix(grad.flatten(0, 1).T @ traced.flatten(0, 1))

    @abc.abstractmethod
    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """Add to the gradients, given that of the matrix, [N, M]."""


class WeightSignal(MatrixSignal):
    """Fully connected weights and their input."""

    def __init__(self, layer: Linear) -> None:
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """Return the signal that the parameters multiply; see `Signal.values`."""
        return arrived.inputs.flatten(2)

    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """Add to the gradients; see `MatrixSignal.add_matrix`."""
        add_gradient(self.layer.weight, gradient)


class RecurrentSignal(MatrixSignal):
    """Recurrent weights and the spikes of the step before, which are treated as constants."""

    def __init__(self, layer: Recurrent) -> None:
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """Return the signal that the parameters multiply; see `Signal.values`."""
        assert arrived.echoes is not None
        return arrived.echoes

    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """Add to the gradients; see `MatrixSignal.add_matrix`."""
        add_gradient(self.layer.recurrent_weight, gradient)


class DelaySignal(MatrixSignal):
    """Delays in front of fully connected weights, and the derivative of their output by the delay of the sender."""

    def __init__(self, delays: AxonalDelays, layer: Linear) -> None:
        self.delays = delays
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """Return (s(t-n-1) - s(t-n)) / dt for a delay of n steps and a fraction of a step; see `Signal.values`."""
        sent, parameters = arrived.sent.flatten(2), self.delays.parameters_at(dt_ms)
        remembered = parameters.remembered_steps()
        past = sent.new_zeros(remembered, *sent.shape[1:]) if arrived.past is None else arrived.past.past
        history = torch.cat([past, sent])
        time = torch.arange(remembered, len(history), device=sent.device).view(-1, 1, 1)
        index = time - parameters.whole_steps().long()
        near, far = (history.gather(0, at.expand(sent.shape)) for at in (index, index - 1))
        return (far - near) / dt_ms

    def add_matrix(self, gradient: Float[Tensor, "N M"]) -> None:
        """Add to the gradients; see `MatrixSignal.add_matrix`."""
        add_gradient(self.delays.delay_ms, (self.layer.weight.detach() * gradient).sum(0))


class BiasSignal(MatrixSignal):
    """Biases of fully connected neurons, which multiply 1."""

    def __init__(self, layer: Bias) -> None:
        self.layer = layer

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B 1"]:
        """Return the signal that the parameters multiply; see `Signal.values`."""
        return arrived.inputs.new_ones(*arrived.inputs.shape[:2], 1)

    def add_matrix(self, gradient: Float[Tensor, "N 1"]) -> None:
        """Add to the gradients; see `MatrixSignal.add_matrix`."""
        add_gradient(self.layer.bias, gradient.squeeze(1))


class MapSignal(Signal):
    """Affine layers without memory, such as a convolution and a pooling: either their linear part or their biases.

    Args:
        layers: Layers, applied in this order at each step.
        in_shape: Shape of one sample's input at one step.
        biases: Whether the signal, which is then 1, is that of the biases, or that of all other parameters.
    """

    def __init__(self, layers: Sequence[Layer], in_shape: Sequence[int], *, biases: bool) -> None:
        self.layers = layers
        self.in_shape = tuple(in_shape)
        self.biases = biases

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters whose gradient this signal gives."""
        named = [pair for layer in self.layers for pair in layer.named_parameters() if pair[1].requires_grad]
        return [parameter for name, parameter in named if (name.split(".")[-1] == "bias") == self.biases]

    def values(self, arrived: Arrived, dt_ms: float) -> Float[Tensor, "T B M"]:
        """Return the signal that the parameters multiply; see `Signal.values`."""
        inputs = arrived.inputs
        return inputs.new_ones(*inputs.shape[:2], 1) if self.biases else inputs.flatten(2)

    def add(self, grad: Float[Tensor, "T B N"], traced: Float[Tensor, "T B M"]) -> None:
        """Add to the gradients by autograd of the layers at the traced input; see `Signal.add`."""
        if not self.parameters:
            return
        inputs = traced.new_zeros(1).expand(*grad.shape[:2], *self.in_shape) if self.biases else traced
        with torch.enable_grad():
            signal = inputs.reshape(*grad.shape[:2], *self.in_shape)
            for layer in self.layers:
                signal, _ = layer(signal, None, 1.0)  # the layers have no memory, so the time step has no effect
            grad = grad * traced if self.biases else grad
            found = torch.autograd.grad(signal, self.parameters, grad.view_as(signal))
        for parameter, gradient in zip(self.parameters, found, strict=True):
            add_gradient(parameter, gradient)
