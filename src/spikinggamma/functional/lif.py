"""The leaky integrate-and-fire neuron with a surrogate gradient, the baseline that SpikingGamma is compared with.

    i(t)  = e^{-dt/τ_s} i(t-1) + u(t)                          synaptic current; u = W s_in
    v⁻(t) = β v(t-1) + (1 - β) i(t),    β = e^{-dt/τ_m}        membrane before the spike
    s(t)  = H(v⁻(t) - ϑ)                                       at most one spike a step
    v(t)  = v⁻(t) - ϑ s(t)                                     reset by subtraction

In the backward pass H has the derivative of a surrogate (see `surrogate`), and the reset has none, as a gradient through it
only adds noise (Zenke and Vogels 2021, Neural Computation 33, 899, the source of this form). Learning is backpropagation
through the unrolled sequence by plain autograd, so memory grows with the recording.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.surrogate import Surrogate, find_surrogate

__all__ = ["LIFParameters", "LIFState", "leaky_sequence", "leaky_step", "lif_sequence", "lif_step"]


class LIFParameters(NamedTuple):
    """Parameters of a population of neurons at one time step.

    Attributes:
        tau_ms: τ_m > 0 of the membrane in ms.
        synapse_tau_ms: τ_s >= 0 of the synaptic current in ms; with 0, input acts on the membrane only in its own step.
        threshold: ϑ > 0.
        surrogate: A name in `SURROGATES`, or a surrogate with its options.
        dt_ms: Time step in ms.
    """

    tau_ms: float
    synapse_tau_ms: float
    threshold: float
    surrogate: str | Surrogate
    dt_ms: float

    def validate(self) -> LIFParameters:
        """Return the parameters, checked.

        Raises:
            SpikingGammaError: A value is out of range.
        """
        positive = {"tau_ms": self.tau_ms, "threshold": self.threshold, "dt_ms": self.dt_ms}
        for name, value in positive.items():
            if not (value > 0.0 and math.isfinite(value)):
                raise SpikingGammaError(name, value, "a positive, finite number")
        if not (self.synapse_tau_ms >= 0.0 and math.isfinite(self.synapse_tau_ms)):
            raise SpikingGammaError("synapse_tau_ms", self.synapse_tau_ms, "zero (no synaptic current) or a time in ms")
        find_surrogate(self.surrogate)
        return self

    def decays(self) -> tuple[float, float]:
        """Return e^{-dt/τ_s} and β = e^{-dt/τ_m}, the decays per step."""
        synapse = math.exp(-self.dt_ms / self.synapse_tau_ms) if self.synapse_tau_ms > 0.0 else 0.0
        return synapse, math.exp(-self.dt_ms / self.tau_ms)


class LIFState(NamedTuple):
    """Synaptic current i and membrane v after the reset, of one shape; zero at the start of a recording."""

    current: Float[Tensor, " *cells"]
    membrane: Float[Tensor, " *cells"]


def leaky_step(parameters: LIFParameters, state: LIFState, drive: Float[Tensor, " *cells"]) -> LIFState:
    """Run one step of a leaky integrator: i(t) and v⁻(t) of a LIF neuron without spikes, as in a read-out.

    Args:
        parameters: Parameters of the integrator.
        state: State before the step.
        drive: u(t), usually [B, N].

    Example:
        >>> p, zero = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0), torch.zeros(3, 2)
        >>> leaky_step(p, LIFState(zero, zero), zero + 1.0).membrane.shape
        torch.Size([3, 2])
    """
    synapse, beta = parameters.decays()
    current = torch.add(drive, state.current, alpha=synapse)
    return LIFState(current, torch.lerp(current, state.membrane, beta))


def lif_step(
    parameters: LIFParameters, state: LIFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], LIFState]:
    """Run one step: return the spikes (0 or 1) for the drive u(t), and the state after the reset.

    Args:
        parameters: Parameters of the neurons.
        state: State before the step.
        drive: u(t), usually [B, N].

    Example:
        >>> p, zero = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0), torch.zeros(3, 2)
        >>> lif_step(p, LIFState(zero, zero), zero + 20.0)[0].shape
        torch.Size([3, 2])
    """
    current, before = leaky_step(parameters, state, drive)
    spikes = find_surrogate(parameters.surrogate)(before - parameters.threshold)
    return spikes, LIFState(current, torch.sub(before, spikes.detach(), alpha=parameters.threshold))


def lif_sequence(
    parameters: LIFParameters, state: LIFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], LIFState]:
    """Run the neurons over a sequence by `lif_step`; return the spikes and the final state.

    Args:
        parameters: Parameters of the neurons.
        state: State before the first step.
        drive: u, usually [T, B, N].
    """
    spikes = []
    for u in drive.unbind(0):
        out, state = lif_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state


def leaky_sequence(
    parameters: LIFParameters, state: LIFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], LIFState]:
    """Run the leaky integrator over a sequence by `leaky_step`; return v(t) at every step and the final state.

    Args:
        parameters: Parameters of the integrator.
        state: State before the first step.
        drive: u, usually [T, B, N].
    """
    membranes = []
    for u in drive.unbind(0):
        state = leaky_step(parameters, state, u)
        membranes.append(state.membrane)
    return torch.stack(membranes), state
