"""Balanced resonate-and-fire neurons over whole sequences, compiled, with a recurrence among them or without.

Numbers and gradients are those of `functional.brf_sequence`, to rounding: in the drive, the recurrent weights, ω and b', and in
the state that goes in. Where no compiled scan fits, the step is unrolled. A second derivative is refused.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikinggamma import functional, kernels
from spikinggamma.functional import BRFParameters, BRFState
from spikinggamma.nn.compiled.scans import fits_rows, recurrent_gradient, slopes, unrolled

__all__ = ["brf_sequence"]

Grads = tuple[Tensor | None, ...]


class _BRF(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        parameters: BRFParameters,
        drive: Tensor,
        growth: Tensor,
        rotation: Tensor,
        weight: Tensor,
        *state: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.parameters = parameters
        *parts, said = state
        start = BRFState(*parts)
        spikes, kept, after = kernels.brf_forward(parameters, (growth, rotation), weight, start, said, drive)
        ctx.save_for_backward(growth, rotation, weight, *start, said, spikes, kept)
        return spikes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        growth, rotation, weight, *parts, said, spikes, kept = ctx.saved_tensors
        parameters, start = ctx.parameters, BRFState(*parts)
        held = torch.cat([start.refractoriness.unsqueeze(0), kept[:-1, 2]])
        bumps = slopes(parameters.surrogate, kept[:, 0] - held - parameters.threshold)
        drive, on_factors, before, on_said = kernels.brf_adjoint(
            parameters, (growth, rotation), weight, start, kept, grad, bumps, BRFState(*after)
        )
        return None, drive, *on_factors, recurrent_gradient(weight, drive, said, spikes), *before, on_said


def brf_sequence(
    parameters: BRFParameters,
    state: BRFState,
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "N N"] | None = None,
    said: Float[Tensor, "B N"] | None = None,
) -> tuple[Float[Tensor, "T B N"], BRFState]:
    """Spikes, and the state after: `functional.brf_sequence`, with recurrent weights if given.

    Args:
        parameters: Of the neurons, ω and b' of [N].
        state: Before the first step.
        drive: From below.
        weight: R, what each neuron (row) hears of each (column), a step late; None for no recurrence.
        said: Spikes of the step before the first; None for none.

    Example:
        >>> p, zero = BRFParameters(torch.ones(2), torch.ones(2), 95.0, 1.0, 1.0, 1.0, "arctan", 10.0), torch.zeros(3, 2)
        >>> brf_sequence(p, BRFState(zero, zero, zero), torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not fits_rows(drive, weight, parameters.omega, parameters.damping, state):
        return unrolled(lambda before, u: functional.brf_step(parameters, before, u), state, drive, weight, said)
    heard = drive.new_zeros(0, drive.shape[2]) if weight is None else weight
    last = torch.zeros_like(drive[0]) if said is None else said
    factors = parameters.factors()
    learnt = (drive, *factors, heard, *state, last)
    if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in learnt)):
        spikes, _, after = kernels.brf_forward(parameters, factors, heard, state, last, drive, keep=False)
        return spikes, after
    spikes, *parts = _BRF.apply(parameters, *learnt)  # type: ignore[no-untyped-call]
    return spikes, BRFState(*parts)
