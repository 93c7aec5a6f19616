"""What a batch of recordings gave: how well it was answered, and what went through the net."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Outcome"]


class Outcome(NamedTuple):
    """What a batch gave.

    Attributes:
        loss: Mean over the batch (over labelled steps for `each_step`).
        predictions: Classes, [B], for `each_step` [T, B]; or numbers [B, C] or [T, B, C] where these are asked for.
        correct: How many decisions were right; None of values, which are near or far.
        count: Of how many decisions, or rows of values.
        spikes: Spikes of each hidden layer, padding excluded, [L].
        neuron_steps: Neurons times valid steps of each hidden layer, [L].
        spikes_by_neuron: Spikes of each neuron, padding excluded, [N] for each hidden layer; of an evaluation only.
    """

    loss: float
    predictions: Int[Tensor, "*T B"] | Float[Tensor, "*T B C"]
    correct: int | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of an outcome
    spikes: Float[Tensor, " L"]
    neuron_steps: Float[Tensor, " L"]
    spikes_by_neuron: tuple[Float[Tensor, " N"], ...] = ()

    def spikes_per_neuron_s(self, dt_ms: float) -> list[float]:
        """Mean spikes per neuron and second of each hidden layer."""
        return [float(rate) for rate in self.spikes / self.neuron_steps * (1000.0 / dt_ms)]

    def of_nothing(self) -> Outcome:
        """Return the outcome of an empty share, from that of what was gone through instead."""
        none = torch.zeros_like(self.spikes)
        return self._replace(
            loss=0.0, correct=None if self.correct is None else 0, count=0, spikes=none, neuron_steps=none
        )
