"""The outcome of a batch of recordings: loss, predictions and number of spikes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Outcome"]


class Outcome(NamedTuple):
    """The outcome of a batch.

    Attributes:
        loss: Mean over the batch (over labelled steps for `each_step`).
        predictions: Classes, [B], for `each_step` [T, B]; numbers [B, C] or [T, B, C] for values and several labels.
        correct: Number of correct decisions; None for values, which are not right or wrong.
        count: Number of decisions, or of rows of values.
        spikes: Number of spikes of each hidden layer, without padding, [L].
        neuron_steps: Number of neurons times the number of valid steps of each hidden layer, [L].
        spikes_by_neuron: Number of spikes of each neuron, without padding, [N] for each hidden layer; only from
            `evaluate`.
    """

    loss: float
    predictions: Int[Tensor, "*T B"] | Float[Tensor, "*T B C"]
    correct: int | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which is not needed here
    spikes: Float[Tensor, " L"]
    neuron_steps: Float[Tensor, " L"]
    spikes_by_neuron: tuple[Float[Tensor, " N"], ...] = ()

    def spikes_per_neuron_s(self, dt_ms: float) -> list[float]:
        """Return the mean number of spikes per neuron and second of each hidden layer."""
        return [float(rate) for rate in self.spikes / self.neuron_steps * (1000.0 / dt_ms)]

    def of_nothing(self) -> Outcome:
        """Return the outcome of an empty shard, given that of the recording that was run instead."""
        none = torch.zeros_like(self.spikes)
        return self._replace(
            loss=0.0, correct=None if self.correct is None else 0, count=0, spikes=none, neuron_steps=none
        )
