"""Backpropagation through time: autograd unrolls the recording, with surrogate gradients for spikes.

This is the usual rule for surrogate-gradient nets. It is exact up to the surrogate, and its memory grows with the
length of the recording. It trains everything that is differentiable: neurons of every kind, recurrent weights and
delays.
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
    """Backpropagate through the unrolled recording by autograd; memory linear in time.

    The gradient is exact up to the surrogate of spikes. Gradients are added only at the end of a recording, so `update`
    must be "recording".

    The arguments are those of `Rule`.
    """

    nets = (Chain, CountNet, GRUNet)
    through_autograd = True
    updates = ("recording",)

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._followed: list[tuple[Tensor, Tensor]] = []

    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Keep the chunk for `finish`; see `Rule.accumulate`. No gradient is added before the end."""
        self._followed += with_error_signals(activations, delta, self.dt_ms)
        return False

    def finish(self) -> bool:
        """Backpropagate through all chunks at once.

        Returns:
            Whether any output depended on a parameter.
        """
        # A layer without spikes and without an error signal has no graph.
        followed = [(outputs, grad) for outputs, grad in self._followed if outputs.requires_grad]
        if followed:
            torch.autograd.backward([outputs for outputs, _ in followed], [grad for _, grad in followed])
        self._followed = []
        return bool(followed)


def with_error_signals(
    activations: ChainActivations, delta: Float[Tensor, "T B C"], dt_ms: float
) -> list[tuple[Tensor, Tensor]]:
    """Return the tensors of a chunk on which the loss depends, each with its error signal.

    These are the logits, and the spikes of hidden layers if they have a cost.

    Args:
        activations: Activations of the chunk.
        delta: Error signal of the logits, [T, B, C].
        dt_ms: Time step in ms.
    """
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
    """Return ∂ℓ/∂s of the activity cost, which is on the mean rate of a layer in spikes per neuron and 10 ms.

    Args:
        cost: Cost at each step and recording, [T, B].
        spikes: Spikes of the layer, [T, B, *shape].
        dt_ms: Time step in ms.

    Returns:
        The gradient, [T, B, 1, ...] with as many axes as the spikes, against which it broadcasts.
    """
    return cost.view(*cost.shape, *[1] * (spikes.ndim - 2)) * (10.0 / (dt_ms * spikes[0, 0].numel()))
