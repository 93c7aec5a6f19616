"""The compiled scans of adaptive LIF neurons with factors of their own: allocation, and the call, shared among threads.

Signals are [T, B, N], states [B, N], a neuron's own numbers [N], of one element type; recurrent weights [N, N] or [0, N].
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.functional import AdLIFFactors
from spikinggamma.kernels.allocation import constants_like, copies, transposed, work_of
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["AdLIFReset", "adlif_adjoint", "adlif_forward"]


class AdLIFReset(NamedTuple):
    """The threshold, the share of the membrane that a spike erases, and what it takes from it."""

    threshold: float
    erased: float
    dropped: float


def adlif_forward(
    reset: AdLIFReset,
    factors: AdLIFFactors,
    weight: Tensor,
    state: tuple[Tensor, Tensor],
    said: Tensor,
    drive: Tensor,
    *,
    keep: bool = True,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run neurons over a sequence.

    Args:
        reset: Of the form.
        factors: Of each neuron, [N].
        weight: R, what each neuron (row) hears of each (column).
        state: Membrane and adaptation before the first step.
        said: Spikes of the step before the first.
        drive: From below.
        keep: Whether what a backward pass needs is wanted.

    Returns:
        Spikes; û and w of every step [T, 2, B, N], only one step of no meaning unless `keep`; the state after the last.
    """
    from spikinggamma.kernels import adlif_cpu

    after, spikes = copies(*state), torch.empty_like(drive, memory_format=torch.contiguous_format)
    kept = drive.new_empty(len(drive) if keep else 1, 2, *drive.shape[1:])
    inputs, heard = arrays(drive, *factors), arrays(transposed(weight), said)
    outputs = arrays(*after, spikes, kept)
    work = work_of(drive, weight)
    run_shared(adlif_cpu.adlif_forward, work, *inputs, *constants_like(drive, *reset), *heard, *outputs)
    return spikes, kept, after


def adlif_adjoint(
    reset: AdLIFReset,
    factors: AdLIFFactors,
    weight: Tensor,
    start: tuple[Tensor, ...],
    spikes: Tensor,
    kept: Tensor,
    grad: Tensor,
    slope: Tensor,
    after: tuple[Tensor, ...],
) -> tuple[Tensor, AdLIFFactors, list[Tensor], Tensor]:
    """Adjoint of `adlif_forward`.

    Args:
        reset, factors, weight: Of the forward pass.
        start: State before its first step.
        spikes, kept: What it gave.
        grad: ∂ℓ/∂s(t), but for what later steps are to blame for.
        slope: ∂s/∂x of the surrogate at each step.
        after: ∂ℓ/∂ the state after the last step.

    Returns:
        ∂ℓ/∂u with the recurrent part of the drive; of each factor; of the state and of the spikes before the first step.
    """
    from spikinggamma.kernels import adlif_cpu

    before, said = copies(*after), torch.zeros_like(after[0], memory_format=torch.contiguous_format)
    result = torch.empty_like(grad, memory_format=torch.contiguous_format)
    sums = grad.new_empty(4, *grad.shape[1:])
    inputs = arrays(grad, slope, spikes, kept, torch.stack(start), *factors)
    constants = constants_like(grad, reset.erased, reset.dropped)
    outputs = arrays(weight, said, *before, sums, result)
    run_shared(adlif_cpu.adlif_adjoint, work_of(grad, weight), *inputs, *constants, *outputs)
    return result, AdLIFFactors(*sums.sum(1).unbind(0)), before, said
