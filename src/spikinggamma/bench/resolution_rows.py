"""Rows of the resolution benchmark: accuracy relative to the best step, spikes relative to the reference step, and bounds.

Only full-size SpikingGamma nets have bounds to meet; other nets are measured for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikinggamma import tasks
from spikinggamma.bench.bootstrap import crossed_interval, nested_interval
from spikinggamma.bench.kept_runs import Asked, Outcome, PlannedRun, outcomes
from spikinggamma.bench.resolution_plan import Sweep
from spikinggamma.bench.resolution_table import MEASURED
from spikinggamma.bench.rows import Row, row
from spikinggamma.bench.training_memory import training_memory
from spikinggamma.runs import load_run

__all__ = ["CELL", "rows_of"]

CELL = ("bench", "task", "model", "trained_dt_ms", "run_dt_ms", "mapping", "quick")
LOST, OFF = 0.015, 0.1  # most accuracy lost, largest relative change of spikes
_ROUNDING = 1e-9


class _Point(NamedTuple):
    """Results of nets that were trained at one step, one for each seed, and run at one step."""

    runs: Sequence[PlannedRun]
    answers: list[Outcome]
    accuracy: float
    spikes_per_neuron_s: float


def rows_of(
    sweep: Sweep, seeds: Sequence[int], runs: Mapping[float, Sequence[PlannedRun]], folder: Path, *, quick: bool
) -> list[Row]:
    """Return the rows of a sweep whose runs are finished and evaluated.

    Args:
        sweep: The sweep.
        seeds: Seeds of the runs.
        runs: Runs by the step of training [ms], one for each seed.
        folder: Folder of the runs.
        quick: Whether this is a quick check, without bounds.
    """
    points = {pair: _point(runs[pair[0]], sweep.asked(*pair), folder) for pair in sweep.pairs_ms}
    best = max(point.accuracy for point in points.values())
    (home,) = (point for (_, run_dt_ms), point in points.items() if run_dt_ms == sweep.home_dt_ms)
    return [
        _row(sweep, seeds, pair, points[pair], best, home.spikes_per_neuron_s, folder, quick) for pair in sweep.told_ms
    ]


def _point(runs: Sequence[PlannedRun], asked: Asked, folder: Path) -> _Point:
    answers = [outcomes(folder / run.name, run.recipe)[asked] for run in runs]
    accuracy = float(np.mean([np.mean(answer.right) for answer in answers]))
    return _Point(runs, answers, accuracy, float(np.mean([answer.spikes_per_neuron_s for answer in answers])))


def _row(
    sweep: Sweep,
    seeds: Sequence[int],
    pair_ms: tuple[float, float],
    point: _Point,
    best: float,
    spikes_at_home: float,
    folder: Path,
    quick: bool,
) -> Row:
    case, recipe = sweep.case, point.runs[0].recipe
    right = [np.array(answer.right, dtype=float) for answer in point.answers]
    same_samples = case.task not in tasks.names()
    low, high = crossed_interval(np.stack(right)) if same_samples else nested_interval(right)
    done = [load_run(folder / run.name) for run in point.runs]
    result = done[0].result or {}
    lost = best - point.accuracy
    ratio = point.spikes_per_neuron_s / spikes_at_home if spikes_at_home > 0.0 else None
    demanded = case.model == "spikinggamma" and not quick
    home = "trained" if sweep.mode == "carried" else "recipe's"
    measured = row(
        "resolution",
        quick=quick,
        seed=seeds[0],
        threads=1,
        task=case.task,
        model=case.model,
        rule=result["rule"],
        mode=sweep.mode,
        recipe=case.recipe,
        overrides=list(case.overrides),
        loss=recipe.learning.loss,
        hidden=list(recipe.net.hidden),
        tau_ms=[recipe.neuron["tau_ms"]] if recipe.neuron else list(recipe.net.tau_ms),
        recipe_dt_ms=sweep.recipe_dt_ms,
        trained_dt_ms=pair_ms[0],
        run_dt_ms=pair_ms[1],
        steps=point.answers[0].steps,
        accuracy=point.accuracy,
        ci_low=low,
        ci_high=high,
        seeds=list(seeds),
        accuracy_by_seed=[float(part.mean()) for part in right],
        accuracy_lost=lost,
        accuracy_demand=f"at most {LOST} below the best at any step" if demanded else "",
        accuracy_holds=lost <= LOST + _ROUNDING if demanded else None,
        spikes_per_neuron_s=point.spikes_per_neuron_s,
        spikes_ratio=ratio,
        spikes_demand=f"within {OFF:.0%} of those at the {home} step" if demanded else "",
        spikes_hold=ratio is not None and abs(ratio - 1.0) <= OFF + _ROUNDING if demanded else None,
        split=recipe.data.split,
        samples=len(right[0]),
        same_samples=same_samples,
        parameters=result["parameters"],
        epochs=recipe.training.epochs,
        best_epochs=[(run.result or {})["best_epoch"] for run in done],
        runs=[run.name for run in point.runs],
        train_seconds=round(sum(epoch["seconds"] for run in done for epoch in run.metrics), 1),
    )
    words = ["spikinggamma bench resolution", *(["--quick"] if quick else []), "--only", case.task]
    words += ["--models", case.model, "--seeds", ",".join(map(str, seeds))]
    if sweep.mapping:
        measured["mapping"] = sweep.mapping
    if sweep.mode == "trained" and case.task in MEASURED:
        measured |= training_memory(point.runs[0], point.answers[0].steps)
    return measured | {"quick": quick, "command": " ".join(words)}
