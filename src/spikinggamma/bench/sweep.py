"""Sweep over recipes and seeds: the mean accuracy of each recipe, with an interval over seeds and test recordings.

The result of a single run depends on its seed. Runs are trained like those of the other benchmarks (`run_plan`): several at a
time, each in its own folder, kept when they are finished, and resumed when they were interrupted. A synthetic task is generated
for every seed; recorded data has one test part, on which all seeds are tested.

With `leave_out`, each speaker (or value of a column) of one's own recordings is tested on in turn by nets that were trained on
the others, so that all recordings are tested on once for each seed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spikinggamma.bench.bootstrap import crossed_interval, nested_interval
from spikinggamma.bench.kept_runs import Asked, Outcome, PlannedRun, outcomes, planned_run
from spikinggamma.bench.rows import Row, with_row, write_rows
from spikinggamma.bench.run_plan import Needed, check_counts, finished
from spikinggamma.data import is_task
from spikinggamma.data.own import own_recordings
from spikinggamma.data.own_splits import groups_of
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.metrics import metric_of, metric_of_row
from spikinggamma.recipes import Recipe, load_recipe
from spikinggamma.runs import load_run, read_rows
from spikinggamma.training import TrainingInterrupted
from spikinggamma.versions import versions

__all__ = ["sweep", "sweep_table"]

_ROWS = "sweep.jsonl"
_CELL = ("bench", "recipe", "settings", "seeds")


def sweep(
    recipes: Sequence[str],
    out: str | Path,
    *,
    seeds: Sequence[int],
    settings: Sequence[str] = (),
    jobs: int = 1,
    leave_out: str = "",
) -> Iterator[Row]:
    """Yield a row for each recipe, in this order, when its runs are finished; each is added to `sweep.jsonl` in `out`.

    Args:
        recipes: Names of bundled recipes or paths of files.
        out: A new folder, or that of an earlier sweep to continue.
        seeds: Seeds of weights, batch order and generated tasks.
        settings: Overrides for all recipes.
        jobs: Number of runs at a time, with one thread each.
        leave_out: `speaker` or the name of a column, each of whose values is left out of training and tested on in turn.

    Raises:
        SpikingGammaError: A recipe or setting is bad, a recipe or seed is named twice, or the folder holds other runs.
        FailedRuns: A run failed; it is raised after all others are done.
        TrainingInterrupted: The sweep was interrupted by Ctrl-C; the same call continues it.
    """
    check_counts(jobs, seeds)
    names = [Path(recipe).stem for recipe in recipes]
    if len(set(names)) < len(names):
        raise SpikingGammaError("recipes", ", ".join(recipes), "each once, and files of different names")
    plan = []
    for recipe in recipes:
        chosen = load_recipe(recipe, settings)
        task = chosen.data.name if is_task(chosen) else ""
        folds = _folds(chosen, leave_out)
        # Names contain recipe and seed, and a digest of all other settings, which keeps runs with other settings apart.
        runs = [
            [planned_run(recipe, fold, task=task, seed=seed, small=settings) for fold in folds.values()]
            for seed in seeds
        ]
        plan.append(((recipe, folds, runs), [Needed(run, [Asked()]) for of_seed in runs for run in of_seed]))
    folder = Path(out)
    try:
        with closing(finished(plan, folder, jobs)) as done:
            for recipe, folds, runs in done:
                row = _row(recipe, runs, folder, seeds, settings)
                if leave_out:
                    of_groups = f"{metric_of(runs[0][0].recipe).name}_by_group"
                    row |= {"leave_out": leave_out, of_groups: _by_group(list(folds), runs, folder)}
                    row["command"] += f" --leave-out {shlex.quote(leave_out)}"
                write_rows(folder / _ROWS, with_row(read_rows(folder / _ROWS), row, _CELL))
                yield row
    except KeyboardInterrupt:
        raise TrainingInterrupted("Go on with the same command.") from None


def sweep_table(rows: Sequence[Row]) -> str:
    """Return a Markdown table with a line for each recipe."""
    lines = ["| recipe | test | 95 % interval | by seed | validation | spikes per neuron and second | parameters |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: |")
    for row in rows:
        metric = metric_of_row(row)
        every = [metric.text(value) for value in row[f"{metric.name}_by_seed"]]
        by_seed = " ".join(text.removesuffix("%") for text in every)
        interval = f"{100 * row['ci_low']:.1f} to {row['ci_high']:.1%}" if metric.share else "–"
        lines.append(
            f"| {row['recipe']} | {metric.text(row[metric.name])}{'' if metric.share else ' (R²)'} | {interval} | {by_seed} | "
            f"{metric.text(row[f'validation_{metric.name}'])} | {row['spikes_per_neuron_s']:.1f} | {row['parameters']} |"
        )
        groups = row.get(f"{metric.name}_by_group", {})
        lines += [f"| … {name} left out | {metric.text(value)} | | | | | |" for name, value in groups.items()]
    return "\n".join(lines)


def _folds(recipe: Recipe, leave_out: str) -> dict[str, tuple[str, ...]]:
    """Return the overrides of each fold by the name of what it leaves out; one without any where nothing is left out."""
    if not leave_out:
        return {"": ()}
    if not recipe.data.path:
        remedy = "Other data sets name their splits: --set data.split=speaker:NAME."
        raise SpikingGammaError("--leave-out", repr(leave_out), "recordings of your own, at data.path", remedy)
    by_speaker = leave_out in ("speaker", "subject")
    names = groups_of(own_recordings(recipe), leave_out)
    return {
        name: (f"data.split={f'speaker:{name}' if by_speaker else f'column:{leave_out}={name}'}",) for name in names
    }


def _by_group(names: Sequence[str], runs: Sequence[Sequence[PlannedRun]], folder: Path) -> dict[str, float]:
    """Return the mean accuracy, or R², over the seeds on each speaker, or value, that was left out."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for of_seed in runs:
        for name, run in zip(names, of_seed, strict=True):
            outcome = outcomes(folder / run.name, run.recipe)[Asked()]
            found[name].append(float(np.mean(outcome.right)) if outcome.r2 is None else outcome.r2)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _row(
    recipe: str,
    by_seed_runs: Sequence[Sequence[PlannedRun]],
    folder: Path,
    seeds: Sequence[int],
    settings: Sequence[str],
) -> Row:
    runs = [run for of_seed in by_seed_runs for run in of_seed]
    answers = [[outcomes(folder / run.name, run.recipe)[Asked()] for run in of_seed] for of_seed in by_seed_runs]
    chosen = runs[0].recipe
    done = [load_run(folder / run.name) for run in runs]
    results = [run.result or {} for run in done]
    name = metric_of(chosen).name
    words = ["spikinggamma", "sweep", recipe, "--seeds", ",".join(map(str, seeds))]
    words += [word for text in settings for word in ("--set", text)]
    return {
        "bench": "sweep",
        "command": shlex.join(words),
        "seed": seeds[0],
        "device": "cpu",
        "threads": 1,
        "versions": versions(),
        "recipe": recipe,
        "settings": list(settings),
        "task": chosen.data.name,
        "split": chosen.data.split,
        "model": chosen.net.model,
        "rule": chosen.learning.rule,
        "seeds": list(seeds),
        **_figures(answers, chosen),
        f"validation_{name}": float(np.mean([result[f"validation_{name}"] for result in results])),
        "spikes_per_neuron_s": float(np.mean([one.spikes_per_neuron_s for of_seed in answers for one in of_seed])),
        "parameters": results[0]["parameters"],
        "epochs": chosen.training.epochs,
        "best_epochs": [result["best_epoch"] for result in results],
        "train_seconds": round(sum(epoch["seconds"] for run in done for epoch in run.metrics), 1),
        "runs": [run.name for run in runs],
    }


