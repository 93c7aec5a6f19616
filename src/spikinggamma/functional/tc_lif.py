"""The two-compartment neuron (TC-LIF): a dendrite that keeps its input and a soma that spikes, each acting on the other.

    D(t) = D(t-1) + g β₁ U(t-1) + I(t) - γ s(t-1)              dendrite,   g = dt / dt₁
    U(t) = U(t-1) + g β₂ D(t) - ϑ s(t-1)                       soma
    s(t) = H(U(t) - ϑ)                                         at most one spike a step

-1 < β₁ < 0 < β₂ < 1 are learnt. Nothing leaks: what a synapse brought is there until a spike takes γ of it or the soma, through
β₁, pulls it back. β₁ and β₂ are meant for steps of dt₁, the authors' step; an input and a spike count the same at any step.
Gradients flow through both resets.

As printed, the dendrite hears the soma as it was before its reset. In the released program, with which the published figures
were found, it hears the soma after it (`reset_first`): D(t) = D(t-1) + g β₁ (U(t-1) - ϑ s(t-1)) + I(t) - γ s(t-1), which is the
printed form with γ + g β₁ ϑ in the place of γ. For γ = ½, β₁ = -½ and ϑ = 1 that is no reset of the dendrite at all.

Source: Zhang, Yang, Ma, Wu, Li and Tan (AAAI 2024), arXiv 2307.07231. Their surrogate is the `triangle` of height 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.surrogate import Surrogate, find_surrogate

__all__ = ["TCLIFParameters", "TCLIFState", "tc_lif_sequence", "tc_lif_step"]


class TCLIFParameters(NamedTuple):
    """A population of neurons at one time step length.

    Attributes:
        soma_to_dendrite: β₁, one number or one for each neuron.
        dendrite_to_soma: β₂, likewise.
        dendrite_reset: γ >= 0.
        threshold: ϑ > 0.
        reset_first: Whether the soma is reset before the dendrite hears it, as in the released program.
        surrogate: A name in `SURROGATES`, or a surrogate with its options.
        dt_ms: Time step.
        reference_ms: dt₁ > 0, the time step at which β₁ and β₂ are meant.
    """

    soma_to_dendrite: Float[Tensor, " *neurons"]
    dendrite_to_soma: Float[Tensor, " *neurons"]
    dendrite_reset: float
    threshold: float
    reset_first: bool
    surrogate: str | Surrogate
    dt_ms: float
    reference_ms: float

    def validate(self) -> TCLIFParameters:
        """Return itself, or raise `SpikingGammaError` for a value out of range."""
        for name in ("threshold", "dt_ms", "reference_ms"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                raise SpikingGammaError(name, value, "a positive, finite number")
        if not (self.dendrite_reset >= 0.0 and math.isfinite(self.dendrite_reset)):
            raise SpikingGammaError("dendrite_reset", self.dendrite_reset, "zero (none) or a positive, finite number")
        for name in ("soma_to_dendrite", "dendrite_to_soma"):
            if not bool(getattr(self, name).isfinite().all()):
                raise SpikingGammaError(name, "infinite or missing numbers", "finite numbers")
        find_surrogate(self.surrogate)
        return self


class TCLIFState(NamedTuple):
    """Dendrite and soma as the next step meets them, all of it but its input, of one shape; zero at the start."""

    dendrite: Float[Tensor, " *cells"]
    soma: Float[Tensor, " *cells"]


def tc_lif_step(
    parameters: TCLIFParameters, state: TCLIFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], TCLIFState]:
    """One step: drive I(t) in, spikes (0 or 1) out, and the state after.

    Example:
        >>> half, zero = torch.tensor(0.5), torch.zeros(3, 2)
        >>> p = TCLIFParameters(-half, half, 0.5, 1.0, True, "triangle", 1.0, 1.0)
        >>> tc_lif_step(p, TCLIFState(zero, zero), zero + 5.0)[0].shape
        torch.Size([3, 2])
    """
    share = parameters.dt_ms / parameters.reference_ms
    dendrite = state.dendrite + drive
    before = state.soma + share * parameters.dendrite_to_soma * dendrite
    spikes = find_surrogate(parameters.surrogate)(before - parameters.threshold)
    soma = before - parameters.threshold * spikes
    heard = share * parameters.soma_to_dendrite * (soma if parameters.reset_first else before)
    return spikes, TCLIFState(dendrite + heard - parameters.dendrite_reset * spikes, soma)


def tc_lif_sequence(
    parameters: TCLIFParameters, state: TCLIFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], TCLIFState]:
    """The neuron over a sequence, built of `tc_lif_step`."""
    spikes = []
    for u in drive.unbind(0):
        out, state = tc_lif_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
