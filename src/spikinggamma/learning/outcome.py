"""What a batch of recordings gave: how well it was answered, and what went through the net."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Outcome", "Traffic"]


class Traffic(NamedTuple):
    """What went through a net, padding excluded.

    Attributes:
        recordings: How many.
        steps: Of all of them together.
        arrivals: Messages at each input of each layer (`SpikingNet.arrivals`), [*in_shape].
        multiples: Those of them that stood for several spikes of one height.
        messages: Sent by each layer: steps of a neuron in which it spoke, [L + 1] with the read-out's.
    """

    recordings: int
    steps: float
    arrivals: tuple[Float[Tensor, "*in_shape"], ...]
    multiples: tuple[Float[Tensor, "*in_shape"], ...]
    messages: Float[Tensor, " layers"]

    def __add__(self, other: object) -> Traffic:
        if not isinstance(other, Traffic):
            return NotImplemented
        arrivals = tuple(one + more for one, more in zip(self.arrivals, other.arrivals, strict=True))
        multiples = tuple(one + more for one, more in zip(self.multiples, other.multiples, strict=True))
        recordings, steps = self.recordings + other.recordings, self.steps + other.steps
        return Traffic(recordings, steps, arrivals, multiples, self.messages + other.messages)


class Outcome(NamedTuple):
    """What a batch gave.

    Attributes:
        loss: Mean over the batch (over labelled steps for `each_step`).
        predictions: Classes, [B]; for `each_step` [T, B].
        correct: How many decisions were right.
        count: Of how many.
        spikes: Spikes of each hidden layer, padding excluded, [L].
        neuron_steps: Neurons times valid steps of each hidden layer, [L].
        spikes_by_neuron: Spikes of each neuron, padding excluded, [N] for each hidden layer; of an evaluation only.
        traffic: Arrivals and messages, for what the batch cost; of an evaluation only.
    """

    loss: float
    predictions: Int[Tensor, "*T B"]
    correct: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of an outcome
    spikes: Float[Tensor, " L"]
    neuron_steps: Float[Tensor, " L"]
    spikes_by_neuron: tuple[Float[Tensor, " N"], ...] = ()
    traffic: Traffic | None = None

    def spikes_per_neuron_s(self, dt_ms: float) -> list[float]:
        """Mean spikes per neuron and second of each hidden layer."""
        return [float(rate) for rate in self.spikes / self.neuron_steps * (1000.0 / dt_ms)]
