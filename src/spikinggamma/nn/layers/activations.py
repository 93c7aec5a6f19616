"""Activations of a layer in a chunk, for learning rules and reports, and the addition of gradients."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.functional import SpikingGammaState
from spikinggamma.kernels import SpikeEvents

__all__ = ["LayerActivations", "add_gradient"]


class LayerActivations(NamedTuple):
    """Activations of a SpikingGamma layer in a chunk.

    Attributes:
        inputs: Incoming spikes, [T, B, *in_shape].
        drive: u, [T, B, M] over the flattened memory cells.
        before: State of the layer before the chunk.
        signal: x, [T, B, N] over the flattened neurons.
        outputs: Output of the layer, [T, B, *out_shape]: spikes, or the signal for a read-out.
        counts: Spikes per step, [T, B, N]; None for a read-out or an analogue layer.
        input_events: Incoming spikes as a list, if the layer made one.
    """

    inputs: Float[Tensor, "T B *in_shape"]
    drive: Float[Tensor, "T B M"]
    before: SpikingGammaState
    signal: Float[Tensor, "T B N"]
    outputs: Float[Tensor, "T B *out_shape"]
    counts: Int[Tensor, "T B N"] | None
    input_events: SpikeEvents | None = None


def add_gradient(parameter: nn.Parameter, gradient: Tensor) -> None:
    """Add to `parameter.grad` as autograd does, in the memory layout of the parameter, which fused optimisers need."""
    if not parameter.requires_grad:
        return
    gradient = gradient.view_as(parameter)
    if parameter.grad is None:
        parameter.grad = gradient.clone(memory_format=torch.contiguous_format)
    else:
        parameter.grad.add_(gradient)
