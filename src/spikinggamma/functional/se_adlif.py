"""The adaptive LIF neuron in its symplectic Euler form (SE-adLIF): the membrane drives its own adaptation.

    û(t) = α u(t-1) + (1 - α) (I(t) - w(t-1))                  membrane before the spike,   α = e^{-dt/τ_u}
    s(t) = H(û(t) - ϑ)                                         at most one spike a step
    u(t) = û(t) (1 - s(t))                                     reset to zero
    w(t) = β w(t-1) + ρ ((1 - β) a u(t) + (1 - β₁) b s(t))     adaptation,   β = e^{-dt/τ_w},   β₁ = e^{-dt₁/τ_w}

The adaptation follows the membrane of its own step, not of the step before, as plain Euler would have it: so the oscillation of
the two is stable for all a in its range. With ρ = 120 the frequencies that networks use are reached by a between 0 and 1.
What a spike adds to w does not depend on the step: it is what the published form adds at steps of dt₁. The reset passes no
gradient; all else does. With a = b = 0 the neuron is a LIF without a synaptic current that is reset to zero.

The authors count time in steps (of 4 ms for spoken digits): dt₁ is such a step, and τ_u, τ_w are their numbers times dt₁.

Source: Baronig, Ferrand, Sabathiel and Legenstein (2024), arXiv 2408.07517. Their surrogate is the `exponential` one of
SLAYER with a slope of 5 and a scale of 0.2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.adlif import AdLIFFactors, check_adlif
from spikinggamma.functional.surrogate import Surrogate, find_surrogate

__all__ = ["SEAdLIFParameters", "SEAdLIFState", "se_adlif_sequence", "se_adlif_step"]


class SEAdLIFParameters(NamedTuple):
    """A population of neurons at one time step length; a neuron's own numbers have the shape of a sample's neurons.

    Attributes:
        tau_ms: τ_u > 0 of each membrane, in ms.
        adaptation_tau_ms: τ_w > 0 of each adaptation, in ms.
        a: What the membrane does to the adaptation.
        b: What a spike does to it.
        scale: ρ > 0, of both.
        threshold: ϑ > 0.
        surrogate: A name in `SURROGATES`, or a surrogate with its options.
        dt_ms: Time step.
        reference_ms: dt₁ > 0, the time step at which b is meant.
    """

    tau_ms: Float[Tensor, " *neurons"]
    adaptation_tau_ms: Float[Tensor, " *neurons"]
    a: Float[Tensor, " *neurons"]
    b: Float[Tensor, " *neurons"]
    scale: float
    threshold: float
    surrogate: str | Surrogate
    dt_ms: float
    reference_ms: float

    def validate(self) -> SEAdLIFParameters:
        """Return itself, or raise `SpikingGammaError` for a value out of range."""
        if not (self.scale > 0.0 and math.isfinite(self.scale)):
            raise SpikingGammaError("scale", self.scale, "a positive, finite number")
        check_adlif(self)
        return self

    def factors(self) -> AdLIFFactors:
        """α, β, and what membrane and spike add to the adaptation."""
        alpha, beta = ((-self.dt_ms / tau_ms).exp() for tau_ms in (self.tau_ms, self.adaptation_tau_ms))
        at_reference = -torch.expm1(-self.reference_ms / self.adaptation_tau_ms)
        return AdLIFFactors(alpha, beta, self.scale * (1.0 - beta) * self.a, self.scale * at_reference * self.b)


class SEAdLIFState(NamedTuple):
    """Membrane u after the reset and adaptation w, of one shape; zero at the start."""

    membrane: Float[Tensor, " *cells"]
    adaptation: Float[Tensor, " *cells"]


def se_adlif_step(
    parameters: SEAdLIFParameters, state: SEAdLIFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], SEAdLIFState]:
    """One step: drive I(t) in, spikes (0 or 1) out, and the state after.

    Example:
        >>> one, zero = torch.ones(2), torch.zeros(3, 2)
        >>> p = SEAdLIFParameters(20.0 * one, 200.0 * one, one, one, 120.0, 1.0, "arctan", 1.0, 1.0)
        >>> se_adlif_step(p, SEAdLIFState(zero, zero), zero + 50.0)[0].shape
        torch.Size([3, 2])
    """
    alpha, beta, pull, jump = parameters.factors()
    before = alpha * state.membrane + (1.0 - alpha) * (drive - state.adaptation)
    spikes = find_surrogate(parameters.surrogate)(before - parameters.threshold)
    membrane = before * (1.0 - spikes.detach())
    return spikes, SEAdLIFState(membrane, beta * state.adaptation + pull * membrane + jump * spikes)


def se_adlif_sequence(
    parameters: SEAdLIFParameters, state: SEAdLIFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], SEAdLIFState]:
    """The neuron over a sequence, built of `se_adlif_step`."""
    spikes = []
    for u in drive.unbind(0):
        out, state = se_adlif_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
