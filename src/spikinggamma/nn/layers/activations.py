"""What a chunk of a layer leaves behind for learning and for looking at, and where gradients are added."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.functional import SpikingGammaState
from spikinggamma.kernels import SpikeEvents

__all__ = ["LayerActivations", "add_gradient"]


class LayerActivations(NamedTuple):
    """What a chunk leaves behind for learning and for looking at.

    Attributes:
        inputs: Spikes that came in, [T, B, *in_shape].
        drive: u, [T, B, M] over the flattened memory cells.
        before: The layer's state before the chunk.
        signal: x, [T, B, N] over the flattened neurons.
        outputs: What was sent, [T, B, *out_shape]; the signal itself for a read-out.
        counts: Spikes per step, [T, B, N]; None for a read-out or an analogue layer.
        listed: What came in as a list, if its layer made one.
    """

    inputs: Float[Tensor, "T B *in_shape"]
    drive: Float[Tensor, "T B M"]
    before: SpikingGammaState
    signal: Float[Tensor, "T B N"]
    outputs: Float[Tensor, "T B *out_shape"]
    counts: Int[Tensor, "T B N"] | None
    input_events: SpikeEvents | None = None


def add_gradient(parameter: nn.Parameter, gradient: Tensor) -> None:
    """Add to `parameter.grad`, as autograd's backward would: laid out as the parameter is, which fused optimisers rely on."""
    if not parameter.requires_grad:
        return
    gradient = gradient.view_as(parameter)
    if parameter.grad is None:
        parameter.grad = gradient.clone(memory_format=torch.contiguous_format)
    else:
        parameter.grad.add_(gradient)
