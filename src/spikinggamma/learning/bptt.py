"""Backpropagation through time: autograd unrolls the recording, with surrogates for the derivative of spikes.

The rule of the field for surrogate-gradient nets, exact up to the surrogate; its memory grows with the recording. Whatever
is differentiable learns by it: neurons of every kind, recurrent weights, delays.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.rule import RULES, Rule
from spikinggamma.nn import Chain, ChainActivations, CountNet, GRUNet, SequenceNet
from spikinggamma.options import Options

__all__ = ["Backpropagation", "activity_grad", "with_error_signals"]


@RULES.register("bptt")
class Backpropagation(Rule[ChainActivations]):
    """Backpropagate through the unrolled recording by autograd; memory linear in time."""

    nets = (Chain, CountNet, GRUNet)
    through_autograd = True
    updates = ("recording",)

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._followed: list[tuple[Tensor, Tensor]] = []

    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`: nothing is added before the end."""
        self._followed += with_error_signals(activations, delta, self.dt_ms)
        return False

    def finish(self) -> bool:
        """Follow the graph back from everything at once."""
        # Where no error signal falls, a layer without spikes has no graph to follow either.
        followed = [(outputs, grad) for outputs, grad in self._followed if outputs.requires_grad]
        if followed:
            torch.autograd.backward([outputs for outputs, _ in followed], [grad for _, grad in followed])
        self._followed = []
        return bool(followed)


def with_error_signals(
    activations: ChainActivations, delta: Float[Tensor, "T B C"], dt_ms: float
) -> list[tuple[Tensor, Tensor]]:
    """Return what a chunk's loss depends on, each with its error signal: the logits, and spikes that have a price."""
    found = [(activations.layers[-1].outputs, delta)]
    if activations.cost is not None:
        for layer in activations.layers[:-1]:
            if layer.counts is not None:
                price = activity_grad(activations.cost, layer.outputs, dt_ms)
                found.append((layer.outputs, price.expand_as(layer.outputs)))
    return found


def activity_grad(
    cost: Float[Tensor, "T B"], spikes: Float[Tensor, "T B *shape"], dt_ms: float
) -> Float[Tensor, "T B *ones"]:
    """Return ∂ℓ/∂s of what spikes cost: the price is on the mean rate of a layer, in spikes per neuron and 10 ms.

    It broadcasts against the spikes, one axis for each of theirs.
    """
    return cost.view(*cost.shape, *[1] * (spikes.ndim - 2)) * (10.0 / (dt_ms * spikes[0, 0].numel()))
