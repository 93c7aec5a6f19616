"""Compiled neurons with a surrogate gradient over whole sequences, which compute the same as the functional ones.

Each function has the name and the signature of one in `functional`, and returns the same numbers and gradients: with
respect to the drive and the initial state, and from the final state, so chunks of a sequence give the gradients of the
whole. If no compiled scan supports the input (another device or element type, or a choice of `kernels.use`), it calls
that function. In the backward pass one adjoint scan replaces autograd's graph of several operations per step.

For the backward pass one number is kept per step and cell, or none for the leaky integrator, and nothing without
gradients. The functions cannot be differentiated twice.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikinggamma import functional, kernels
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    AlphaState,
    LIFParameters,
    LIFState,
    SRMAlphaParameters,
    SRMAlphaState,
)
from spikinggamma.nn.compiled.scans import slopes

__all__ = [
    "adaptive_lif_sequence",
    "leaky_sequence",
    "lif_membranes",
    "lif_sequence",
    "srm_alpha_sequence",
]

Grads = tuple[Tensor | None, ...]


def _fits(state: tuple[Tensor, ...], drive: Tensor) -> bool:
    """Return whether a compiled scan supports these shapes; the functional neuron accepts or refuses all others."""
    shapes = drive.ndim == 3 and drive.numel() > 0 and all(part.shape == drive.shape[1:] for part in state)
    return shapes and kernels.has_scan(drive, *state)


def _learns(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


class _Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parameters: LIFParameters, drive: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        ctx.parameters = parameters
        membranes, after = kernels.leaky_forward(parameters, LIFState(*state), drive)
        return membranes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        drive, before = kernels.leaky_adjoint(ctx.parameters, grad, LIFState(*after))
        return None, drive, *before


class _LIF(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parameters: LIFParameters, drive: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        ctx.parameters = parameters
        spikes, excess, after = kernels.lif_forward(parameters, LIFState(*state), drive)
        ctx.save_for_backward(excess)
        return spikes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        on_x = slopes(ctx.parameters.surrogate, *ctx.saved_tensors).mul_(grad)
        drive, before = kernels.leaky_adjoint(ctx.parameters, on_x, LIFState(*after))
        return None, drive, *before


class _AdaptiveLIF(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parameters: AdaptiveLIFParameters, drive: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        ctx.parameters = parameters
        spikes, excess, after = kernels.adaptive_lif_forward(parameters, AdaptiveLIFState(*state), drive)
        ctx.save_for_backward(excess)
        return spikes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        bumps = slopes(ctx.parameters.lif.surrogate, *ctx.saved_tensors)
        drive, before = kernels.adaptive_lif_adjoint(ctx.parameters, grad, bumps, AdaptiveLIFState(*after))
        return None, drive, *before


class _SRMAlpha(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parameters: SRMAlphaParameters, drive: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        ctx.parameters = parameters
        spikes, excess, after = kernels.srm_alpha_forward(parameters, SRMAlphaState(*state), drive)
        ctx.save_for_backward(excess)
        return spikes, *after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *after: Tensor) -> Grads:
        p: SRMAlphaParameters = ctx.parameters
        slope = 1.0 / (p.surrogate_width * p.threshold)
        on_m = slopes("exponential", *ctx.saved_tensors, slope=slope, scale=p.surrogate_scale).mul_(grad)
        drive, synapse = kernels.alpha_adjoint(p.tau_ms, p.dt_ms, on_m, AlphaState(*after[:2]))
        refractory: Grads = (None, None)
        if any(ctx.needs_input_grad[4:]):
            on_r = on_m.mul_(-p.refractory_scale * p.threshold)
            _, refractory = kernels.alpha_adjoint(p.refractory_tau_ms, p.dt_ms, on_r, AlphaState(*after[2:]))
        return None, drive, *synapse, *refractory


def leaky_sequence(
    parameters: LIFParameters, state: LIFState, drive: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], LIFState]:
    """Return v(t) of a leaky integrator, [T, B, N], and the final state, like `functional.leaky_sequence`.

    Args:
        parameters: Time constants and time step.
        state: State before the first step.
        drive: [T, B, N].

    Example:
        >>> p, zero = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0), torch.zeros(3, 2)
        >>> leaky_sequence(p, LIFState(zero, zero), torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not _fits(state, drive):
        return functional.leaky_sequence(parameters, state, drive)
    if not _learns(drive, *state):
        return kernels.leaky_forward(parameters, state, drive)
    membranes, *after = _Leaky.apply(parameters, drive, *state)  # type: ignore[no-untyped-call]
    return membranes, LIFState(*after)


def lif_sequence(
    parameters: LIFParameters, state: LIFState, drive: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], LIFState]:
    """Return the spikes of LIF neurons, [T, B, N], and the final state, like `functional.lif_sequence`.

    Args:
        parameters: Time constants, threshold, surrogate and time step.
        state: State before the first step.
        drive: [T, B, N].

    Example:
        >>> p, zero = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0), torch.zeros(3, 2)
        >>> lif_sequence(p, LIFState(zero, zero), torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not _fits(state, drive):
        return functional.lif_sequence(parameters, state, drive)
    if not _learns(drive, *state):
        spikes, _, last = kernels.lif_forward(parameters, state, drive, keep=False)
        return spikes, last
    spikes, *after = _LIF.apply(parameters, drive, *state)  # type: ignore[no-untyped-call]
    return spikes, LIFState(*after)


@torch.no_grad()
def lif_membranes(
    parameters: LIFParameters, state: LIFState, drive: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"], LIFState]:
    """Run LIF neurons without gradients; return spikes, the membrane v⁻(t) before each reset, and the final state.

    Args:
        parameters: Time constants, threshold, surrogate and time step.
        state: State before the first step.
        drive: [T, B, N].

    Example:
        >>> p, zero = LIFParameters(10.0, 0.0, 1.0, "arctan", 1.0), torch.zeros(3, 2)
        >>> lif_membranes(p, LIFState(zero, zero), torch.ones(5, 3, 2))[1].shape
        torch.Size([5, 3, 2])
    """
    if _fits(state, drive):
        spikes, excess, after = kernels.lif_forward(parameters, state, drive)
        return spikes, excess + parameters.threshold, after
    said, membranes = [], []
    for u in drive.unbind(0):
        membranes.append(functional.leaky_step(parameters, state, u).membrane)
        out, state = functional.lif_step(parameters, state, u)
        said.append(out)
    return torch.stack(said), torch.stack(membranes), state


def adaptive_lif_sequence(
    parameters: AdaptiveLIFParameters, state: AdaptiveLIFState, drive: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], AdaptiveLIFState]:
    """Return the spikes of adaptive LIF neurons and the final state, like `functional.adaptive_lif_sequence`.

    Args:
        parameters: Those of a LIF neuron, and of the adaptation.
        state: State before the first step.
        drive: [T, B, N].

    Example:
        >>> lif, zero = LIFParameters(20.0, 5.0, 1.0, "fast_sigmoid", 1.0), torch.zeros(3, 2)
        >>> p, state = AdaptiveLIFParameters(lif, 0.1, 200.0), AdaptiveLIFState(zero, zero, zero)
        >>> adaptive_lif_sequence(p, state, torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not _fits(state, drive):
        return functional.adaptive_lif_sequence(parameters, state, drive)
    if not _learns(drive, *state):
        spikes, _, last = kernels.adaptive_lif_forward(parameters, state, drive, keep=False)
        return spikes, last
    spikes, *after = _AdaptiveLIF.apply(parameters, drive, *state)  # type: ignore[no-untyped-call]
    return spikes, AdaptiveLIFState(*after)


def srm_alpha_sequence(
    parameters: SRMAlphaParameters, state: SRMAlphaState, drive: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], SRMAlphaState]:
    """Return the spikes of SLAYER's neurons, [T, B, N], and the final state, like `functional.srm_alpha_sequence`.

    Args:
        parameters: Time constants, threshold, surrogate and time step.
        state: State before the first step.
        drive: [T, B, N].

    Example:
        >>> p, zero = SRMAlphaParameters(1.0, 1.0, 2.0, 1.0, 1.0, 1.0, dt_ms=1.0), torch.zeros(3, 2)
        >>> srm_alpha_sequence(p, SRMAlphaState(zero, zero, zero, zero), torch.ones(7, 3, 2))[0].shape
        torch.Size([7, 3, 2])
    """
    if not _fits(state, drive):
        return functional.srm_alpha_sequence(parameters, state, drive)
    if not _learns(drive, *state):
        spikes, _, last = kernels.srm_alpha_forward(parameters, state, drive, keep=False)
        return spikes, last
    spikes, *after = _SRMAlpha.apply(parameters, drive, *state)  # type: ignore[no-untyped-call]
    return spikes, SRMAlphaState(*after)
