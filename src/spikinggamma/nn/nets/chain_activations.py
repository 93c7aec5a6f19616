"""What a chunk of a chain leaves behind for learning rules and for counting spikes, and the state that it hands on."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.state import StateTree

__all__ = ["ChainActivations", "ChainState", "LayerCall", "NeuronActivations"]


class LayerCall(NamedTuple):
    """One layer at work on a chunk.

    Attributes:
        layer: The layer: one without layers inside, or neurons with the recurrence around them.
        inputs: What went in, [T, B, *in_shape].
        before: Its state before the chunk.
        outputs: What came out, [T, B, *out_shape], dropout left out.
        counts: Spikes per step, [T, B, *out_shape], of a layer that spikes.
    """

    layer: Layer
    inputs: Tensor
    before: StateTree
    outputs: Tensor
    counts: Tensor | None


class NeuronActivations(NamedTuple):
    """What a chunk of a spiking layer, or of the read-out, leaves behind.

    Attributes:
        inputs: What arrived at its weights, [T, B, *in_shape].
        drive: What reached its neurons, [T, B, *shape].
        outputs: What was sent, dropout left out; the logits, of the read-out.
        counts: Spikes, [T, B, N]; None where there are none.
    """

    inputs: Float[Tensor, "T B *in_shape"]
    drive: Float[Tensor, "T B *shape"]
    outputs: Float[Tensor, "T B *shape"]
    counts: Tensor | None


class ChainActivations(NamedTuple):
    """What a chunk leaves behind.

    Attributes:
        layers: Of every hidden layer that spikes, in order, and last of the read-out.
        masks: Dropout masks, [B, *shape] or None, of every layer of the chain.
        calls: Every layer at work, in the order of the computation.
        cost: Price of an output at each step, [T, B]; None where it is free.
    """

    layers: tuple[NeuronActivations, ...]
    masks: tuple[Tensor | None, ...]
    calls: tuple[LayerCall, ...] = ()
    cost: Float[Tensor, "T B"] | None = None

    def priced(self, cost: Float[Tensor, "T B"]) -> ChainActivations:
        """Return the same at that price."""
        return self._replace(cost=cost)


class ChainState(NamedTuple):
    """StateTree of every layer of the chain, and the dropout masks of this batch of recordings."""

    layers: tuple[StateTree, ...]
    masks: tuple[Tensor | None, ...]
