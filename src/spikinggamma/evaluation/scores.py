"""Evaluation of trained nets: scores, and result rows that contain everything needed to repeat them."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from spikinggamma.cost import EventCounts, event_counter
from spikinggamma.distributed import ALONE, ProcessGroup
from spikinggamma.evaluation.metrics import R2, value_metrics
from spikinggamma.events import Batch, EpochBatches, Recording
from spikinggamma.learning import LOSSES, Evaluator, Outcome
from spikinggamma.learning.loss import Answer
from spikinggamma.recipes import Recipe

__all__ = ["Part", "Score", "score"]

Part = Literal["train", "validation", "test"]
_Pair = tuple[list[Any], list[Any]]  # labels and predictions of a recording


class Score(NamedTuple):
    """The result of an evaluation, in the order of the recordings, with one decision each or one for each labelled step.

    Where values are asked for, or shares of classes, labels and predictions are rows of them, with NaN where none is known.
    """

    loss: float
    labels: list[Any]
    predictions: list[Any]
    decisions: list[int]  # of each recording
    spikes_per_neuron_s: list[float]  # by hidden layer
    spikes_per_neuron_s_overall: float
    speaking: list[float]  # share of neurons that spiked at least once, by hidden layer
    events: EventCounts | None  # None for nets whose events are not counted
    right: list[bool] | None = None  # whether each decision is; None of values, which are near or far

    @property
    def correct(self) -> int:
        """Number of correct predictions; 0 of values."""
        return sum(self.right or [])

    @property
    def accuracy(self) -> float:
        """Share of correct predictions."""
        return self.correct / len(self.labels)

    @property
    def figure(self) -> float:
        """The figure by which nets are compared: the accuracy, or R² of values, its worst where it is not defined."""
        if self.right is not None:
            return self.accuracy
        found = self.metrics["r2"]
        return R2.worst if found is None else float(found)

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics of values, as `value_metrics` names them."""
        return value_metrics(np.array(self.labels, np.float64), np.array(self.predictions, np.float64))


def score(
    evaluator: Evaluator,
    recipe: Recipe,
    recordings: Sequence[Recording],
    device: torch.device,
    processes: ProcessGroup = ALONE,
) -> Score:
    """Evaluate on `recordings` at the evaluator's time step, without learning or augmentation.

    The batches are divided among the processes.
    """
    # Recordings of similar length share a batch, for less padding. Results are put back in the given order.
    order = sorted(range(len(recordings)), key=lambda index: recordings[index].duration_us)
    loss, decided = 0.0, 0
    counted = 0
    found: list[_Pair] = [([], []) for _ in recordings]
    judged = LOSSES[evaluator.loss].target.answer
    spikes: list[float] = []
    neuron_steps: list[float] = []
    by_neuron: list[torch.Tensor] = []
    events: list[EventCounts] = []
    epoch = EpochBatches(
        [recordings[index] for index in order],
        batch_size=recipe.training.batch_size,
        dt_ms=evaluator.dt_ms,
        n_channels=recipe.data.n_channels or None,
        seed=0,
        epoch=0,
        shuffle=False,
    )
    for outcome, pairs, counted_events in processes.spread(
        len(epoch), lambda index: _judged(evaluator, epoch[index], device)
    ):
        loss += outcome.loss * outcome.count
        for place, pair in enumerate(pairs, start=counted):
            found[order[place]] = pair
        counted += len(pairs)
        decided += outcome.count
        spikes = _add(spikes, outcome.spikes)
        neuron_steps = _add(neuron_steps, outcome.neuron_steps)
        events += [] if counted_events is None else [counted_events]
        more = outcome.spikes_by_neuron
        by_neuron = [a + b for a, b in zip(by_neuron, more, strict=True)] if by_neuron else list(more)
    seconds = evaluator.dt_ms / 1000.0
    labels = [label for labels, _ in found for label in labels]
    predictions = [guess for _, guesses in found for guess in guesses]
    return Score(
        loss=loss / decided,
        labels=labels,
        predictions=predictions,
        decisions=[len(labels) for labels, _ in found],
        spikes_per_neuron_s=[n / (steps * seconds) for n, steps in zip(spikes, neuron_steps, strict=True)],
        spikes_per_neuron_s_overall=sum(spikes) / (sum(neuron_steps) * seconds) if neuron_steps else 0.0,
        speaking=[float((counts > 0).double().mean()) for counts in by_neuron],
        events=reduce(operator.add, events) if events else None,
        right=_right(labels, predictions, judged),
    )


def _judged(
    evaluator: Evaluator, batch: Batch, device: torch.device
) -> tuple[Outcome, list[_Pair], EventCounts | None]:
    """Return the outcome of a batch, labels and predictions of each recording, and its events where they are counted."""
    counter = event_counter(evaluator.net)
    inputs = (batch.spikes.to(device), batch.labels.to(device), batch.lengths.to(device))
    outcome = evaluator.evaluate(*inputs, observers=[] if counter is None else [counter])
    outcome = outcome._replace(predictions=outcome.predictions.cpu())
    return outcome, list(_decisions(batch, outcome.predictions)), None if counter is None else counter.counts


def _decisions(batch: Batch, predictions: torch.Tensor) -> Iterator[_Pair]:
    """Yield the labels and the predictions of each recording of a batch."""
    if batch.labels.is_floating_point():
        by_step = batch.labels.ndim == 3
        for column in range(len(batch.lengths)):
            wanted = batch.labels[:, column] if by_step else batch.labels[column].unsqueeze(0)
            said = predictions[: len(wanted), column] if by_step else predictions[column].unsqueeze(0)
            known = ~wanted.isnan().all(1)
            yield wanted[known].tolist(), said[known].tolist()
        return
    if batch.labels.ndim == 1:
        yield from (
            ([label], [guess]) for label, guess in zip(batch.labels.tolist(), predictions.tolist(), strict=True)
        )
        return
    for labels, guesses in zip(batch.labels.unbind(1), predictions.unbind(1), strict=True):
        labelled = labels >= 0
        yield labels[labelled].tolist(), guesses[: len(labels)][labelled].tolist()


def _right(labels: list[Any], predictions: list[Any], judged: Answer) -> list[bool] | None:
    """Return whether each decision is right; None of values.

    Of several labels all that are known have to be right, of shares the largest.
    """
    if not labels or not isinstance(labels[0], list):
        return [label == guess for label, guess in zip(labels, predictions, strict=True)]
    wanted, said = np.array(labels, np.float64), np.array(predictions, np.float64)
    if judged is Answer.LABELS:
        return list(map(bool, (((said > 0.5) == (wanted > 0.5)) | np.isnan(wanted)).all(axis=1)))
    if judged is Answer.SHARES:
        return list(map(bool, said.argmax(axis=1) == np.nan_to_num(wanted, nan=-1.0).argmax(axis=1)))
    return None


def _add(total: list[float], more: torch.Tensor) -> list[float]:
    values = [float(value) for value in more.tolist()]
    return [a + b for a, b in zip(total, values, strict=True)] if total else values
