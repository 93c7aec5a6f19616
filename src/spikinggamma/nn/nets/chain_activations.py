"""Activations of a chain in a chunk, for learning rules and counters, and the state of a chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.layers.delays import AxonalDelays
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.recurrent import Recurrent
from spikinggamma.nn.neurons.base import Neuron
from spikinggamma.nn.state import StateTree

__all__ = ["ChainActivations", "ChainState", "LayerCall", "NeuronActivations", "by_neurons", "recorded", "spikes"]


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
    before: StateTree
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

    layers: tuple[StateTree, ...]
    masks: tuple[Tensor | None, ...]


def spikes(layer: nn.Module) -> bool:
    """Return whether a layer spikes."""
    return isinstance(layer, Neuron | Recurrent) or (isinstance(layer, GammaLayer) and layer.code is not None)


@contextmanager
def recorded(net: nn.Module) -> Iterator[list[LayerCall]]:
    """Record the calls, inside the context, of layers without layers inside and of neurons with their recurrence."""
    calls: list[LayerCall] = []

    def note(layer: nn.Module, arguments: tuple[Any, ...], result: tuple[Tensor, Any]) -> None:
        assert isinstance(layer, Layer)
        outputs = result[0]
        calls.append(LayerCall(layer, arguments[0], arguments[1], outputs, _counts(layer, outputs.detach())))

    handles: list[RemovableHandle] = [
        module.register_forward_hook(note) for module in net.modules() if _is_noted(module)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _counts(layer: Layer, outputs: Tensor) -> Tensor | None:
    """Return the spikes in a layer's outputs; a message of a SpikingGamma neuron counts as one spike at any height."""
    if isinstance(layer, Neuron | Recurrent):
        return outputs
    return (outputs != 0.0).to(torch.int32) if spikes(layer) else None


def _is_noted(module: nn.Module) -> bool:
    if isinstance(module, Recurrent):
        return True
    return isinstance(module, Layer) and not any(isinstance(inner, Layer) for inner in list(module.modules())[1:])


def by_neurons(calls: Sequence[LayerCall], hidden: Sequence[Layer], logits: Tensor) -> tuple[NeuronActivations, ...]:
    """Return the activations of each hidden spiking layer and of the read-out, concatenated over pieces of time.

    Args:
        calls: Calls of all layers, in the order of the computation.
        hidden: The hidden layers that spike.
        logits: Outputs of the net, [T, B, C].
    """
    arrived: Tensor | None = None
    parts: dict[int, list[NeuronActivations]] = {id(layer): [] for layer in hidden}
    for call in calls:
        if id(call.layer) in parts:
            inputs = call.inputs if arrived is None else arrived
            counts = None if call.counts is None else call.counts.flatten(2)
            parts[id(call.layer)].append(NeuronActivations(inputs, call.inputs, call.outputs, counts))
            arrived = None
        elif (
            any(True for _ in call.layer.parameters(recurse=True)) and arrived is None and not _keeps_spikes(call.layer)
        ):
            arrived = call.inputs
    last = calls[-1]
    readout = NeuronActivations(last.inputs if arrived is None else arrived, last.inputs, logits, None)
    if spikes(last.layer) and last.counts is not None:
        readout = readout._replace(drive=last.inputs, counts=last.counts.flatten(2))
    return *(_joined(pieces) for pieces in parts.values()), readout


def _keeps_spikes(layer: Layer) -> bool:
    """Return whether a layer only shifts spikes in time, so that its output is the input of the weights."""
    return isinstance(layer, AxonalDelays)


def _joined(pieces: Sequence[NeuronActivations]) -> NeuronActivations:
    if len(pieces) == 1:
        return pieces[0]
    inputs, drive, outputs = (torch.cat(part) for part in list(zip(*pieces, strict=True))[:3])
    counts = [piece.counts for piece in pieces if piece.counts is not None]
    return NeuronActivations(inputs, drive, outputs, torch.cat(counts) if counts else None)
