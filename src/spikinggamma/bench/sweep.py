"""Recipes x seeds: the mean accuracy of each recipe with a confidence interval over seeds and test recordings.

What a single run says of a recipe depends on its seed. Runs are trained as those of the other benches are (`run_plan`): several
at a time, each in a folder of its own, kept when they are finished, gone on with when they were cut off. A task that is made on
the spot is made anew for every seed; recorded data has one test part, which all seeds are tested on.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spikinggamma import tasks
from spikinggamma.bench.bootstrap import crossed_interval, nested_interval
from spikinggamma.bench.kept_runs import Asked, PlannedRun, outcomes, planned_run
from spikinggamma.bench.rows import Row, with_row, write_rows
from spikinggamma.bench.run_plan import Needed, check_counts, finished
from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes import load_recipe
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
) -> Iterator[Row]:
    """A row for each recipe, in this order, as soon as its runs are finished; each is added to `sweep.jsonl` in `out`.

    Args:
        recipes: Names of bundled ones or paths of files.
        out: A folder, new or of an earlier sitting.
        seeds: Of weights, order and generated tasks.
        settings: Overrides of all recipes.
        jobs: Runs at a time, of one thread each.

    Raises:
        SpikingGammaError: A recipe or setting that is none; a recipe or seed named twice; a folder of other runs.
        FailedRuns: After everything else was done, if a run failed.
        TrainingInterrupted: Ctrl-C; called again, it goes on.
    """
    check_counts(jobs, seeds)
    names = [Path(recipe).stem for recipe in recipes]
    if len(set(names)) < len(names):
        raise SpikingGammaError("recipes", ", ".join(recipes), "each once, and files of different names")
    plan = []
    for recipe in recipes:
        task = load_recipe(recipe, settings).data.name
        # Names tell recipe and seed; a digest in them, of all else, keeps runs of other settings apart.
        runs = [planned_run(recipe, (), task=task, seed=seed, small=settings) for seed in seeds]
        plan.append(((recipe, runs), [Needed(run, [Asked()]) for run in runs]))
    folder = Path(out)
    try:
        with closing(finished(plan, folder, jobs)) as done:
            for recipe, runs in done:
                row = _row(recipe, runs, folder, seeds, settings)
                write_rows(folder / _ROWS, with_row(read_rows(folder / _ROWS), row, _CELL))
                yield row
    except KeyboardInterrupt:
        raise TrainingInterrupted("Go on with the same command.") from None


def sweep_table(rows: Sequence[Row]) -> str:
    """A line a recipe, in Markdown."""
    lines = ["| recipe | test | 95 % interval | by seed | validation | spikes per neuron and second | parameters |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: |")
    for row in rows:
        by_seed = " ".join(f"{100 * accuracy:.1f}" for accuracy in row["accuracy_by_seed"])
        lines.append(
            f"| {row['recipe']} | {row['accuracy']:.1%} | {100 * row['ci_low']:.1f} to {row['ci_high']:.1%} | {by_seed} | "
            f"{row['validation_accuracy']:.1%} | {row['spikes_per_neuron_s']:.1f} | {row['parameters']} |"
        )
    return "\n".join(lines)


def _row(recipe: str, runs: Sequence[PlannedRun], folder: Path, seeds: Sequence[int], settings: Sequence[str]) -> Row:
    answers = [outcomes(folder / run.name, run.recipe)[Asked()] for run in runs]
    right = [_by_recording(answer.right, answer.decisions) for answer in answers]
    chosen = runs[0].recipe
    made_anew = chosen.data.name in tasks.names()
    low, high = nested_interval(right) if made_anew else crossed_interval(np.stack(right))
    by_seed = [float(np.mean(answer.right)) for answer in answers]
    done = [load_run(folder / run.name) for run in runs]
    results = [run.result or {} for run in done]
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
        "accuracy": float(np.mean(by_seed)),
        "ci_low": low,
        "ci_high": high,
        "accuracy_by_seed": by_seed,
        "validation_accuracy": float(np.mean([result["validation_accuracy"] for result in results])),
        "samples": len(right[0]),
        "same_samples": not made_anew,
        "spikes_per_neuron_s": float(np.mean([answer.spikes_per_neuron_s for answer in answers])),
        "parameters": results[0]["parameters"],
        "epochs": chosen.training.epochs,
        "best_epochs": [result["best_epoch"] for result in results],
        "train_seconds": round(sum(epoch["seconds"] for run in done for epoch in run.metrics), 1),
        "runs": [run.name for run in runs],
    }


def _by_recording(right: Sequence[int], decisions: Sequence[int]) -> Float[np.ndarray, "_"]:
    """How right each recording was: steps of one are right or wrong together, so they are not counted as drawn apart."""
    if not decisions:
        return np.array(right, dtype=float)
    parts = np.split(np.array(right, dtype=float), np.cumsum(decisions)[:-1])
    return np.array([part.mean() for part in parts if len(part)])