def _figures(answers: Sequence[Sequence[Outcome]], recipe: Recipe) -> Row:
    """Return the accuracy over seeds and recordings with its interval, or R² of values, and of how many recordings."""
    if answers[0][0].r2 is not None:
        r2 = [float(np.mean([one.r2 for one in of_seed])) for of_seed in answers]
        return {"r2": float(np.mean(r2)), "r2_by_seed": r2, "same_samples": not is_task(recipe)}
    right = [np.concatenate([_by_recording(one.right, one.decisions) for one in of_seed]) for of_seed in answers]
    low, high = nested_interval(right) if is_task(recipe) else crossed_interval(np.stack(right))
    by_seed = [float(np.mean(np.concatenate([np.array(one.right) for one in of_seed]))) for of_seed in answers]
    return {
        "accuracy": float(np.mean(by_seed)),
        "ci_low": low,
        "ci_high": high,
        "accuracy_by_seed": by_seed,
        "samples": len(right[0]),
        "same_samples": not is_task(recipe),
    }


def _by_recording(right: Sequence[int], decisions: Sequence[int]) -> Float[np.ndarray, "_"]:
    """Return the correctness of each recording, as the decisions on the steps of one recording are not independent."""
    if not decisions:
        return np.array(right, dtype=float)
    parts = np.split(np.array(right, dtype=float), np.cumsum(decisions)[:-1])
    return np.array([part.mean() for part in parts if len(part)])
