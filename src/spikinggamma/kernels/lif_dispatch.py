"""The compiled scans of neurons with a surrogate gradient: allocation of results and calls in threads.

Unlike those of `dispatch`, these have no plain form of their own: that is the functional neuron under autograd. A caller
asks `has_scan` first, and goes that way where it says no. Where Triton is chosen, `triton_cells` does it.
Signals are [T, B, N], states [B, N], of one element type.
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
from spikinggamma.kernels.dispatch import is_compiled, with_triton
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
    """Return whether these tensors suit a compiled scan, by device and element type, and `use` chose no other."""
    first = tensors[0]
    return all(one.dtype == first.dtype and one.device == first.device for one in tensors) and is_compiled(first)


def _cells(*tensors: Tensor) -> tuple[object, ...]:
    """Return arrays [T, B N] of signals, which share memory with contiguous ones."""
    return arrays(*(tensor.flatten(1) for tensor in tensors))


def _flat(state: list[Tensor]) -> tuple[object, ...]:
    """Return arrays [B N] of a state, in shared memory."""
    return tuple(part.view(-1).numpy() for part in state)


def _room(drive: Tensor, keep: bool) -> tuple[Tensor, Tensor]:
    """Return empty tensors for spikes [T, B, N], and for x(t) at every step or at one step."""
    spikes = torch.empty_like(drive, memory_format=torch.contiguous_format)
    return spikes, torch.empty_like(spikes if keep else spikes[:1])


@with_triton("triton_cells")
def leaky_forward(parameters: LIFParameters, state: LIFState, drive: Tensor) -> tuple[Tensor, LIFState]:
    """Return v(t) of a leaky integrator at every step, and the final state.

    Args:
        parameters: Time constants and time step.
        state: State before the first step.
        drive: [T, B, N].
    """
    from spikinggamma.kernels import lif_cpu

    after, membranes = copies(*state), torch.empty_like(drive, memory_format=torch.contiguous_format)
    constants = constants_like(drive, *parameters.decays())
    run_shared(lif_cpu.leaky_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *_cells(membranes))
    return membranes, LIFState(*after)


@with_triton("triton_cells")
def lif_forward(
    parameters: LIFParameters, state: LIFState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, LIFState]:
    """Run LIF neurons over a sequence.

    Args:
        parameters: Time constants, threshold and time step.
        state: State before the first step.
        drive: [T, B, N].
        keep: Whether to keep x(t).

    Returns:
        Spikes; x(t) = v⁻(t) - threshold at every step, or one meaningless step unless `keep`; and the final state.
    """
    from spikinggamma.kernels import lif_cpu

    after, (spikes, excess) = copies(*state), _room(drive, keep)
    constants = constants_like(drive, *parameters.decays(), parameters.threshold)
    run_shared(lif_cpu.lif_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *_cells(spikes, excess))
    return spikes, excess, LIFState(*after)


@with_triton("triton_cells")
def leaky_adjoint(parameters: LIFParameters, grad: Tensor, after: LIFState) -> tuple[Tensor, LIFState]:
    """Return the adjoint of `leaky_forward`, and of x in `lif_forward`.

    Args:
        parameters: Those of the forward pass.
        grad: ∂ℓ/∂v⁻(t), without the effects on later steps.
        after: ∂ℓ/∂ of the final state.

    Returns:
        ∂ℓ/∂u, and ∂ℓ/∂ of the initial state.
    """
    from spikinggamma.kernels import lif_cpu

    before, result = copies(*after), torch.empty_like(grad, memory_format=torch.contiguous_format)
    constants = constants_like(grad, *parameters.decays())
    run_shared(lif_cpu.leaky_adjoint, grad.numel(), *_cells(grad), *constants, *_flat(before), *_cells(result))
    return result, LIFState(*before)


@with_triton("triton_cells")
def adaptive_lif_forward(
    parameters: AdaptiveLIFParameters, state: AdaptiveLIFState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, AdaptiveLIFState]:
    """Run adaptive LIF neurons over a sequence, as `lif_forward`, with x(t) relative to the threshold of its step.

    Args:
        parameters: Those of a LIF neuron, and of the adaptation.
        state: State before the first step.
        drive: [T, B, N].
        keep: Whether to keep x(t).
    """
    from spikinggamma.kernels import lif_cpu

    after, (spikes, excess) = copies(*state), _room(drive, keep)
    lif = parameters.lif
    constants = constants_like(
        drive, *lif.decays(), lif.threshold, parameters.adaptation, parameters.adaptation_decay()
    )
    outputs = _cells(spikes, excess)
    run_shared(lif_cpu.adaptive_lif_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *outputs)
    return spikes, excess, AdaptiveLIFState(*after)


@with_triton("triton_cells")
def adaptive_lif_adjoint(
    parameters: AdaptiveLIFParameters, grad: Tensor, slope: Tensor, after: AdaptiveLIFState
) -> tuple[Tensor, AdaptiveLIFState]:
    """Return the adjoint of `adaptive_lif_forward`.

    Args:
        parameters: Those of the forward pass.
        grad: ∂ℓ/∂s(t), without the effects on later steps.
        slope: ∂s/∂x of the surrogate at each step.
        after: ∂ℓ/∂ of the final state.

    Returns:
        ∂ℓ/∂u, and ∂ℓ/∂ of the initial state.
    """
    from spikinggamma.kernels import lif_cpu

    before, result = copies(*after), torch.empty_like(grad, memory_format=torch.contiguous_format)
    constants = constants_like(grad, *parameters.lif.decays(), parameters.adaptation, parameters.adaptation_decay())
    inputs = _cells(grad, slope)
    run_shared(lif_cpu.adaptive_lif_adjoint, grad.numel(), *inputs, *constants, *_flat(before), *_cells(result))
    return result, AdaptiveLIFState(*before)


def alpha_constants(tau_ms: float, dt_ms: float) -> tuple[float, float]:
    """Return the decay per step of an alpha function, and its gain e dt/τ."""
    return math.exp(-dt_ms / tau_ms), math.e * dt_ms / tau_ms


def srm_alpha_constants(parameters: SRMAlphaParameters) -> tuple[float, ...]:
    """Return decay and gain of the synapse and of refractoriness, the depth of that, and the threshold."""
    return (
        *alpha_constants(parameters.tau_ms, parameters.dt_ms),
        *alpha_constants(parameters.refractory_tau_ms, parameters.dt_ms),
        parameters.refractory_scale * parameters.threshold,
        parameters.threshold,
    )


@with_triton("triton_cells")
def srm_alpha_forward(
    parameters: SRMAlphaParameters, state: SRMAlphaState, drive: Tensor, *, keep: bool = True
) -> tuple[Tensor, Tensor, SRMAlphaState]:
    """Run SLAYER's neurons over a sequence, as `lif_forward`, with x(t) = m(t) - threshold.

    Args:
        parameters: Time constants, threshold and time step.
        state: State before the first step.
        drive: [T, B, N].
        keep: Whether to keep x(t).
    """
    from spikinggamma.kernels import srm_alpha_cpu

    after, (spikes, excess) = copies(*state), _room(drive, keep)
    constants = constants_like(drive, *srm_alpha_constants(parameters))
    outputs = _cells(spikes, excess)
    run_shared(srm_alpha_cpu.srm_alpha_forward, drive.numel(), *_cells(drive), *constants, *_flat(after), *outputs)
    return spikes, excess, SRMAlphaState(*after)


@with_triton("triton_cells")
def alpha_adjoint(tau_ms: float, dt_ms: float, grad: Tensor, after: AlphaState) -> tuple[Tensor, AlphaState]:
    """Return the adjoint of a sum of alpha functions: ∂ℓ/∂u(t), and ∂ℓ/∂ of the initial state.

    Args:
        tau_ms: Time constant in ms.
        dt_ms: Time step in ms.
        grad: ∂ℓ/∂a(t).
        after: ∂ℓ/∂ of the final state.
    """
    from spikinggamma.kernels import srm_alpha_cpu

    before, result = copies(*after), torch.empty_like(grad, memory_format=torch.contiguous_format)
    constants = constants_like(grad, *alpha_constants(tau_ms, dt_ms))
    run_shared(srm_alpha_cpu.alpha_adjoint, grad.numel(), *_cells(grad), *constants, *_flat(before), *_cells(result))
    return result, AlphaState(*before)
