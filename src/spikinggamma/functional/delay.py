"""Learnt axonal delays: the spikes of each neuron arrive later, by a delay of its own.

    d = delay / dt,    n = ⌊d⌋,    φ = d - n                       [N], in steps

| function | y(t) | ∂y(t)/∂delay, taken to be |
| --- | --- | --- |
| `fractional_delay` | (1 - φ) s(t-n) + φ s(t-n-1) | (s(t-n-1) - s(t-n)) / dt: exact, from the right where d is whole |
| `floored_delay` | s(t-n) | -(y(t) - y(t-1)) / dt: the finite difference of the output |

A fractional delay divides a spike between the two steps that its arrival falls between, so it has a gradient, and its
spikes are no longer 0 or 1. A floored one sends whole spikes and has no gradient (it is constant between steps, then jumps);
the second row is SLAYER's substitute, which equals that of the first row at the same n. For the input, both give the exact
gradient of what they compute.

Delays are in ms and do not depend on the step. A delay that falls short of a whole step by less than a rounding error of
float32 counts as whole.

Source: Shrestha and Orchard, SLAYER (NeurIPS 2018), arXiv 1810.08646, for axonal delays and the finite difference; Yu, Sun
and Goodman (arXiv 2507.16043) floor them. Interpolation is this library's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = [
    "DelayParameters",
    "DelayState",
    "clamp_delays_",
    "floored_delay_sequence",
    "floored_delay_step",
    "fractional_delay_sequence",
    "fractional_delay_step",
]

# Relative tolerance of a few roundings of float32 (1.2e-7 each), so that 0.3 ms at 0.1 ms per step are three steps, not two.
_ROUNDING = 1e-6


class DelayParameters(NamedTuple):
    """Axonal delays of a population at one time step.

    Attributes:
        delay_ms: One delay per neuron in ms, [N], within [0, max_delay_ms]; trained, and clamped after each update
            (`clamp_delays_`).
        max_delay_ms: Upper bound >= 0 in ms; it determines the length of the stored past for all delays.
        dt_ms: Time step in ms.
    """

    delay_ms: Float[Tensor, " N"]
    max_delay_ms: float
    dt_ms: float

    def validate(self) -> DelayParameters:
        """Return the parameters, checked.

        Raises:
            SpikingGammaError: A value is out of range, or a delay is out of its bounds.
        """
        if not (self.dt_ms > 0.0 and math.isfinite(self.dt_ms)):
            raise SpikingGammaError("dt_ms", self.dt_ms, "a positive, finite number")
        if not (self.max_delay_ms >= 0.0 and math.isfinite(self.max_delay_ms)):
            raise SpikingGammaError(
                "max_delay_ms", self.max_delay_ms, "zero (no delays) or a positive, finite time in ms"
            )
        if self.delay_ms.ndim != 1:
            raise SpikingGammaError("delay_ms", list(self.delay_ms.shape), "[N], one delay per neuron")
        known = self.delay_ms.detach()
        within = (known >= 0.0) & (known <= self.max_delay_ms * (1.0 + _ROUNDING))
        if not bool(within.all()):
            worst = int(torch.argmin(within.to(torch.int8)))
            raise SpikingGammaError(
                "delay_ms",
                f"{float(known[worst]):g} ms for neuron {worst}",
                f"delays from 0 to {self.max_delay_ms:g} ms",
                "Call clamp_delays_ after each step of the optimiser.",
            )
        return self

    def remembered_steps(self) -> int:
        """Return D = ⌊max_delay / dt⌋ + 1, the largest number of past steps that a delay needs."""
        return math.floor(self.max_delay_ms / self.dt_ms * (1.0 + _ROUNDING)) + 1

    def whole_steps(self) -> Float[Tensor, " N"]:
        """Return n = ⌊d⌋ as whole numbers in the delays' dtype, without gradient.

        It is clamped so that every read stays inside the past; this changes no delay that passes `validate`.

        Example:
            >>> DelayParameters(torch.tensor([0.0, 0.9, 2.5]), max_delay_ms=3.0, dt_ms=0.5).whole_steps()
            tensor([0., 1., 5.])
        """
        steps = self.delay_ms.detach() / self.dt_ms
        return (steps * (1.0 + _ROUNDING)).floor().clamp(0, self.remembered_steps() - 1)


class DelayState(NamedTuple):
    """The last D steps of the input, the oldest first, [D, B, N]; zero at the start of a recording."""

    past: Float[Tensor, "D B N"]


class _Arrivals(NamedTuple):
    """s(t-n) and s(t-n-1), [T, B, N], d and n, [N], and the final state."""

    near: Tensor
    far: Tensor
    steps: Tensor
    whole_steps: Tensor
    state: DelayState


def _arrivals(parameters: DelayParameters, state: DelayState, spikes: Tensor) -> _Arrivals:
    remembered = parameters.remembered_steps()
    wanted = (remembered, *spikes.shape[1:])
    if state.past.shape != wanted:
        raise SpikingGammaError(
            "state",
            f"a past of shape {list(state.past.shape)}",
            f"{list(wanted)} for this input, step and bound",
            "A state belongs to the batch, the time step and the bound that made it.",
        )
    history = torch.cat([state.past, spikes])
    steps = parameters.delay_ms / parameters.dt_ms
    whole = parameters.whole_steps()
    time = torch.arange(remembered, len(history), device=spikes.device).view(-1, 1, 1)
    index = time - whole.long()
    near, far = (history.gather(0, at.expand(spikes.shape)) for at in (index, index - 1))
    # A copy: a view would keep the whole sequence in memory.
    return _Arrivals(near, far, steps, whole, DelayState(history[len(spikes) :].clone()))


def fractional_delay_sequence(
    parameters: DelayParameters, state: DelayState, spikes: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], DelayState]:
    """Delay a sequence by linear interpolation between steps; the gradient is exact.

    Args:
        parameters: The delays.
        state: Past spikes.
        spikes: s, [T, B, N].

    Raises:
        SpikingGammaError: The state belongs to another batch, time step or bound.

    Example:
        >>> p, spike = DelayParameters(torch.tensor([1.5]), max_delay_ms=2.0, dt_ms=1.0), torch.eye(4)[:, :1]
        >>> y, _ = fractional_delay_sequence(p, DelayState(torch.zeros(3, 1, 1)), spike.unsqueeze(2))
        >>> y.flatten()
        tensor([0.0000, 0.5000, 0.5000, 0.0000])
    """
    near, far, steps, whole, after = _arrivals(parameters, state, spikes)
    return near + (steps - whole) * (far - near), after


def fractional_delay_step(
    parameters: DelayParameters, state: DelayState, spikes: Float[Tensor, "B N"]
) -> tuple[Float[Tensor, "B N"], DelayState]:
    """Run one step of `fractional_delay_sequence`: return y(t) for s(t), and the state with the past moved by one step.

    Args:
        parameters: The delays.
        state: Past spikes.
        spikes: s(t), [B, N].
    """
    arrived, after = fractional_delay_sequence(parameters, state, spikes.unsqueeze(0))
    return arrived.squeeze(0), after


def floored_delay_sequence(
    parameters: DelayParameters, state: DelayState, spikes: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], DelayState]:
    """Delay a sequence by whole steps, without the fraction; the gradient of the delay is SLAYER's finite difference.

        ∂ℓ/∂delay = Σ_t Σ_B ∂ℓ/∂y(t) · -(y(t) - y(t-1)) / dt

    Args:
        parameters: The delays.
        state: Past spikes.
        spikes: s, [T, B, N].

    Raises:
        SpikingGammaError: The state belongs to another batch, time step or bound.

    Example:
        >>> p, spike = DelayParameters(torch.tensor([1.5]), max_delay_ms=2.0, dt_ms=1.0), torch.eye(4)[:, :1]
        >>> y, _ = floored_delay_sequence(p, DelayState(torch.zeros(3, 1, 1)), spike.unsqueeze(2))
        >>> y.flatten()
        tensor([0., 1., 0., 0.])
    """
    near, far, steps, _, after = _arrivals(parameters, state, spikes)
    # The value does not change: the difference is zero and has the derivative 1.
    return near + (steps - steps.detach()) * (far - near).detach(), after


def floored_delay_step(
    parameters: DelayParameters, state: DelayState, spikes: Float[Tensor, "B N"]
) -> tuple[Float[Tensor, "B N"], DelayState]:
    """Run one step of `floored_delay_sequence`: return y(t) for s(t), and the state with the past moved by one step.

    Args:
        parameters: The delays.
        state: Past spikes.
        spikes: s(t), [B, N].
    """
    arrived, after = floored_delay_sequence(parameters, state, spikes.unsqueeze(0))
    return arrived.squeeze(0), after


@torch.no_grad()
def clamp_delays_(delay_ms: Float[Tensor, "*delays"], max_delay_ms: float) -> Float[Tensor, "*delays"]:
    """Clamp delays to [0, max_delay_ms] in place; call it after each optimiser step.

    Example:
        >>> clamp_delays_(torch.tensor([-1.0, 3.0, 20.0]), 15.0)
        tensor([ 0.,  3., 15.])
    """
    return delay_ms.clamp_(0.0, max_delay_ms)
