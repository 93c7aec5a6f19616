"""Rows of the timing suite: accuracy over seeds with a confidence interval, spikes, and bounds of the task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spikinggamma.bench.bootstrap import crossed_interval, nested_interval
from spikinggamma.bench.kept_runs import PlannedRun, outcomes
from spikinggamma.bench.rows import Row, row
from spikinggamma.bench.timing_plan import Cell, asked_of
from spikinggamma.bench.timing_table import SPEECH
from spikinggamma.data import Bound, data_info
from spikinggamma.runs import load_run

__all__ = ["CELL", "row_of"]

CELL = ("bench", "task", "variant", "model", "perturbation", "level", "mode", "quick")


def row_of(cell: Cell, seeds: Sequence[int], runs: Sequence[PlannedRun], folder: Path, *, quick: bool) -> Row:
    """Return the row of a cell whose runs are finished and evaluated.

    Args:
        cell: The cell.
        seeds: Seeds of the runs.
        runs: The runs, one for each seed.
        folder: Folder of the runs.
        quick: Whether it is a quick check.
    """
    answers = []
    for run in runs:
        known = outcomes(folder / run.name, run.recipe)
        answers.append([known[asked] for asked in asked_of(cell)])
    right = [np.mean([answer.right for answer in of_seed], axis=0) for of_seed in answers]
    low, high = crossed_interval(np.stack(right)) if cell.task in SPEECH else nested_interval(right)
    done = [load_run(folder / run.name) for run in runs]
    result = done[0].result or {}
    recipe = runs[0].recipe
    info = data_info(recipe)
    measured = row(
        "timing",
        quick=quick,
        seed=seeds[0],
        threads=1,
        **cell.key,
        group=cell.group,
        rule=result["rule"],
        recipe=cell.recipe,
        overrides=list(cell.overrides),
        accuracy=float(np.mean([part.mean() for part in right])),
        ci_low=low,
        ci_high=high,
        seeds=list(seeds),
        accuracy_by_seed=[float(part.mean()) for part in right],
        split=recipe.data.split,
        samples=len(right[0]),
        same_samples=cell.task in SPEECH,
        perturb_seeds=[asked.perturb_seed for asked in asked_of(cell)] if cell.perturb else [],
        spikes_per_neuron_s=float(np.mean([[answer.spikes_per_neuron_s for answer in part] for part in answers])),
        parameters=result["parameters"],
        epochs=recipe.training.epochs,
        best_epochs=[(run.result or {})["best_epoch"] for run in done],
        floors=[_bound(bound) for bound in info.floors],
        ceiling=None if info.ceiling is None else _bound(info.ceiling),
        runs=[run.name for run in runs],
        train_seconds=round(sum(epoch["seconds"] for run in done for epoch in run.metrics), 1),
    )
    words = ["spikinggamma bench timing", *(["--quick"] if quick else []), "--only", cell.group, "--models", cell.model]
    return measured | {"quick": quick, "command": " ".join([*words, "--seeds", ",".join(map(str, seeds))])}


def _bound(bound: Bound) -> dict[str, float | str]:
    return {"accuracy": bound.accuracy, "why": bound.why}
