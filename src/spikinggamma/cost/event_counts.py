"""Counts of the events that arrive at each input of a net and that each layer sends, taken during evaluation."""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spikinggamma.cost.gamma_operations import sends_heights
from spikinggamma.nn import (
    Activations,
    ChainActivations,
    CountNet,
    GammaNet,
    GRUNet,
    LayerOutputs,
    NetActivations,
    SurrogateNet,
)

__all__ = ["EventCounter", "EventCounts", "arrivals", "event_counter"]


class EventCounts(NamedTuple):
    """Counts of events in a net, without padding.

    Attributes:
        recordings: Number of recordings.
        steps: Number of steps of all recordings together.
        arrivals: Messages that arrived at each input of each layer (`SequenceNet.arrivals`), [*in_shape].
        multiples: Those among the arrivals that stood for several spikes of one height.
        messages: Messages sent by each layer, one for each step in which a neuron sent something, [L + 1] with the read-out's.
    """

    recordings: int
    steps: float
    arrivals: tuple[Float[Tensor, "*in_shape"], ...]
    multiples: tuple[Float[Tensor, "*in_shape"], ...]
    messages: Float[Tensor, " layers"]

    def __add__(self, other: object) -> EventCounts:
        if not isinstance(other, EventCounts):
            return NotImplemented
        arrivals = tuple(one + more for one, more in zip(self.arrivals, other.arrivals, strict=True))
        multiples = tuple(one + more for one, more in zip(self.multiples, other.multiples, strict=True))
        recordings, steps = self.recordings + other.recordings, self.steps + other.steps
        return EventCounts(recordings, steps, arrivals, multiples, self.messages + other.messages)


class EventCounter:
    """An observer of `Learner.evaluate` that counts events.

    Args:
        net: The net that is evaluated.

    Attributes:
        counts: The counts so far; None before the first chunk.
    """

    def __init__(self, net: torch.nn.Module) -> None:
        self.net = net
        self.counts: EventCounts | None = None

    def __call__(
        self, spikes: Float[Tensor, "T B *in_shape"], activations: Activations, valid: Bool[Tensor, "T B"], start: int
    ) -> None:
        """Count a chunk that begins at step `start`; only steps that are `valid` belong to a recording."""
        arrived = arrivals(self.net, spikes, activations)
        layers = activations.layers
        messages = [
            float((_sent(layer, last=index == len(layers) - 1).flatten(2) * valid.unsqueeze(2)).sum())
            for index, layer in enumerate(layers)
        ]
        found = EventCounts(
            valid.shape[1] if start == 0 else 0,
            float(valid.sum()),
            tuple(_over_time(numbers != 0.0, valid) for numbers in arrived),
            tuple(_over_time(numbers > 1.0, valid) for numbers in arrived),
            torch.tensor(messages, dtype=torch.float64),
        )
        self.counts = found if self.counts is None else self.counts + found


def event_counter(net: torch.nn.Module) -> EventCounter | None:
    """Return a counter for `net`, or None where counting is not implemented for this kind of net."""
    return EventCounter(net) if arrivals.dispatch(type(net)) is not arrivals.dispatch(object) else None


@singledispatch
def arrivals(
    net: torch.nn.Module, spikes: Float[Tensor, "T B *in_shape"], activations: Activations
) -> tuple[Float[Tensor, "T B ..."], ...]:
    """Return the arrivals at each input of each layer in a chunk: the number of spikes of one height, or 1 for a graded one."""
    raise TypeError(f"events of a {type(net).__name__} are not counted")


@arrivals.register
def _(net: GammaNet, spikes: Tensor, activations: NetActivations) -> tuple[Tensor, ...]:
    # Recorded events have one height, `input_gain`.
    first = spikes.reshape(*spikes.shape[:2], *net.stack[0].in_shape)
    return first, *(
        (part.inputs != 0.0).to(spikes) if below.counts is None or sends_heights(layer.code)
        else below.counts.view_as(part.inputs).to(spikes)
        for layer, below, part in zip(net.hidden, activations.layers, activations.layers[1:], strict=False)
    )  # fmt: skip


@arrivals.register
def _(net: SurrogateNet, spikes: Tensor, activations: ChainActivations) -> tuple[Tensor, ...]:
    # Spikes that fractional delays split between two steps arrive twice, with a share each.
    return tuple(
        (part.inputs != 0.0).to(spikes) if delays is not None and delays.kind == "fractional" else part.inputs
        for delays, part in zip(net.delays, activations.layers, strict=True)
    )


@arrivals.register(CountNet)
@arrivals.register(GRUNet)
def _(net: torch.nn.Module, spikes: Tensor, activations: ChainActivations) -> tuple[Tensor, ...]:
    # Signals between the layers of these nets are dense and are no events.
    return spikes, *(torch.zeros_like(part.inputs) for part in activations.layers[1:])


def _sent(layer: LayerOutputs, *, last: bool) -> Bool[Tensor, "T B *N"]:
    """Return where a layer sent a message: a spike, or a signal that is passed; logits of a read-out are no messages."""
    if layer.counts is not None:
        return torch.gt(layer.counts, 0)
    return torch.zeros_like(layer.outputs, dtype=torch.bool) if last else torch.ne(layer.outputs, 0.0)


def _over_time(arrived: Bool[Tensor, "T B *in_shape"], valid: Bool[Tensor, "T B"]) -> Float[Tensor, "*in_shape"]:
    """Return how often each input was true in valid steps, by a matrix product, which is exact in float32 up to 2^24."""
    counted = valid.flatten().float() @ arrived.flatten(0, 1).flatten(1).float()
    return counted.double().view(arrived.shape[2:]).cpu()
