"""Evaluation of trained nets: scores, and result rows that contain everything needed to repeat them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from spikinggamma.cost import EventCounts, cost_row, event_counter
from spikinggamma.cost.energy import load_energy_table
from spikinggamma.data.loading import DataInfo, data_info, load_splits
from spikinggamma.distributed import ALONE, ProcessGroup
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.confidence import accuracy_interval
from spikinggamma.events import Batch, EpochBatches, Recording
from spikinggamma.events.perturbation import parse_perturbation, perturbed
from spikinggamma.learning import Evaluator, Outcome
from spikinggamma.nn import NEURONS
from spikinggamma.recipes import Recipe, longest_step_ms
from spikinggamma.runs.build import build_evaluator, pick_device
from spikinggamma.runs.run import Run, load_run
from spikinggamma.runtime import computing
from spikinggamma.versions import versions

__all__ = ["Part", "Score", "confusion_matrix", "evaluate", "result_row", "score"]

Part = Literal["train", "validation", "test"]


class Score(NamedTuple):
    """The result of an evaluation, in the order of the recordings, with one decision each or one for each labelled step."""

    loss: float
    labels: list[int]
    predictions: list[int]
    decisions: list[int]  # of each recording
    spikes_per_neuron_s: list[float]  # by hidden layer
    spikes_per_neuron_s_overall: float
    speaking: list[float]  # share of neurons that spiked at least once, by hidden layer
    events: EventCounts | None  # None for nets whose events are not counted

    @property
    def correct(self) -> int:
        """Number of correct predictions."""
        return sum(label == guess for label, guess in zip(self.labels, self.predictions, strict=True))

    @property
    def accuracy(self) -> float:
        """Share of correct predictions."""
        return self.correct / len(self.labels)


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
    found: list[tuple[list[int], list[int]]] = [([], []) for _ in recordings]
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
    return Score(
        loss=loss / decided,
        labels=[label for labels, _ in found for label in labels],
        predictions=[guess for _, guesses in found for guess in guesses],
        decisions=[len(labels) for labels, _ in found],
        spikes_per_neuron_s=[n / (steps * seconds) for n, steps in zip(spikes, neuron_steps, strict=True)],
        spikes_per_neuron_s_overall=sum(spikes) / (sum(neuron_steps) * seconds) if neuron_steps else 0.0,
        speaking=[float((counts > 0).double().mean()) for counts in by_neuron],
        events=reduce(operator.add, events) if events else None,
    )


def evaluate(
    run: Run | str | Path,
    *,
    part: Part = "test",
    dt_ms: float | None = None,
    perturb: Sequence[str] = (),
    perturb_seed: int = 0,
    threshold_scale: float = 1.0,
    energies: str | Path = "float32",
    device: str = "auto",
    command: str = "",
) -> dict[str, Any]:
    """Evaluate the best epoch of a run; return a row with accuracy, confidence interval, spikes and settings.

    Args:
        run: A run or its folder.
        part: Part of the data.
        dt_ms: Time step; the recipe's own if not given. Weights do not depend on it.
        perturb: Perturbations of the recordings, applied in this order, such as `jitter=5ms` (`parse_perturbation`).
        perturb_seed: Seed of the perturbations.
        threshold_scale: Factor for all thresholds; the net is not retrained. Above 1 it spikes less.
        energies: Table of energies per operation: a name in `ENERGY_TABLES`, or a file (`load_energy_table`).
        device: auto, cpu or cuda.
        command: Command line to record in the row.

    Raises:
        SpikingGammaError: There is no run or checkpoint; the time step is not positive or exceeds the shortest bucket; a
            perturbation is unknown; or thresholds are scaled in a net that has none.
    """
    run = run if isinstance(run, Run) else load_run(run)
    recipe, where = run.recipe, pick_device(device)
    step = recipe.data.dt_ms if dt_ms is None else dt_ms
    shortest = longest_step_ms(recipe)
    if not (math.isfinite(step) and 0.0 < step <= shortest):
        raise SpikingGammaError("dt_ms", step, f"above 0 and at most {shortest} ms, the shortest bucket")
    perturbations = [parse_perturbation(text) for text in perturb]
    table = load_energy_table(energies)
    net = run.net("best", device=str(where))
    if threshold_scale != 1.0:
        net.scale_thresholds_(threshold_scale)
    recordings = perturbed(getattr(load_splits(recipe), part), perturbations, seed=perturb_seed)
    with computing(threads=recipe.training.threads, products=recipe.training.products):
        found = score(build_evaluator(net, recipe, dt_ms=step), recipe, recordings, where)
    row = result_row(recipe, data_info(recipe), found, command=command, device=str(where), part=part)
    parameters = sum(parameter.numel() for parameter in net.parameters())
    row |= {"run": str(run.path), "parameters": parameters, "trained_dt_ms": recipe.data.dt_ms, "run_dt_ms": step}
    row |= {"threshold_scale": threshold_scale, "cost": cost_row(net, found.events, step, table)}
    if perturbations:
        row |= {"perturb": [str(one) for one in perturbations], "perturb_seed": perturb_seed}
    return row


def result_row(recipe: Recipe, info: DataInfo, found: Score, *, command: str, device: str, part: str) -> dict[str, Any]:
    """Return the row of an evaluation in the form of benchmark rows, with confusion matrix and predictions."""
    low, high = accuracy_interval(np.equal(found.labels, found.predictions), found.decisions)
    row = {
        "bench": recipe.data.name,
        "command": command,
        "seed": recipe.training.seed,
        "device": device,
        "threads": recipe.training.threads,
        "versions": versions(),
        "model": recipe.net.model,
        "delays": recipe.delays.kind if recipe.net.model in NEURONS else "none",
        "recipe": recipe.name,
        "rule": recipe.learning.rule,
        "loss_kind": recipe.learning.loss,
        "split": recipe.data.split,
        "variant": recipe.data.variant,
        "data_perturb": list(recipe.data.perturb),
        "part": part,
        "accuracy": found.accuracy,
        "ci_low": low,
        "ci_high": high,
        "loss": found.loss,
        "samples": len(found.decisions),
        "seeds": [recipe.training.seed],
        "epochs": recipe.training.epochs,
        "spikes_per_neuron_s": found.spikes_per_neuron_s_overall,
        "spikes_per_neuron_s_by_layer": found.spikes_per_neuron_s,
        "neurons_speaking_by_layer": found.speaking,
        "class_names": list(info.class_names),
        "confusion_matrix": confusion_matrix(found.labels, found.predictions, info.n_classes),
    }
    if info.step_labels:
        return row | {"decisions": len(found.labels)}
    return row | {"predictions": found.predictions}


def confusion_matrix(labels: Sequence[int], predictions: Sequence[int], n_classes: int) -> list[list[int]]:
    """Return counts [C, C] of recordings by true class (rows) and predicted class (columns)."""
    matrix = [[0] * n_classes for _ in range(n_classes)]
    for label, prediction in zip(labels, predictions, strict=True):
        matrix[label][prediction] += 1
    return matrix


def _judged(
    evaluator: Evaluator, batch: Batch, device: torch.device
) -> tuple[Outcome, list[tuple[list[int], list[int]]], EventCounts | None]:
    """Return the outcome of a batch, labels and predictions of each recording, and its events where they are counted."""
    counter = event_counter(evaluator.net)
    inputs = (batch.spikes.to(device), batch.labels.to(device), batch.lengths.to(device))
    outcome = evaluator.evaluate(*inputs, observers=[] if counter is None else [counter])
    outcome = outcome._replace(predictions=outcome.predictions.cpu())
    return outcome, list(_decisions(batch, outcome.predictions)), None if counter is None else counter.counts


def _decisions(batch: Batch, predictions: torch.Tensor) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the labels and the predictions of each recording of a batch."""
    if batch.labels.ndim == 1:
        yield from (
            ([label], [guess]) for label, guess in zip(batch.labels.tolist(), predictions.tolist(), strict=True)
        )
        return
    for labels, guesses in zip(batch.labels.unbind(1), predictions.unbind(1), strict=True):
        labelled = labels >= 0
        yield labels[labelled].tolist(), guesses[: len(labels)][labelled].tolist()


def _add(total: list[float], more: torch.Tensor) -> list[float]:
    values = [float(value) for value in more.tolist()]
    return [a + b for a, b in zip(total, values, strict=True)] if total else values
