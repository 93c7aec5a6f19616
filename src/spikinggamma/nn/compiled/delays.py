"""Compiled delays over whole sequences, which compute the same as the functional ones.

Each function has the name and the signature of one in `functional`, and returns the same numbers and gradients: with
respect to the delays, the input and the initial state, and from the final state. If no compiled scan supports the input
or the state, it calls that function. It cannot be differentiated twice.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikinggamma import functional, kernels
from spikinggamma.functional import DelayParameters, DelayState

__all__ = ["floored_delay_sequence", "fractional_delay_sequence"]

Grads = tuple[Tensor | None, ...]


def _fits(parameters: DelayParameters, state: DelayState, spikes: Tensor) -> bool:
    """Return whether a compiled scan supports these shapes; the functional delay accepts or refuses all others."""
    past, delay_ms = state.past, parameters.delay_ms
    shapes = spikes.ndim == 3 and spikes.numel() > 0 and delay_ms.shape == spikes.shape[2:]
    wanted = (parameters.remembered_steps(), *spikes.shape[1:])
    return shapes and past.shape == wanted and kernels.has_scan(spikes, past, delay_ms)


def _scan(whole: Tensor, fraction: Tensor, past: Tensor, spikes: Tensor) -> tuple[Tensor, Tensor]:
    arrived = kernels.delay_forward(past, spikes, whole, fraction)
    last = spikes[-len(past) :]
    # A copy: a view would keep the whole sequence in memory.
    return arrived, torch.cat([past[len(last) :], last])


class _Delay(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, dt_ms: float, whole: Tensor, fraction: Tensor, delay_ms: Tensor, past: Tensor, spikes: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.dt_ms = dt_ms
        ctx.save_for_backward(whole, fraction, past, spikes)
        return _scan(whole, fraction, past, spikes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, after: Tensor) -> Grads:
        whole, fraction, past, spikes = ctx.saved_tensors
        delay_grad = past_grad = spikes_grad = None
        if ctx.needs_input_grad[3]:
            delay_grad = kernels.delay_products(past, spikes, grad, whole) / ctx.dt_ms
        if any(ctx.needs_input_grad[4:]):
            past_grad, spikes_grad = kernels.delay_adjoint(grad, whole, fraction, len(past))
            known = min(len(past), len(spikes))
            spikes_grad[len(spikes) - known :] += after[len(past) - known :]
            past_grad[known:] += after[: len(past) - known]
        return None, None, None, delay_grad, past_grad, spikes_grad


def _delayed(
    parameters: DelayParameters, state: DelayState, spikes: Tensor, whole: Tensor, fraction: Tensor
) -> tuple[Tensor, DelayState]:
    learned = (parameters.delay_ms, state.past, spikes)
    whole = whole.long().clamp(0, len(state.past) - 1)  # in bounds even if the delay is NaN, which makes y(t) NaN
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in learned):
        arrived, after = _Delay.apply(parameters.dt_ms, whole, fraction, *learned)  # type: ignore[no-untyped-call]
    else:
        arrived, after = _scan(whole, fraction, state.past, spikes)
    return arrived, DelayState(after)


def fractional_delay_sequence(
    parameters: DelayParameters, state: DelayState, spikes: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], DelayState]:
    """Delay spikes by linear interpolation between steps, like `functional.fractional_delay_sequence`.

    Args:
        parameters: Delays, bound and time step.
        state: Past spikes.
        spikes: [T, B, N].

    Raises:
        SpikingGammaError: The state belongs to another batch, time step or bound.

    Example:
        >>> p, spike = DelayParameters(torch.tensor([1.5]), max_delay_ms=2.0, dt_ms=1.0), torch.eye(4)[:, :1]
        >>> y, _ = fractional_delay_sequence(p, DelayState(torch.zeros(3, 1, 1)), spike.unsqueeze(2))
        >>> y.flatten()
        tensor([0.0000, 0.5000, 0.5000, 0.0000])
    """
    if not _fits(parameters, state, spikes):
        return functional.fractional_delay_sequence(parameters, state, spikes)
    whole = parameters.whole_steps()
    fraction = parameters.delay_ms.detach() / parameters.dt_ms - whole
    return _delayed(parameters, state, spikes, whole, fraction)


def floored_delay_sequence(
    parameters: DelayParameters, state: DelayState, spikes: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], DelayState]:
    """Delay spikes by whole steps with SLAYER's gradient, like `functional.floored_delay_sequence`.

    Args:
        parameters: Delays, bound and time step.
        state: Past spikes.
        spikes: [T, B, N].

    Raises:
        SpikingGammaError: The state belongs to another batch, time step or bound.

    Example:
        >>> p, spike = DelayParameters(torch.tensor([1.5]), max_delay_ms=2.0, dt_ms=1.0), torch.eye(4)[:, :1]
        >>> y, _ = floored_delay_sequence(p, DelayState(torch.zeros(3, 1, 1)), spike.unsqueeze(2))
        >>> y.flatten()
        tensor([0., 1., 0., 0.])
    """
    if not _fits(parameters, state, spikes):
        return functional.floored_delay_sequence(parameters, state, spikes)
    whole = parameters.whole_steps()
    return _delayed(parameters, state, spikes, whole, whole - whole)
