"""The product of spikes with a matrix as a differentiable operation; if spikes are few, it visits only spikes."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import kernels

__all__ = ["spike_linear"]


class _SpikeLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, spikes: Tensor, weight: Tensor, events: kernels.SpikeEvents | None) -> Tensor:
        ctx.events = kernels.spike_events(spikes) if events is None else events
        ctx.save_for_backward(spikes, weight)
        return kernels.spike_linear(spikes, weight, ctx.events)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        spikes, weight = ctx.saved_tensors
        spikes_grad = grads[0] @ weight if ctx.needs_input_grad[0] else None
        weight_grad = kernels.spike_outer(grads[0], spikes, ctx.events) if ctx.needs_input_grad[1] else None
        return spikes_grad, weight_grad, None


def spike_linear(
    spikes: Float[Tensor, "T B M"], weight: Float[Tensor, "N M"], events: kernels.SpikeEvents | None = None
) -> Float[Tensor, "T B N"]:
    """Return W s, differentiable once in both; where spikes are few, only spikes are visited.

    Args:
        spikes: s, [T, B, M].
        weight: W, [N, M].
        events: The spikes as a list, if there is one already.
    """
    drive: Tensor = _SpikeLinear.apply(spikes.flatten(0, 1), weight, events)  # type: ignore[no-untyped-call]
    return drive.view(*spikes.shape[:2], len(weight))
