"""Recurrent LIF and adaptive LIF neurons over whole sequences, compiled.

Numbers and gradients are those of the loop over `functional.lif_step` and `functional.adaptive_lif_step` with recurrent
weights, to rounding: in the drive, the weights and the state that goes in. Where no compiled scan fits, the step is
unrolled. A second derivative is refused.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikinggamma import functional, kernels
from spikinggamma.functional import AdaptiveLIFParameters, AdaptiveLIFState, LIFParameters, LIFState
from spikinggamma.nn.compiled.scans import fits_rows, recurrent_gradient, slopes, unrolled

__all__ = ["recurrent_adaptive_lif_sequence", "recurrent_lif_sequence"]

Grads = tuple[Tensor | None, ...]


class _RecurrentLIF(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, parameters: AdaptiveLIFParameters, drive: Tensor, weight: Tensor, said: Tensor, *state: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.parameters = parameters
        spikes, excess, after = kernels.recurrent_lif_forward(parameters, weight, AdaptiveLIFState(*state), said, drive)
        ctx.save_for_backward(weight, said, spikes, excess)
        return spikes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        weight, said, spikes, excess = ctx.saved_tensors
        bumps = slopes(ctx.parameters.lif.surrogate, excess)
        drive, before, on_said = kernels.recurrent_lif_adjoint(
            ctx.parameters, weight, grad, bumps, AdaptiveLIFState(*after)
        )
        return None, drive, recurrent_gradient(weight, drive, said, spikes), on_said, *before


def recurrent_adaptive_lif_sequence(
    parameters: AdaptiveLIFParameters,
    state: AdaptiveLIFState,
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "N N"],
    said: Float[Tensor, "B N"],
) -> tuple[Float[Tensor, "T B N"], AdaptiveLIFState]:
    """Return the spikes of recurrent adaptive LIF neurons, and the state after.

    Args:
        parameters: Of the neurons.
        state: State before the first step.
        drive: Input from below, [T, B, N].
        weight: R, [N, N], from the neuron of the column to that of the row, one step late.
        said: Spikes of the step before the first, [B, N].

    Example:
        >>> lif, zero = LIFParameters(20.0, 5.0, 1.0, "fast_sigmoid", 1.0), torch.zeros(3, 2)
        >>> p, state = AdaptiveLIFParameters(lif, 0.1, 200.0), AdaptiveLIFState(zero, zero, zero)
        >>> recurrent_adaptive_lif_sequence(p, state, torch.ones(7, 3, 2), torch.eye(2), zero)[0].shape
        torch.Size([7, 3, 2])
    """
    if not fits_rows(drive, weight, state):
        return unrolled(
            lambda before, u: functional.adaptive_lif_step(parameters, before, u), state, drive, weight, said
        )
    learnt = (drive, weight, said, *state)
    if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in learnt)):
        spikes, _, after = kernels.recurrent_lif_forward(parameters, weight, state, said, drive, keep=False)
        return spikes, after
    spikes, *parts = _RecurrentLIF.apply(parameters, *learnt)  # type: ignore[no-untyped-call]
    return spikes, AdaptiveLIFState(*parts)


def recurrent_lif_sequence(
    parameters: LIFParameters,
    state: LIFState,
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "N N"],
    said: Float[Tensor, "B N"],
) -> tuple[Float[Tensor, "T B N"], LIFState]:
    """Return the spikes of recurrent LIF neurons, and the state after; see `recurrent_adaptive_lif_sequence`.

    Example:
        >>> p, zero = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0), torch.zeros(3, 2)
        >>> recurrent_lif_sequence(p, LIFState(zero, zero), torch.ones(7, 3, 2), torch.eye(2), zero)[0].shape
        torch.Size([7, 3, 2])
    """
    # Without adaptation, and so without anything that its state changes or is told.
    adaptive, begun = AdaptiveLIFParameters(parameters, 0.0, 1.0), AdaptiveLIFState(*state, torch.zeros_like(said))
    spikes, after = recurrent_adaptive_lif_sequence(adaptive, begun, drive, weight, said)
    return spikes, LIFState(after.current, after.membrane)
