"""Adaptive LIF neurons of both forms over whole sequences, compiled, with a recurrence among them or without.

Numbers and gradients are those of `functional.adlif_sequence` and `functional.se_adlif_sequence`, to rounding: in the
drive, the recurrent weights, the neurons' own numbers, and in the state that goes in. Where no compiled scan fits, the step
is unrolled. A second derivative is refused.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikinggamma import functional, kernels
from spikinggamma.functional import (
    AdLIFFactors,
    AdLIFParameters,
    AdLIFState,
    SEAdLIFParameters,
    SEAdLIFState,
    Surrogate,
)
from spikinggamma.kernels import AdLIFReset
from spikinggamma.nn.compiled.scans import fits_rows, recurrent_gradient, slopes, unrolled

__all__ = ["adlif_sequence", "se_adlif_sequence"]

Grads = tuple[Tensor | None, ...]


class _AdLIF(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, reset: AdLIFReset, surrogate: str | Surrogate, drive: Tensor, *learnt: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.reset, ctx.surrogate = reset, surrogate
        *factors, weight, membrane, adaptation, said = learnt
        given = (AdLIFFactors(*factors), weight, (membrane, adaptation), said, drive)
        spikes, kept, after = kernels.adlif_forward(reset, *given)
        ctx.save_for_backward(*learnt, spikes, kept)
        return spikes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        *factors, weight, membrane, adaptation, said, spikes, kept = ctx.saved_tensors
        bumps = slopes(ctx.surrogate, kept[:, 0] - ctx.reset.threshold)
        forward = (ctx.reset, AdLIFFactors(*factors), weight, (membrane, adaptation), spikes, kept)
        drive, on_factors, before, on_said = kernels.adlif_adjoint(*forward, grad, bumps, after)
        return None, None, drive, *on_factors, recurrent_gradient(weight, drive, said, spikes), *before, on_said


def _run(
    parameters: AdLIFParameters | SEAdLIFParameters,
    reset: AdLIFReset,
    state: tuple[Tensor, Tensor],
    drive: Tensor,
    weight: Tensor | None,
    said: Tensor | None,
) -> tuple[Tensor, list[Tensor]]:
    heard = drive.new_zeros(0, drive.shape[2]) if weight is None else weight
    last = torch.zeros_like(drive[0]) if said is None else said
    factors = parameters.factors()
    learnt = (drive, *factors, heard, *state, last)
    if not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in learnt)):
        spikes, _, after = kernels.adlif_forward(reset, factors, heard, state, last, drive, keep=False)
        return spikes, after
    spikes, *after = _AdLIF.apply(reset, parameters.surrogate, *learnt)  # type: ignore[no-untyped-call]
    return spikes, after


def _fits(
    parameters: AdLIFParameters | SEAdLIFParameters, state: tuple[Tensor, Tensor], drive: Tensor, weight: Tensor | None
) -> bool:
    own = (parameters.tau_ms, parameters.adaptation_tau_ms, parameters.a, parameters.b)
    return fits_rows(drive, weight, *own, state)


def adlif_sequence(
    parameters: AdLIFParameters,
    state: AdLIFState,
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "N N"] | None = None,
    said: Float[Tensor, "B N"] | None = None,
) -> tuple[Float[Tensor, "T B N"], AdLIFState]:
    """Spikes, and the state after: `functional.adlif_sequence`, with recurrent weights if given.

    Args:
        parameters: Of the neurons, each number of [N].
        state: Before the first step.
        drive: From below.
        weight: R, what each neuron (row) hears of each (column), a step late; None for no recurrence.
        said: Spikes of the step before the first; None for none.

    Example:
        >>> one, zero = torch.ones(2), torch.zeros(3, 2)
        >>> p = AdLIFParameters(20.0 * one, 90.0 * one, one, one, 1.0, "arctan", 1.0, 1.0)
        >>> adlif_sequence(p, AdLIFState(zero, zero), torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not _fits(parameters, state, drive, weight):
        return unrolled(lambda before, u: functional.adlif_step(parameters, before, u), state, drive, weight, said)
    reset = AdLIFReset(parameters.threshold, 0.0, parameters.threshold)
    spikes, after = _run(parameters, reset, state, drive, weight, said)
    return spikes, AdLIFState(*after)


def se_adlif_sequence(
    parameters: SEAdLIFParameters,
    state: SEAdLIFState,
    drive: Float[Tensor, "T B N"],
    weight: Float[Tensor, "N N"] | None = None,
    said: Float[Tensor, "B N"] | None = None,
) -> tuple[Float[Tensor, "T B N"], SEAdLIFState]:
    """Spikes, and the state after: `functional.se_adlif_sequence`, with recurrent weights if given, as `adlif_sequence` has.

    Example:
        >>> one, zero = torch.ones(2), torch.zeros(3, 2)
        >>> p = SEAdLIFParameters(20.0 * one, 200.0 * one, one, one, 120.0, 1.0, "arctan", 1.0, 1.0)
        >>> se_adlif_sequence(p, SEAdLIFState(zero, zero), torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not _fits(parameters, state, drive, weight):
        return unrolled(lambda before, u: functional.se_adlif_step(parameters, before, u), state, drive, weight, said)
    spikes, after = _run(parameters, AdLIFReset(parameters.threshold, 1.0, 0.0), state, drive, weight, said)
    return spikes, SEAdLIFState(*after)
