"""Evaluation of a run, and result rows that contain everything needed to repeat it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikinggamma.cost import cost_row
from spikinggamma.cost.energy import load_energy_table
from spikinggamma.data.loading import DataInfo, data_info, load_splits
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.confidence import accuracy_interval
from spikinggamma.evaluation.scores import Part, Score, score
from spikinggamma.events.perturbation import parse_perturbation, perturbed
from spikinggamma.nn import NEURONS
from spikinggamma.recipes import Recipe, longest_step_ms
from spikinggamma.runs.build import build_evaluator, pick_device
from spikinggamma.runs.run import Run, load_run
from spikinggamma.runtime import computing
from spikinggamma.versions import versions

__all__ = ["confusion_matrix", "evaluate", "result_row"]

_MOST_SHOWN = 5000  # rows of values that a result keeps, for its figures


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
        **_figures(found),
        "loss": found.loss,
        "samples": len(found.decisions),
        "seeds": [recipe.training.seed],
        "epochs": recipe.training.epochs,
        "spikes_per_neuron_s": found.spikes_per_neuron_s_overall,
        "spikes_per_neuron_s_by_layer": found.spikes_per_neuron_s,
        "neurons_speaking_by_layer": found.speaking,
    }
    if info.answer in ("values", "step_values"):
        return row | {"outputs": list(info.class_names), **_shown(found, info)}
    row |= {
        "class_names": list(info.class_names),
        "confusion_matrix": confusion_matrix(found.labels, found.predictions, info.n_classes),
    }
    if info.step_labels:
        return row | {"decisions": len(found.labels)}
    return row | {"predictions": found.predictions}


def _figures(found: Score) -> dict[str, Any]:
    """Return the accuracy with its interval, or the metrics of values."""
    if found.right is None:
        return found.metrics
    low, high = accuracy_interval(np.array(found.right, bool), found.decisions)
    return {"accuracy": found.accuracy, "ci_low": low, "ci_high": high}


def _shown(found: Score, info: DataInfo) -> dict[str, Any]:
    """Return targets and predictions, of many steps evenly chosen ones; None where a target is not known."""
    every = max(1, -(-len(found.labels) // _MOST_SHOWN)) if info.step_labels else 1
    chosen = {"targets": found.labels[::every], "predictions": found.predictions[::every]}
    plain = {
        name: [[None if math.isnan(value) else float(f"{value:.6g}") for value in row] for row in rows]
        for name, rows in chosen.items()
    }
    return plain | ({"decisions": len(found.labels)} if info.step_labels else {})


def confusion_matrix(labels: Sequence[int], predictions: Sequence[int], n_classes: int) -> list[list[int]]:
    """Return counts [C, C] of recordings by true class (rows) and predicted class (columns)."""
    matrix = [[0] * n_classes for _ in range(n_classes)]
    for label, prediction in zip(labels, predictions, strict=True):
        matrix[label][prediction] += 1
    return matrix
