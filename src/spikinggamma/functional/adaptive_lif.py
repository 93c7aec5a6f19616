"""The adaptive leaky integrate-and-fire neuron: its threshold rises with each spike and decays slowly.

    i(t), v⁻(t)  as in `lif`                                   synaptic current, membrane before the spike
    A(t)      = ϑ + β_a a(t)                                   threshold
    s(t)      = H(v⁻(t) - A(t))                                at most one spike a step
    v(t)      = v⁻(t) - ϑ s(t)                                 reset by the threshold at rest
    a(t + dt) = ρ a(t) + s(t),    ρ = e^{-dt/τ_a}              trace of recent spikes

The slow a(t) is the neuron's memory, so the gradient flows back through it: a spike receives the gradient of every later
threshold that it raised. The reset passes no gradient, as in `lif`. With β_a = 0 the neuron is a LIF.

A spike adds 1 to a(t) whatever the step, so β_a and τ_a keep their meaning when `dt_ms` changes. The first form of 2018
adds (1 - ρ) instead, and resets by A(t); its β, at the time step for which it was given, is this β_a divided by (1 - ρ).

Source: Bellec et al. (2020), Nature Communications 11, 3625, for this form; Bellec et al. (NeurIPS 2018), arXiv
1803.09574, for the first. Their surrogate is a triangle; here it is an option, as in `lif`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.lif import LIFParameters, LIFState, leaky_step
from spikinggamma.functional.surrogate import find_surrogate

__all__ = ["AdaptiveLIFParameters", "AdaptiveLIFState", "adaptive_lif_sequence", "adaptive_lif_step"]


class AdaptiveLIFParameters(NamedTuple):
    """Parameters of a population of neurons at one time step.

    Attributes:
        lif: Parameters shared with LIF neurons: time constants, resting threshold ϑ, surrogate and time step.
        adaptation: β_a >= 0, the rise of the threshold with one spike, in units of the membrane; 0 for none.
        adaptation_tau_ms: τ_a > 0 in ms.
    """

    lif: LIFParameters
    adaptation: float
    adaptation_tau_ms: float

    def validate(self) -> AdaptiveLIFParameters:
        """Return the parameters, checked.

        Raises:
            SpikingGammaError: A value is out of range.
        """
        self.lif.validate()
        if not (self.adaptation >= 0.0 and math.isfinite(self.adaptation)):
            raise SpikingGammaError("adaptation", self.adaptation, "zero (off) or a positive, finite number")
        if not (self.adaptation_tau_ms > 0.0 and math.isfinite(self.adaptation_tau_ms)):
            raise SpikingGammaError("adaptation_tau_ms", self.adaptation_tau_ms, "a positive, finite time in ms")
        return self

    def adaptation_decay(self) -> float:
        """Return ρ = e^{-dt/τ_a}, the decay of a(t) in one step."""
        return math.exp(-self.lif.dt_ms / self.adaptation_tau_ms)


class AdaptiveLIFState(NamedTuple):
    """Current i, membrane v after the reset, and trace a for the next threshold, all of one shape; zero at the start."""

    current: Float[Tensor, " *cells"]
    membrane: Float[Tensor, " *cells"]
    adaptation: Float[Tensor, " *cells"]


def adaptive_lif_step(
    parameters: AdaptiveLIFParameters, state: AdaptiveLIFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], AdaptiveLIFState]:
    """Run one step: return the spikes (0 or 1) for the drive u(t), and the state after the reset.

    Args:
        parameters: Parameters of the neurons.
        state: State before the step.
        drive: u(t), usually [B, N].

    Example:
        >>> lif, zero = LIFParameters(20.0, 5.0, 1.0, "fast_sigmoid", 1.0), torch.zeros(3, 2)
        >>> p, state = AdaptiveLIFParameters(lif, 0.1, 200.0), AdaptiveLIFState(zero, zero, zero)
        >>> adaptive_lif_step(p, state, zero + 20.0)[0].shape
        torch.Size([3, 2])
    """
    lif = parameters.lif
    current, before = leaky_step(lif, LIFState(state.current, state.membrane), drive)
    threshold = lif.threshold + parameters.adaptation * state.adaptation
    spikes = find_surrogate(lif.surrogate)(before - threshold)
    membrane = torch.sub(before, spikes.detach(), alpha=lif.threshold)
    adaptation = torch.add(spikes, state.adaptation, alpha=parameters.adaptation_decay())
    return spikes, AdaptiveLIFState(current, membrane, adaptation)


def adaptive_lif_sequence(
    parameters: AdaptiveLIFParameters, state: AdaptiveLIFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], AdaptiveLIFState]:
    """Run the neurons over a sequence by `adaptive_lif_step`; return the spikes and the final state.

    Args:
        parameters: Parameters of the neurons.
        state: State before the first step.
        drive: u, usually [T, B, N].
    """
    spikes = []
    for u in drive.unbind(0):
        out, state = adaptive_lif_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
