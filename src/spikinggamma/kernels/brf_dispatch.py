"""The compiled scans of balanced resonate-and-fire neurons: allocation, and the call, shared among threads.

Signals are [T, B, N], states [B, N], a neuron's own numbers [N], of one element type; recurrent weights [N, N] or [0, N].
"""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.functional import BRFParameters, BRFState
from spikinggamma.kernels.allocation import constants_like, copies, transposed, work_of
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["brf_adjoint", "brf_forward"]


def brf_forward(
    parameters: BRFParameters,
    factors: tuple[Tensor, Tensor],
    weight: Tensor,
    state: BRFState,
    said: Tensor,
    drive: Tensor,
    *,
    keep: bool = True,
) -> tuple[Tensor, Tensor, BRFState]:
    """Run neurons over a sequence.

    Args:
        parameters: Of which only the constants are used.
        factors: `parameters.factors()`, [N] each.
        weight: R, what each neuron (row) hears of each (column).
        state: Before the first step.
        said: Spikes of the step before the first.
        drive: From below.
        keep: Whether the state after every step is wanted.

    Returns:
        Spikes; the state after every step [T, 3, B, N], only one step of no meaning unless `keep`; the state after the last.
    """
    from spikinggamma.kernels import brf_cpu

    after, spikes = copies(*state), torch.empty_like(drive, memory_format=torch.contiguous_format)
    kept = drive.new_empty(len(drive) if keep else 1, 3, *drive.shape[1:])
    constants = constants_like(drive, *parameters.constants(), parameters.threshold)
    inputs, heard = arrays(drive, *factors), arrays(transposed(weight), said)
    run_shared(brf_cpu.brf_forward, work_of(drive, weight), *inputs, *constants, *heard, *arrays(*after, spikes, kept))
    return spikes, kept, BRFState(*after)


def brf_adjoint(
    parameters: BRFParameters,
    factors: tuple[Tensor, Tensor],
    weight: Tensor,
    start: BRFState,
    kept: Tensor,
    grad: Tensor,
    slope: Tensor,
    after: BRFState,
) -> tuple[Tensor, tuple[Tensor, Tensor], BRFState, Tensor]:
    """Adjoint of `brf_forward`.

    Args:
        parameters, factors, weight: Of the forward pass.
        start: State before its first step.
        kept: What it kept.
        grad: ∂ℓ/∂s(t), but for what later steps are to blame for.
        slope: ∂s/∂x of the surrogate at each step.
        after: ∂ℓ/∂ the state after the last step.

    Returns:
        ∂ℓ/∂u with the recurrent part of the drive; of each factor; of the state and of the spikes before the first step.
    """
    from spikinggamma.kernels import brf_cpu

    before, said = copies(*after), torch.zeros_like(after.real, memory_format=torch.contiguous_format)
    result = torch.empty_like(grad, memory_format=torch.contiguous_format)
    sums = grad.new_empty(2, *grad.shape[1:])
    inputs = arrays(grad, slope, kept, torch.stack(tuple(start)), *factors)
    constants = constants_like(grad, *parameters.constants())
    outputs = arrays(weight, said, *before, sums[0], sums[1], result)
    run_shared(brf_cpu.brf_adjoint, work_of(grad, weight), *inputs, *constants, *outputs)
    return result, (sums[0].sum(0), sums[1].sum(0)), BRFState(*before), said
