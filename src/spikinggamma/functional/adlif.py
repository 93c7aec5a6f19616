"""The adaptive LIF neuron whose adaptation the membrane drives (adLIF), in the form of Bittar and Garner.

    û(t) = α (û(t-1) - ϑ s(t-1)) + (1 - α) (I(t) - w(t))       membrane before the spike,   α = e^{-dt/τ_u}
    w(t) = β w(t-1) + g a û(t-1) + b s(t-1)                    adaptation,   β = e^{-dt/τ_w}
    s(t) = H(û(t) - ϑ)                                         at most one spike a step
    g    = (1 - β) / (1 - β₁),   β₁ = e^{-dt₁/τ_w}             1 at steps of dt₁, at which the published a is meant

Gradients flow through the reset too. A spike adds b to w whatever the step, and a membrane that rests at û adds as much to
w in a millisecond at any step. With a = b = 0 it is a LIF without a synaptic current whose reset passes a gradient; with
recurrent weights around it (`Recurrent`) it is their RadLIF.

The authors count time in steps (of 14 ms for spoken digits), with α from e^{-1/5} to e^{-1/25}, β from e^{-1/30} to
e^{-1/120}, a from -1 to 1 and b from 0 to 2, all of them learnt and kept in these ranges. Where a < -(1 - β₁), membrane and
adaptation grow without bound by themselves. They draw the first state at random; here it is zero.

Source: Bittar and Garner (2022), Frontiers in Neuroscience 16, 865897. Their surrogate is the `rectangle` of width 1.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.surrogate import Surrogate, find_surrogate

__all__ = ["AdLIFFactors", "AdLIFParameters", "AdLIFState", "adlif_sequence", "adlif_step", "check_adlif"]


class AdLIFFactors(NamedTuple):
    """What one step multiplies by: α and β, and what membrane and spike add to the adaptation, `pull` and `jump`."""

    alpha: Float[Tensor, " *neurons"]
    beta: Float[Tensor, " *neurons"]
    pull: Float[Tensor, " *neurons"]
    jump: Float[Tensor, " *neurons"]


class AdLIFParameters(NamedTuple):
    """A population of neurons at one time step length; a neuron's own numbers have the shape of a sample's neurons.

    Attributes:
        tau_ms: τ_u > 0 of each membrane, in ms.
        adaptation_tau_ms: τ_w > 0 of each adaptation, in ms.
        a: What the membrane adds to the adaptation in a step of dt₁.
        b: What a spike adds to it.
        threshold: ϑ > 0.
        surrogate: A name in `SURROGATES`, or a surrogate with its options.
        dt_ms: Time step.
        reference_ms: dt₁ > 0, the time step at which a is meant.
    """

    tau_ms: Float[Tensor, " *neurons"]
    adaptation_tau_ms: Float[Tensor, " *neurons"]
    a: Float[Tensor, " *neurons"]
    b: Float[Tensor, " *neurons"]
    threshold: float
    surrogate: str | Surrogate
    dt_ms: float
    reference_ms: float

    def validate(self) -> AdLIFParameters:
        """Return itself, or raise `SpikingGammaError` for a value out of range."""
        check_adlif(self)
        return self

    def factors(self) -> AdLIFFactors:
        """α, β, g a and b."""
        alpha, beta = ((-self.dt_ms / tau_ms).exp() for tau_ms in (self.tau_ms, self.adaptation_tau_ms))
        at_reference = torch.expm1(-self.reference_ms / self.adaptation_tau_ms)
        return AdLIFFactors(
            alpha, beta, self.a * torch.expm1(-self.dt_ms / self.adaptation_tau_ms) / at_reference, self.b
        )


def check_adlif(parameters: Any) -> None:
    """Check what the forms of this neuron share.

    Raises:
        SpikingGammaError: A value is out of range.
    """
    for name in ("threshold", "dt_ms", "reference_ms"):
        value = getattr(parameters, name)
        if not (value > 0.0 and math.isfinite(value)):
            raise SpikingGammaError(name, value, "a positive, finite number")
    for name in ("tau_ms", "adaptation_tau_ms"):
        values = getattr(parameters, name).detach()
        if not bool(((values > 0.0) & values.isfinite()).all()):
            found = f"{float(values.min()):g} to {float(values.max()):g}"
            raise SpikingGammaError(name, found, "positive, finite times in ms")
    for name in ("a", "b"):
        if not bool(getattr(parameters, name).isfinite().all()):
            raise SpikingGammaError(name, "infinite or missing numbers", "finite numbers")
    find_surrogate(parameters.surrogate)


class AdLIFState(NamedTuple):
    """Membrane û - ϑ s after the reset, and the adaptation w that the next step meets, of one shape; zero at the start."""

    membrane: Float[Tensor, " *cells"]
    adaptation: Float[Tensor, " *cells"]


def adlif_step(
    parameters: AdLIFParameters, state: AdLIFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], AdLIFState]:
    """One step: drive I(t) in, spikes (0 or 1) out, and the state after.

    Example:
        >>> one, zero = torch.ones(2), torch.zeros(3, 2)
        >>> p = AdLIFParameters(20.0 * one, 90.0 * one, one, one, 1.0, "arctan", 1.0, 1.0)
        >>> adlif_step(p, AdLIFState(zero, zero), zero + 50.0)[0].shape
        torch.Size([3, 2])
    """
    alpha, beta, pull, jump = parameters.factors()
    before = alpha * state.membrane + (1.0 - alpha) * (drive - state.adaptation)
    spikes = find_surrogate(parameters.surrogate)(before - parameters.threshold)
    adaptation = beta * state.adaptation + pull * before + jump * spikes
    return spikes, AdLIFState(before - parameters.threshold * spikes, adaptation)


def adlif_sequence(
    parameters: AdLIFParameters, state: AdLIFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], AdLIFState]:
    """The neuron over a sequence, built of `adlif_step`."""
    spikes = []
    for u in drive.unbind(0):
        out, state = adlif_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
