"""SLAYER's neuron: a spike response model with alpha functions for the synapse and for the refractory response.

    ε_τ(t) = (t/τ) e^{1 - t/τ},    t >= 0                      rises from 0 to its peak of 1 at t = τ
    a(t)   = Σ_{t' <= t} u(t') ε_{τ_s}(t - t')                  response to the drive u = W s_in
    r(t)   = Σ_{t' < t}  s(t') ε_{τ_r}(t - t')                  refractory response, to its own spikes
    m(t)   = a(t) - c_r ϑ r(t)                                 membrane
    s(t)   = H(m(t) - ϑ)                                       at most one spike a step

An alpha function is two leaky filters in sequence, so its sum over the past is kept in two numbers. With d = e^{-dt/τ}, a
unit impulse at step 0 leaves a trace p = dⁿ at step n, and

    a(t) = d (a(t-1) + e (dt/τ) p(t-1)),    p(t) = d p(t-1) + u(t)

gives a = e (dt/τ) n dⁿ = ε_τ(n dt): if it holds at n, a(n+1) = d (e (dt/τ) n dⁿ + e (dt/τ) dⁿ) = e (dt/τ) (n+1) dⁿ⁺¹. The
kernel is thus exact at every grid time, at any dt, and nothing is multiplied by dt: a drive of 1 is one spike. As
ε(0) = 0, a drive takes effect one step later, and so does the refractory response to a spike.

In the backward pass H has the `exponential` surrogate c_ρ / (τ_ρ ϑ) exp(-|m - ϑ| / (τ_ρ ϑ)), and the refractory response
passes no gradient. This is SLAYER's rule, in which an error is propagated back only by ρ(m) and the correlation with ε.
SLAYER cuts its kernels off when they fall below 0.01; these are not cut off.

Source: Shrestha and Orchard, SLAYER (NeurIPS 2018), arXiv 1810.08646, with the names of its released neuron `SRMALPHA`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.surrogate import exponential

__all__ = [
    "AlphaState",
    "SRMAlphaParameters",
    "SRMAlphaState",
    "alpha_sequence",
    "alpha_step",
    "srm_alpha_sequence",
    "srm_alpha_step",
]


class AlphaState(NamedTuple):
    """Trace p of the first filter and value a of the second, of the same shape; zero at the start of a recording."""

    trace: Float[Tensor, " *cells"]
    value: Float[Tensor, " *cells"]


class SRMAlphaParameters(NamedTuple):
    """Parameters of a population of neurons at one time step.

    Attributes:
        tau_ms: τ_s > 0 of the synapse in ms (`tauSr`).
        refractory_tau_ms: τ_r > 0 of the refractory response in ms (`tauRef`).
        refractory_scale: c_r >= 0, the amplitude of the refractory response in thresholds (`scaleRef`).
        threshold: ϑ > 0 (`theta`).
        surrogate_width: τ_ρ > 0, the width of the surrogate in thresholds (`tauRho`, which is not a time).
        surrogate_scale: c_ρ > 0, half the area of the surrogate (`scaleRho`).
        dt_ms: Time step in ms (`Ts`).
    """

    tau_ms: float
    refractory_tau_ms: float
    refractory_scale: float
    threshold: float
    surrogate_width: float
    surrogate_scale: float
    dt_ms: float

    def validate(self) -> SRMAlphaParameters:
        """Return the parameters, checked.

        Raises:
            SpikingGammaError: A value is out of range.
        """
        for name, value in zip(self._fields, self, strict=True):
            if name != "refractory_scale" and not (value > 0.0 and math.isfinite(value)):
                raise SpikingGammaError(name, value, "a positive, finite number")
        if not (self.refractory_scale >= 0.0 and math.isfinite(self.refractory_scale)):
            raise SpikingGammaError(
                "refractory_scale", self.refractory_scale, "zero (off) or a positive, finite number"
            )
        return self


class SRMAlphaState(NamedTuple):
    """Synapse (p, a) and refractory response (p, r), all of one shape; zero at the start of a recording.

    After step t, `synapse` and `refractory` are the a(t) and r(t) of that step's membrane; s(t) is in the trace only.
    """

    synapse_trace: Float[Tensor, " *cells"]
    synapse: Float[Tensor, " *cells"]
    refractory_trace: Float[Tensor, " *cells"]
    refractory: Float[Tensor, " *cells"]


def _silent_step(tau_ms: float, dt_ms: float, trace: Tensor, value: Tensor) -> AlphaState:
    """Run one step of the two filters without input: a(t) is complete, and p(t) lacks u(t)."""
    decay = math.exp(-dt_ms / tau_ms)
    return AlphaState(decay * trace, decay * torch.add(value, trace, alpha=math.e * dt_ms / tau_ms))


def alpha_step(tau_ms: float, dt_ms: float, state: AlphaState, drive: Float[Tensor, " *cells"]) -> AlphaState:
    """Run one step of the sum of alpha functions for the drive u(t).

    The `value` of the new state is a(t), which u(t) does not affect yet.

    Args:
        tau_ms: Time constant in ms.
        dt_ms: Time step in ms.
        state: State before the step.
        drive: u(t), usually [B, N].

    Example:
        >>> after_spike = alpha_step(5.0, 5.0, AlphaState(torch.zeros(2), torch.zeros(2)), torch.ones(2))
        >>> alpha_step(5.0, 5.0, after_spike, torch.zeros(2)).value
        tensor([1., 1.])
    """
    trace, value = _silent_step(tau_ms, dt_ms, *state)
    return AlphaState(trace + drive, value)


def alpha_sequence(
    tau_ms: float, dt_ms: float, state: AlphaState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], AlphaState]:
    """Run the sum over a sequence by `alpha_step`; return a(t) at every step, and the final state.

    Args:
        tau_ms: Time constant in ms.
        dt_ms: Time step in ms.
        state: State before the first step.
        drive: u, usually [T, B, N].
    """
    values = []
    for u in drive.unbind(0):
        state = alpha_step(tau_ms, dt_ms, state, u)
        values.append(state.value)
    return torch.stack(values), state


def srm_alpha_step(
    parameters: SRMAlphaParameters, state: SRMAlphaState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], SRMAlphaState]:
    """Run one step: return the spikes (0 or 1) for the drive u(t), and the state with their refractory response.

    Args:
        parameters: Parameters of the neurons.
        state: State before the step.
        drive: u(t), usually [B, N].

    Example:
        >>> p, zero = SRMAlphaParameters(1.0, 1.0, 2.0, 1.0, 1.0, 1.0, dt_ms=1.0), torch.zeros(3, 2)
        >>> srm_alpha_step(p, SRMAlphaState(zero, zero, zero, zero), zero + 1.0)[0].shape
        torch.Size([3, 2])
    """
    tau_ms, refractory_tau_ms, refractory_scale, threshold, width, scale, dt_ms = parameters
    synapse = alpha_step(tau_ms, dt_ms, AlphaState(state.synapse_trace, state.synapse), drive)
    refractory = _silent_step(refractory_tau_ms, dt_ms, state.refractory_trace, state.refractory)
    membrane = torch.sub(synapse.value, refractory.value, alpha=refractory_scale * threshold)
    spikes = exponential(membrane - threshold, slope=1.0 / (width * threshold), scale=scale)
    return spikes, SRMAlphaState(*synapse, refractory.trace + spikes.detach(), refractory.value)


def srm_alpha_sequence(
    parameters: SRMAlphaParameters, state: SRMAlphaState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], SRMAlphaState]:
    """Run the neurons over a sequence by `srm_alpha_step`; return the spikes and the final state.

    Args:
        parameters: Parameters of the neurons.
        state: State before the first step.
        drive: u, usually [T, B, N].
    """
    spikes = []
    for u in drive.unbind(0):
        out, state = srm_alpha_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
