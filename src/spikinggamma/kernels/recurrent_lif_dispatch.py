"""The compiled scans of recurrent LIF neurons: allocation, and the call, shared among threads.

Signals are [T, B, N], states [B, N], recurrent weights [N, N], of one element type.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spikinggamma.functional import AdaptiveLIFParameters, AdaptiveLIFState
from spikinggamma.kernels.allocation import constants_like, copies, transposed, work_of
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["recurrent_lif_adjoint", "recurrent_lif_forward"]


def recurrent_lif_forward(
    parameters: AdaptiveLIFParameters,
    weight: Tensor,
    state: AdaptiveLIFState,
    said: Tensor,
    drive: Tensor,
    *,
    keep: bool = True,
) -> tuple[Tensor, Tensor, AdaptiveLIFState]:
    """Run neurons over a sequence.

    Args:
        parameters: Of the neurons; without adaptation they are LIF neurons.
        weight: R, from the neuron of the column to that of the row.
        state: State before the first step.
        said: Spikes of the step before the first.
        drive: Input from below.
        keep: Whether x(t) of every step is wanted.

    Returns:
        Spikes; x(t), only one step of no meaning unless `keep`; the state after the last step.
    """
    from spikinggamma.kernels import recurrent_lif_cpu

    after, spikes = copies(*state), torch.empty_like(drive, memory_format=torch.contiguous_format)
    excess = torch.empty_like(spikes if keep else spikes[:1])
    lif = parameters.lif
    dynamics = (*lif.decays(), lif.threshold, parameters.adaptation, parameters.adaptation_decay())
    heard, outputs = arrays(transposed(weight), said), arrays(*after, spikes, excess)
    inputs = (*arrays(drive), *constants_like(drive, *dynamics))
    run_shared(recurrent_lif_cpu.recurrent_lif_forward, work_of(drive, weight), *inputs, *heard, *outputs)
    return spikes, excess, AdaptiveLIFState(*after)


def recurrent_lif_adjoint(
    parameters: AdaptiveLIFParameters, weight: Tensor, grad: Tensor, slope: Tensor, after: AdaptiveLIFState
) -> tuple[Tensor, AdaptiveLIFState, Tensor]:
    """Adjoint of `recurrent_lif_forward`.

    Args:
        parameters, weight: Of the forward pass.
        grad: ∂ℓ/∂s(t), without the effects of later steps.
        slope: ∂s/∂x of the surrogate at each step.
        after: ∂ℓ/∂ the state after the last step.

    Returns:
        ∂ℓ/∂u with the recurrent part of the drive; of the state and of the spikes before the first step.
    """
    from spikinggamma.kernels import recurrent_lif_cpu

    before, said = copies(*after), torch.zeros_like(after.membrane, memory_format=torch.contiguous_format)
    result = torch.empty_like(grad, memory_format=torch.contiguous_format)
    dynamics = (*parameters.lif.decays(), parameters.adaptation, parameters.adaptation_decay())
    inputs = (*arrays(grad, slope), *constants_like(grad, *dynamics))
    outputs = arrays(weight, said, *before, result)
    run_shared(recurrent_lif_cpu.recurrent_lif_adjoint, work_of(grad, weight), *inputs, *outputs)
    return result, AdaptiveLIFState(*before), said
