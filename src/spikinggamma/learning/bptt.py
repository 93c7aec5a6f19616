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
from spikinggamma.nn import ChainActivations, GammaNet, SequenceNet

__all__ = ["Backpropagation", "activity_grad"]


class Backpropagation(Rule):
    """See the module."""

    through_autograd = True

    def __init__(self, net: SequenceNet, dt_ms: float) -> None:
        super().__init__(net, dt_ms)
        if isinstance(net, GammaNet):
            raise SpikingGammaError(
                "rule", "bptt", "a rule of SpikingGamma for a GammaNet", "Its BPTT is through_time."
            )
        self._blamed: list[tuple[Tensor, Tensor]] = []

    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`: nothing is added before the end."""
        self._blamed.append((activations.layers[-1].outputs, delta))
        if activations.cost is not None:
            for layer in activations.layers[:-1]:
                if layer.counts is not None:
                    price = activity_grad(activations.cost, layer.outputs, self.dt_ms)
                    self._blamed.append((layer.outputs, price.expand_as(layer.outputs)))
        return False

    def finish(self) -> bool:
        """Blame everything at once."""
        # Where nothing was blamed, a spikeless population has no graph to follow either.
        with_grads = [(said, grad) for said, grad in self._blamed if said.requires_grad]
        if with_grads:
            torch.autograd.backward([said for said, _ in with_grads], [grad for _, grad in with_grads])
        self._blamed = []
        return bool(with_grads)


def activity_grad(cost: Float[Tensor, "T B"], spikes: Float[Tensor, "T B N"], dt_ms: float) -> Float[Tensor, "T B 1"]:
    """∂ℓ/∂s of what speaking costs a spiking population: the price is on its mean rate, in spikes per neuron and 10 ms."""
    return cost.unsqueeze(2) * (10.0 / (dt_ms * spikes.shape[2]))
