"""Activations of a chain in a chunk, for learning rules and counters, and the state of a chain."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from spikinggamma.nn.layers.base import Layer

__all__ = ["ChainActivations", "ChainState", "LayerCall", "NeuronActivations"]


class LayerCall(NamedTuple):
    """One call of a layer on a chunk.

    Attributes:
        layer: The layer: one without layers inside, or neurons with the recurrence around them.
        inputs: Its input, [T, B, *in_shape].
        before: Its state before the chunk.
        outputs: Its output before dropout, [T, B, *out_shape].
        counts: Spikes per step, [T, B, *out_shape], if the layer spikes.
    """

    layer: Layer
    inputs: Tensor
    before: Any
    outputs: Tensor
    counts: Tensor | None


class NeuronActivations(NamedTuple):
    """Activations of a spiking layer, or of the read-out, in a chunk.

    Attributes:
        inputs: Input of its weights, [T, B, *in_shape].
        drive: Input of its neurons, [T, B, *shape].
        outputs: Its output before dropout; the logits for the read-out.
        counts: Spikes, [T, B, N]; None for a layer that does not spike.
    """

    inputs: Float[Tensor, "T B *in_shape"]
    drive: Float[Tensor, "T B *shape"]
    outputs: Float[Tensor, "T B *shape"]
    counts: Tensor | None


class ChainActivations(NamedTuple):
    """Activations of a chain in a chunk.

    Attributes:
        layers: Activations of every hidden layer that spikes, in order, and of the read-out.
        masks: Dropout mask, [B, *shape] or None, of every layer of the chain.
        calls: Calls of all layers, in the order of the computation.
        cost: Activity cost at each step, [T, B]; None without a cost.
    """

    layers: tuple[NeuronActivations, ...]
    masks: tuple[Tensor | None, ...]
    calls: tuple[LayerCall, ...] = ()
    cost: Float[Tensor, "T B"] | None = None

    def priced(self, cost: Float[Tensor, "T B"]) -> ChainActivations:
        """Return the same activations with an activity cost at each step, [T, B]."""
        return self._replace(cost=cost)


class ChainState(NamedTuple):
    """State of every layer of the chain, and the dropout masks of this batch of recordings."""

    layers: tuple[Any, ...]
    masks: tuple[Tensor | None, ...]
