"""Scaling the weights of a new chain, so that every layer is active from the start."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.layers.batch_norm import BatchNorm, BatchNormThroughTime
from spikinggamma.nn.layers.delays import AxonalDelays
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.integrator import Integrator
from spikinggamma.nn.layers.learnt_integrator import LearntIntegrator
from spikinggamma.nn.layers.lift import Lift
from spikinggamma.nn.layers.linear import Linear
from spikinggamma.nn.layers.recurrent import Recurrent
from spikinggamma.nn.layers.stack import Feedback, Residual, Stack, TemporalSkip
from spikinggamma.nn.layers.synaptic_delays import SynapticDelays
from spikinggamma.nn.nets.checks import level_of
from spikinggamma.nn.neurons.base import Neuron

__all__ = ["calibrate_layers"]


def calibrate_layers(
    stack: Stack,
    x: Float[Tensor, "T B *in_shape"],
    dt_ms: float,
    valid: Bool[Tensor, "T B"],
    signal_per_threshold: float,
    factors: list[float],
) -> Tensor:
    """Scale the weights of a sequence of layers on a batch, and return its output after that.

    Args:
        stack: The layers.
        x: Input, [T, B, *in_shape].
        dt_ms: Time step in ms.
        valid: Mask of the steps that belong to a recording, [T, B].
        signal_per_threshold: Root mean square of a membrane that never resets, in thresholds.
        factors: List to which the factor of each layer of weights is appended.

    Raises:
        SpikingGammaError: A layer receives no input from this batch.
    """
    weight: nn.Parameter | None = None
    batch = x.shape[1]
    for index, layer in enumerate(stack.row):
        if isinstance(layer, Neuron | Recurrent | Integrator | LearntIntegrator):
            if weight is not None:
                response, wanted = _response(layer, x, dt_ms, signal_per_threshold)
                factor = wanted / level_of(response, valid, len(factors))
                weight.mul_(factor)
                factors.append(factor)
                x, weight = x * factor, None
            x, _ = layer(x, layer.initial_state(batch), dt_ms)
            continue
        if isinstance(layer, GammaLayer):
            x = _calibrate_gamma(layer, x, dt_ms, valid, signal_per_threshold, factors)
            continue
        if isinstance(layer, Residual):
            branch = calibrate_layers(layer.branch, x, dt_ms, valid, signal_per_threshold, factors)
            shortcut = calibrate_layers(layer.shortcut, x, dt_ms, valid, signal_per_threshold, factors)
            x, weight = branch + shortcut, None
            continue
        if isinstance(layer, TemporalSkip | Feedback):
            around = x
            if isinstance(layer, Feedback):  # without any feedback yet
                silence = x.new_zeros(*x.shape[:2], *layer.projection.out_shape)
                around = layer.combined(x, silence)
            calibrate_layers(layer.branch, around, dt_ms, valid, signal_per_threshold, factors)
            x, weight = layer(x, layer.initial_state(batch), dt_ms)[0], None
            continue
        x = (
            _normalised(layer, x, dt_ms)
            if isinstance(layer, BatchNorm)
            else layer(x, layer.initial_state(batch), dt_ms)[0]
        )
        own = _weight_of(layer)
        if own is not None:
            weight = own
        elif isinstance(layer, BatchNorm | BatchNormThroughTime) or _has_parameters(layer):
            weight = None  # a normalisation cancels any scale; the effect of a scale on other layers is unknown
        if index == len(stack.row) - 1 and weight is not None:
            factor = 1.0 / level_of(x, valid, len(factors))
            weight.mul_(factor)
            factors.append(factor)
            x = x * factor
    return x


def _normalised(layer: BatchNorm, x: Tensor, dt_ms: float) -> Tensor:
    """Return the normalised input, and set the layer's running statistics to those of this input."""
    training, momentum = layer.training, layer.norm.momentum
    layer.norm.momentum = 1.0
    try:
        layer.train()(x, None, dt_ms)
    finally:
        layer.norm.momentum = momentum
        layer.train(training)
    with_statistics: Tensor = layer.eval()(x, None, dt_ms)[0]
    layer.train(training)
    return with_statistics


def _weight_of(layer: Layer) -> nn.Parameter | None:
    """Return the weights of a layer if its output is linear in them, it has no bias and its scale is free, else None."""
    if isinstance(layer, Linear):
        return layer.weight if layer.calibrated else None
    if isinstance(layer, SynapticDelays):
        return layer.weight
    if not (isinstance(layer, Lift) and isinstance(layer.module, nn.Linear | nn.Conv1d | nn.Conv2d)):
        return None
    return layer.module.get_parameter("weight") if layer.module.bias is None else None


def _has_parameters(layer: Layer) -> bool:
    return not isinstance(layer, AxonalDelays) and any(True for _ in layer.parameters())


def _response(layer: Layer, drive: Tensor, dt_ms: float, signal_per_threshold: float) -> tuple[Tensor, float]:
    if isinstance(layer, Neuron | Recurrent):
        neuron = layer.neuron if isinstance(layer, Recurrent) else layer
        return neuron.response(drive, dt_ms), signal_per_threshold
    return layer(drive, layer.initial_state(drive.shape[1]), dt_ms)[0], 1.0


def _calibrate_gamma(
    layer: GammaLayer,
    x: Tensor,
    dt_ms: float,
    valid: Tensor,
    signal_per_threshold: float,
    factors: list[float],
) -> Tensor:
    inputs, state = x.reshape(*x.shape[:2], *layer.in_shape), layer.initial_state(x.shape[1])
    signal = layer.run(inputs, state, dt_ms)[0].signal - layer.cell_bias()
    threshold = layer.code.threshold if layer.code is not None else 0.1
    wanted = 1.0 if layer.readout else signal_per_threshold * threshold
    factor = wanted / level_of(signal, valid, len(factors))
    layer.weight.mul_(factor)
    factors.append(factor)
    return layer.run(inputs, state, dt_ms)[0].outputs
