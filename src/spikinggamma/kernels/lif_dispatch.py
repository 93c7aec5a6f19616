"""The compiled scans of the neurons with a surrogate gradient: allocation, and the call, shared among threads.

Unlike those of `dispatch`, these have no plain form of their own: that is the functional neuron under autograd. A caller
asks `has_compiled` first, and goes that way where it says no. Signals are [T, B, N], states [B, N], of one element type.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    AlphaState,
    LIFParameters,
    LIFState,
    SRMAlphaParameters,
    SRMAlphaState,
)
from spikinggamma.kernels.allocation import constants_like, copies
from spikinggamma.kernels.dispatch import is_compiled
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = [
    "adaptive_lif_adjoint",
    "adaptive_lif_forward",
    "alpha_adjoint",
    "has_compiled",
    "leaky_adjoint",
    "leaky_forward",
    "lif_forward",
    "srm_alpha_forward",
]


def has_compiled(*tensors: Tensor) -> bool:
    """Whether a scan over these is to be compiled: one device and element type that allow it, and no other choice made."""
    first = tensors[0]
    return all(one.dtype == first.dtype and one.device == first.device for one in tensors) and is_compiled(first)


def _cells(*tensors: Tensor) -> tuple[object, ...]:
    """Arrays [T, B N] of signals, sharing memory with those that are contiguous."""
    return arrays(*(tensor.flatten(1) for tensor in tensors))


def _flat(state: list[Tensor]) -> tuple[object, ...]:
    """Arrays [B N] of a state, in shared memory."""
    return tuple(part.view(-1).numpy() for part in state)


def _room(drive: Tensor, keep: bool) -> tuple[Tensor, Tensor]:
    """Spikes [T, B, N], and x(t) at every step, or room for one."""
    spikes = torch.empty_like(drive, memory_format=torch.contiguous_format)
    return spikes, torch.empty_like(spikes if keep else spikes[:1])


def leaky_forward(parameters: LIFParameters, state: LIFState, drive: Tensor) -> tuple[Tensor, LIFState]:
    """v(t) of a leaky integrator at every step, and the state after the last."""
    from spikinggamma.kernels import lif_cpu

    after, membranes = copies(*state), torch.empty_like(drive, memory_format=torch.contiguous_format)
    constants = constants_like(drive, *parameters.decays())
    run_shared(lif_cpu.leaky_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *_cells(membranes))
    return membranes, LIFState(*after)


def lif_forward(
    parameters: LIFParameters, state: LIFState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, LIFState]:
    """A LIF over a sequence.

    Returns:
        Spikes; x(t) = v⁻(t) - threshold at every step, only one step of no meaning unless `keep`; the state after.
    """
    from spikinggamma.kernels import lif_cpu

    after, (spikes, excess) = copies(*state), _room(drive, keep)
    constants = constants_like(drive, *parameters.decays(), parameters.threshold)
    run_shared(lif_cpu.lif_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *_cells(spikes, excess))
    return spikes, excess, LIFState(*after)


def leaky_adjoint(parameters: LIFParameters, grad: Tensor, after: LIFState) -> tuple[Tensor, LIFState]:
    """Adjoint of `leaky_forward`, and of `lif_forward` in x.

    Args:
        parameters: Of the forward pass.
        blame: ∂ℓ/∂v⁻(t), but for what later steps are to blame for.
        after: ∂ℓ/∂ the state after the last step.

    Returns:
        ∂ℓ/∂u, and ∂ℓ/∂ the state before the first step.
    """
    from spikinggamma.kernels import lif_cpu

    before, result = copies(*after), torch.empty_like(grad, memory_format=torch.contiguous_format)
    constants = constants_like(grad, *parameters.decays())
    run_shared(lif_cpu.leaky_adjoint, grad.numel(), *_cells(grad), *constants, *_flat(before), *_cells(result))
    return result, LIFState(*before)


def adaptive_lif_forward(
    parameters: AdaptiveLIFParameters, state: AdaptiveLIFState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, AdaptiveLIFState]:
    """An adaptive LIF over a sequence: as `lif_forward`, with x(t) above the threshold of its step."""
    from spikinggamma.kernels import lif_cpu

    after, (spikes, excess) = copies(*state), _room(drive, keep)
    lif = parameters.lif
    constants = constants_like(
        drive, *lif.decays(), lif.threshold, parameters.adaptation, parameters.adaptation_decay()
    )
    outputs = _cells(spikes, excess)
    run_shared(lif_cpu.adaptive_lif_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *outputs)
    return spikes, excess, AdaptiveLIFState(*after)


def adaptive_lif_adjoint(
    parameters: AdaptiveLIFParameters, grad: Tensor, slope: Tensor, after: AdaptiveLIFState
) -> tuple[Tensor, AdaptiveLIFState]:
    """Adjoint of `adaptive_lif_forward`.

    Args:
        parameters: Of the forward pass.
        blame: ∂ℓ/∂s(t), but for what later steps are to blame for.
        slope: ∂s/∂x of the surrogate at each step.
        after: ∂ℓ/∂ the state after the last step.

    Returns:
        ∂ℓ/∂u, and ∂ℓ/∂ the state before the first step.
    """
    from spikinggamma.kernels import lif_cpu

    before, result = copies(*after), torch.empty_like(grad, memory_format=torch.contiguous_format)
    constants = constants_like(grad, *parameters.lif.decays(), parameters.adaptation, parameters.adaptation_decay())
    inputs = _cells(grad, slope)
    run_shared(lif_cpu.adaptive_lif_adjoint, grad.numel(), *inputs, *constants, *_flat(before), *_cells(result))
    return result, AdaptiveLIFState(*before)


def _alpha_constants(tau_ms: float, dt_ms: float) -> tuple[float, float]:
    return math.exp(-dt_ms / tau_ms), math.e * dt_ms / tau_ms


def srm_alpha_forward(
    parameters: SRMAlphaParameters, state: SRMAlphaState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, SRMAlphaState]:
    """SLAYER's neuron over a sequence: as `lif_forward`, with x(t) = m(t) - threshold."""
    from spikinggamma.kernels import srm_alpha_cpu

    after, (spikes, excess) = copies(*state), _room(drive, keep)
    constants = constants_like(
        drive,
        *_alpha_constants(parameters.tau_ms, parameters.dt_ms),
        *_alpha_constants(parameters.refractory_tau_ms, parameters.dt_ms),
        parameters.refractory_scale * parameters.threshold,
        parameters.threshold,
    )
    outputs = _cells(spikes, excess)
    run_shared(srm_alpha_cpu.srm_alpha_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *outputs)
    return spikes, excess, SRMAlphaState(*after)


def alpha_adjoint(tau_ms: float, dt_ms: float, grad: Tensor, after: AlphaState) -> tuple[Tensor, AlphaState]:
    """Adjoint of a sum of alpha functions: ∂ℓ/∂a(t) and ∂ℓ/∂ the state after, to ∂ℓ/∂u(t) and ∂ℓ/∂ the state before."""
    from spikinggamma.kernels import srm_alpha_cpu

    before, result = copies(*after), torch.empty_like(grad, memory_format=torch.contiguous_format)
    constants = constants_like(grad, *_alpha_constants(tau_ms, dt_ms))
    run_shared(srm_alpha_cpu.alpha_adjoint, grad.numel(), *_cells(grad), *constants, *_flat(before), *_cells(result))
    return result, AlphaState(*before)
