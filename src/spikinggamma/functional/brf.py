"""The balanced resonate-and-fire neuron (BRF): a damped oscillation that input drives and that spikes at its crests.

    p(ω)  = (-1 + √(1 - (δ ω)²)) / δ                           divergence boundary: without further damping it rings for ever
    b(t)  = p(ω) - b' - κ q(t-1)                               damping, more of it after a spike
    z(t)  = z(t-1) + δ ((b(t) + iω) z(t-1) + g u(t))           membrane, a complex number
    s(t)  = H(Re z(t) - ϑ - q(t-1))                            at most one spike a step
    q(t)  = γ q(t-1) + s(t),    γ = e^{-dt/τ_q}                refractoriness: of the threshold and of the damping

δ is the time step in seconds, ω an angular frequency in rad/s; b', κ and g are rates in 1/s. As (1 + δ p)² + (δ ω)² = 1, a
membrane with b' = 0 that has not spiked keeps its amplitude at any step, and with b' > 0 loses it; ω has to stay below 1/δ.
Gradients flow through everything, the refractoriness too. There is no reset.

The authors count every step of a recording as 10 ms, whatever it lasts, with κ = g = 1/s and γ = 0.9 a step, which is
τ_q = 94.9 ms. At a step of dt ms their numbers per second are times 10 / dt, and their τ_q times dt / 10.

Source: Higuchi, Kairat, Bohté and Otte (ICML 2024), arXiv 2402.14603. The surrogate is their `double_gaussian`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.surrogate import Surrogate, find_surrogate

__all__ = ["BRFParameters", "BRFState", "brf_sequence", "brf_step", "divergence_boundary"]


class BRFParameters(NamedTuple):
    """A population of neurons at one time step length.

    Attributes:
        omega: ω >= 0, angular frequency in rad/s, of the shape of a sample's neurons.
        damping: b' >= 0 in 1/s, of the same shape.
        refractory_tau_ms: τ_q > 0 in ms.
        refractory_damping: κ >= 0 in 1/s.
        gain: g > 0 in 1/s.
        threshold: ϑ > 0.
        surrogate: A name in `SURROGATES`, or a surrogate with its options.
        dt_ms: Time step.
    """

    omega: Float[Tensor, " *neurons"]
    damping: Float[Tensor, " *neurons"]
    refractory_tau_ms: float
    refractory_damping: float
    gain: float
    threshold: float
    surrogate: str | Surrogate
    dt_ms: float

    def validate(self) -> BRFParameters:
        """Return itself, or raise `SpikingGammaError` for a value out of range."""
        for name in ("refractory_tau_ms", "gain", "threshold", "dt_ms"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                raise SpikingGammaError(name, value, "a positive, finite number")
        if not (self.refractory_damping >= 0.0 and math.isfinite(self.refractory_damping)):
            raise SpikingGammaError("refractory_damping", self.refractory_damping, "zero (off) or a finite rate in 1/s")
        highest = 1e3 / self.dt_ms
        for name, values, bound in (("omega", self.omega, highest), ("damping", self.damping, math.inf)):
            if not bool(((values >= 0.0) & (values < bound)).all()):
                found = f"{float(values.detach().min()):g} to {float(values.detach().max()):g}"
                raise SpikingGammaError(name, found, f"numbers from 0 to below {bound:g}", "Shorten the time step.")
        find_surrogate(self.surrogate)
        return self

    def factors(self) -> tuple[Float[Tensor, " *neurons"], Float[Tensor, " *neurons"]]:
        """1 + δ (p(ω) - b') and δ ω: what a step does to the membrane, but for the refractoriness."""
        delta = 1e-3 * self.dt_ms
        growth = 1.0 + delta * (divergence_boundary(self.omega, self.dt_ms) - self.damping)
        return growth, delta * self.omega

    def constants(self) -> tuple[float, float, float]:
        """δ κ, γ and δ g."""
        delta = 1e-3 * self.dt_ms
        return delta * self.refractory_damping, math.exp(-self.dt_ms / self.refractory_tau_ms), delta * self.gain


class BRFState(NamedTuple):
    """Real and imaginary part of the membrane z, and refractoriness q, all of one shape; zero at the start."""

    real: Float[Tensor, " *cells"]
    imaginary: Float[Tensor, " *cells"]
    refractoriness: Float[Tensor, " *cells"]


def divergence_boundary(omega: Float[Tensor, " *neurons"], dt_ms: float) -> Float[Tensor, " *neurons"]:
    """Return p(ω) in 1/s: the largest growth rate at which a discrete oscillator of that frequency does not diverge.

    Example:
        >>> divergence_boundary(torch.tensor([0.0, 60.0, 80.0]), 10.0)
        tensor([ -0., -20., -40.])
    """
    # The same as (-1 + √(1 - (δ ω)²)) / δ, without its difference of numbers that are nearly equal.
    delta = 1e-3 * dt_ms
    return -delta * omega.square() / (1.0 + (1.0 - (delta * omega).square()).sqrt())


def brf_step(
    parameters: BRFParameters, state: BRFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], BRFState]:
    """One step: drive u(t) in, spikes (0 or 1) out, and the state after.

    Example:
        >>> p, zero = BRFParameters(torch.ones(2), torch.ones(2), 95.0, 1.0, 1.0, 1.0, "arctan", 10.0), torch.zeros(3, 2)
        >>> brf_step(p, BRFState(zero, zero, zero), zero + 200.0)[0].shape
        torch.Size([3, 2])
    """
    (growth, rotation), (damp, decay, gain) = parameters.factors(), parameters.constants()
    growth = growth - damp * state.refractoriness
    real = growth * state.real - rotation * state.imaginary + gain * drive
    imaginary = rotation * state.real + growth * state.imaginary
    spikes = find_surrogate(parameters.surrogate)(real - state.refractoriness - parameters.threshold)
    return spikes, BRFState(real, imaginary, decay * state.refractoriness + spikes)


def brf_sequence(
    parameters: BRFParameters, state: BRFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], BRFState]:
    """The neuron over a sequence, built of `brf_step`."""
    spikes = []
    for u in drive.unbind(0):
        out, state = brf_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
