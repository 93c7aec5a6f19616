"""Backpropagation through time: autograd unrolls the recording, with surrogates for the derivative of spikes.

The rule of the field for surrogate-gradient nets, exact up to the surrogate; its memory grows with the recording. Whatever
is differentiable learns by it: neurons of every kind, recurrent weights, delays.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.rule import Rule
from spikinggamma.nn import GammaNet, SpikingNet, SurrogateTape

__all__ = ["Backpropagation", "speaking_blame"]


class Backpropagation(Rule):
    """See the module."""

    through_autograd = True

    def __init__(self, net: SpikingNet, dt_ms: float) -> None:
        super().__init__(net, dt_ms)
        if isinstance(net, GammaNet):
            raise SpikingGammaError(
                "rule", "bptt", "a rule of SpikingGamma for a GammaNet", "Its BPTT is through_time."
            )
        self._blamed: list[tuple[Tensor, Tensor]] = []

    def take(self, tape: SurrogateTape, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.take`: nothing is added before the end."""
        self._blamed.append((tape.layers[-1].outputs, delta))
        if tape.cost is not None:
            for layer in tape.layers[:-1]:
                if layer.counts is not None:
                    price = speaking_blame(tape.cost, layer.outputs, self.dt_ms)
                    self._blamed.append((layer.outputs, price.expand_as(layer.outputs)))
        return False

    def finish(self) -> bool:
        """Blame everything at once."""
        # Where nothing was blamed, a spikeless population has no graph to follow either.
        blamed = [(said, blame) for said, blame in self._blamed if said.requires_grad]
        if blamed:
            torch.autograd.backward([said for said, _ in blamed], [blame for _, blame in blamed])
        self._blamed = []
        return bool(blamed)


def speaking_blame(cost: Float[Tensor, "T B"], spikes: Float[Tensor, "T B N"], dt_ms: float) -> Float[Tensor, "T B 1"]:
    """∂ℓ/∂s of what speaking costs a spiking population: the price is on its mean rate, in spikes per neuron and 10 ms."""
    return cost.unsqueeze(2) * (10.0 / (dt_ms * spikes.shape[2]))
