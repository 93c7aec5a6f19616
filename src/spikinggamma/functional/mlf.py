"""The multi-level neuron (MLF): LIF neurons with rising thresholds that share an input, and whose spikes are added up.

    u_k(t) = β u_k(t-1) (1 - o_k(t-1)) + I(t),    β = e^{-dt/τ}            k = 1 .. K
    o_k(t) = H(u_k(t) - ϑ - (k - 1) step)                                  each level is reset to zero by its own spike
    s(t)   = Σ_k o_k(t)                                                    0 to K: counted as that many spikes

A surrogate of bounded width passes gradients near one threshold alone; thresholds a width apart tile a range K times as wide,
so fewer neurons are left without any. Gradients flow through the resets too. With K = 1 it is a LIF that is reset to zero.

The authors' β is ¼ a step, whatever it lasts: τ = 0.72 steps.

Source: Feng, Liu, Tang, Ma and Pan (IJCAI 2022), arXiv 2210.06386, with ϑ = 0.6, a step of 1 and the `rectangle` of width 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.surrogate import Surrogate, find_surrogate

__all__ = ["MLFParameters", "MLFState", "mlf_sequence", "mlf_step"]


class MLFParameters(NamedTuple):
    """A population of neurons at one time step length.

    Attributes:
        tau_ms: τ > 0 of every level, in ms.
        levels: K >= 1.
        threshold: ϑ > 0, that of the first level.
        level_step: step > 0, from a level's threshold to the next.
        surrogate: A name in `SURROGATES`, or a surrogate with its options.
        dt_ms: Time step.
    """

    tau_ms: float
    levels: int
    threshold: float
    level_step: float
    surrogate: str | Surrogate
    dt_ms: float

    def validate(self) -> MLFParameters:
        """Return itself, or raise `SpikingGammaError` for a value out of range."""
        for name in ("tau_ms", "threshold", "level_step", "dt_ms"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                raise SpikingGammaError(name, value, "a positive, finite number")
        if self.levels < 1:
            raise SpikingGammaError("levels", self.levels, "at least 1")
        find_surrogate(self.surrogate)
        return self


class MLFState(NamedTuple):
    """Membrane of each level after its reset, u_k (1 - o_k), [K, *cells]; zero at the start."""

    membranes: Float[Tensor, "K *cells"]


def mlf_step(
    parameters: MLFParameters, state: MLFState, drive: Float[Tensor, " *cells"]
) -> tuple[Float[Tensor, " *cells"], MLFState]:
    """One step: drive I(t) in, the sum of the levels' spikes out, and the state after.

    Example:
        >>> p, zero = MLFParameters(1.0, 3, 0.6, 1.0, "rectangle", 1.0), torch.zeros(3, 2)
        >>> mlf_step(p, MLFState(torch.zeros(3, 3, 2)), zero + 2.0)[0]
        tensor([[2., 2.],
                [2., 2.],
                [2., 2.]])
    """
    before = math.exp(-parameters.dt_ms / parameters.tau_ms) * state.membranes + drive
    places = torch.arange(parameters.levels, dtype=drive.dtype, device=drive.device)
    thresholds = (parameters.threshold + parameters.level_step * places).view(-1, *[1] * drive.ndim)
    spikes = find_surrogate(parameters.surrogate)(before - thresholds)
    return spikes.sum(0), MLFState(before * (1.0 - spikes))


def mlf_sequence(
    parameters: MLFParameters, state: MLFState, drive: Float[Tensor, "T *cells"]
) -> tuple[Float[Tensor, "T *cells"], MLFState]:
    """The neuron over a sequence, built of `mlf_step`."""
    spikes = []
    for u in drive.unbind(0):
        out, state = mlf_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
