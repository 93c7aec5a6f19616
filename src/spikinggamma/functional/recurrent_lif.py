"""Recurrent leaky integrate-and-fire neurons: `lif` with recurrent weights.

    u⁺(t) = u(t) + R s(t-1)            drive: from the layer below, and from the population's spikes one step ago
    s(t)  = LIF(u⁺(t))                 the step of `lif`

Row i of R [N, N] holds the weights to neuron i; the diagonal, from each neuron to itself, is used as it is. The gradient flows
back through R into the spikes of the step before, by their surrogate. The reset passes no gradient, as in `lif`.

A recurrent spike takes one step to arrive, so its delay is `dt_ms`: unlike τ_m and τ_s, R does not keep its meaning when
the step changes.

Source: the recurrent nets of Zenke and Vogels (2021), Neural Computation 33, 899, and of Cramer et al. (2022), IEEE
Transactions on Neural Networks and Learning Systems 33, 2744.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional.lif import LIFParameters, LIFState, lif_step

__all__ = ["RecurrentLIFParameters", "RecurrentLIFState", "recurrent_lif_sequence", "recurrent_lif_step"]


class RecurrentLIFParameters(NamedTuple):
    """Parameters of a population of neurons at one time step.

    Attributes:
        lif: Parameters of the neurons.
        recurrent_weight: R, [N, N], from the neuron of the column to that of the row.
    """

    lif: LIFParameters
    recurrent_weight: Float[Tensor, "N N"]

    def validate(self) -> RecurrentLIFParameters:
        """Return the parameters, checked.

        Raises:
            SpikingGammaError: A value is out of range.
        """
        self.lif.validate()
        shape = list(self.recurrent_weight.shape)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise SpikingGammaError("recurrent_weight", shape, "[N, N], a row and a column for each neuron")
        if not bool(torch.isfinite(self.recurrent_weight).all()):
            raise SpikingGammaError("recurrent_weight", "infinite or missing numbers", "finite weights")
        return self


class RecurrentLIFState(NamedTuple):
    """Current i, membrane v after the reset, and the spikes of the last step, all [B, N]; zero at the start."""

    current: Float[Tensor, "B N"]
    membrane: Float[Tensor, "B N"]
    spikes: Float[Tensor, "B N"]


def recurrent_lif_step(
    parameters: RecurrentLIFParameters, state: RecurrentLIFState, drive: Float[Tensor, "B N"]
) -> tuple[Float[Tensor, "B N"], RecurrentLIFState]:
    """Run one step: return the spikes (0 or 1) for the drive u(t) from below, and the state after the reset.

    Args:
        parameters: Parameters of the neurons.
        state: State before the step.
        drive: u(t), [B, N].

    Example:
        >>> p = RecurrentLIFParameters(LIFParameters(20.0, 5.0, 1.0, "fast_sigmoid", 1.0), torch.eye(2))
        >>> zero = torch.zeros(3, 2)
        >>> recurrent_lif_step(p, RecurrentLIFState(zero, zero, zero), zero + 20.0)[0].shape
        torch.Size([3, 2])
    """
    heard = drive + nn.functional.linear(state.spikes, parameters.recurrent_weight)
    spikes, after = lif_step(parameters.lif, LIFState(state.current, state.membrane), heard)
    return spikes, RecurrentLIFState(after.current, after.membrane, spikes)


def recurrent_lif_sequence(
    parameters: RecurrentLIFParameters, state: RecurrentLIFState, drive: Float[Tensor, "T B N"]
) -> tuple[Float[Tensor, "T B N"], RecurrentLIFState]:
    """Run the neurons over a sequence by `recurrent_lif_step`; return the spikes [T, B, N] and the final state.

    Args:
        parameters: Parameters of the neurons.
        state: State before the first step.
        drive: u, [T, B, N].
    """
    spikes = []
    for u in drive.unbind(0):
        out, state = recurrent_lif_step(parameters, state, u)
        spikes.append(out)
    return torch.stack(spikes), state
