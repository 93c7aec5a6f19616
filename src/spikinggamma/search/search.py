"""Hyper-parameter search: find the values in `[search.space]` with the best validation accuracy for a fixed budget.

Every trial trains the recipe with other values from the same seed, and its score is that of its best epoch on validation
recordings; test recordings are never used. The first trial is the recipe as it is. Optuna suggests the values of the others
(see `spikinggamma.search.study`). A search that was interrupted or killed continues with the same trials; with several
processes, suggestions depend on which trials finished first.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.data.loading import resolved
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.metrics import validated
from spikinggamma.evaluation.summaries import table
from spikinggamma.files.atomic import remove_leftovers, write_atomically
from spikinggamma.files.json_files import write_json
from spikinggamma.files.locks import locked
from spikinggamma.optional import require
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.search_space import own_values
from spikinggamma.recipes.toml_files import dump_recipe, load_recipe, with_values
from spikinggamma.runs.build import build_learner, build_net, pick_device
from spikinggamma.runs.metrics import Row
from spikinggamma.runs.run import next_free
from spikinggamma.training.session import TrainingInterrupted
from spikinggamma.versions import versions

__all__ = ["SearchResult", "search", "search_summary"]


class SearchResult(NamedTuple):
    """The result of a search.

    Attributes:
        path: Folder of the search.
        rows: One for each trial, as in `trials.jsonl`: trial, state (whole, pruned, failed), values, validation_accuracy
            and validation_loss of the best epoch, best_epoch, epochs, seconds, and the message of a failed one.
        winner: The best whole trial: by validation accuracy, and by loss where that is a tie.
        recipe: The recipe with the winner's values, as in `best.toml`; its search space is kept.
    """

    path: Path
    rows: list[Row]
    winner: Row
    recipe: Recipe


def search(
    recipe: Recipe,
    out: str | Path | None = None,
    *,
    trials: int | None = None,
    jobs: int = 1,
    device: str = "cpu",
    command: str = "",
) -> SearchResult:
    """Search for the values of `[search.space]` that perform best on validation recordings.

    Args:
        recipe: The recipe to train, with the search space in `[search]`.
        out: A new folder, or the folder of the same search to continue; `runs/<recipe>-search-<n>` if not given.
        trials: Number of trials in all, including those of earlier calls; `search.trials` if not given.
        jobs: Number of processes. With more than one, each uses one thread, and the calling script needs the guard
            `if __name__ == "__main__":`.
        device: auto, cpu or cuda.
        command: Command line to record.

    Raises:
        SpikingGammaError: Optuna is missing; the space is empty; values of the recipe are invalid or outside the space; the
            folder is in use; the disk is full; or no trial finished.
        TrainingInterrupted: The search was interrupted by Ctrl-C; the message says how to continue.

    Example:
        >>> space = "search.space.learning.learning_rate={low=1e-3, high=3e-2, log=true}"
        >>> search(load_recipe("localisation", [space]), trials=20).recipe.learning.learning_rate  # doctest: +SKIP
    """
    require("optuna", "search", "which suggests what to try")
    from spikinggamma.search.findings import Findings
    from spikinggamma.search.processes import work_in_processes
    from spikinggamma.search.study import begin_study, count, under_way
    from spikinggamma.search.trial import Trials, epochs_of, trial_recipe, without_test

    recipe = resolved(recipe if trials is None else with_values(recipe, {"search.trials": trials}))
    first = _first(recipe, jobs)
    where = pick_device(device)
    threads = recipe.training.threads if jobs == 1 else 1
    # This is checked before the folder is created, so that a bad recipe or bad data leaves nothing behind.
    plain = trial_recipe(recipe, first, threads=threads)
    build_learner(build_net(plain), plain)
    splits = without_test(plain)
    folder = _folder(recipe, out)
    with locked(folder):
        try:
            remove_leftovers(folder)
            _write_head(folder, recipe, command=command, device=str(where), jobs=jobs)
            study = begin_study(folder, recipe.search, epochs=epochs_of(recipe), first=first)
            findings = Findings(folder, recipe, study, said=set())
            findings.said.update(row["trial"] for row in findings.rows())
            begun, left = under_way(study), recipe.search.trials - count(study)
            if jobs == 1:
                common = Trials(study, recipe, splits, folder, where, threads)
                for trial in begun:
                    common.conduct(trial)
                    findings.write()
                for _ in range(left):
                    common.conduct(study.ask())
                    findings.write()
            else:
                numbers = [trial.number for trial in begun]
                text = dump_recipe(recipe)
                work_in_processes(jobs, folder, text, str(where), begun=numbers, left=left, look=findings.write)
            findings.write()
            winner = findings.winner()
        except KeyboardInterrupt:
            again = f"spikinggamma search {folder / 'search.toml'} --out {folder}"
            raise TrainingInterrupted(f"Go on with: {again}" + (f" --jobs {jobs}" if jobs > 1 else "")) from None
    return SearchResult(folder, findings.rows(), winner, findings.best(winner))


def search_summary(found: SearchResult) -> str:
    """Return a summary of a search: the winner, the number of trials and the next command."""
    winner, states = found.winner, [row["state"] for row in found.rows]
    metric, value = validated(winner)
    ended = ", ".join(f"{states.count(state)} {state}" for state in ("whole", "pruned", "failed") if state in states)
    lines = [
        ("trials", str(len(found.rows)), ended),
        (
            "best trial",
            f"{winner['trial'] + 1} of {len(found.rows)}",
            f"validation {metric.title} {metric.text(value)}; in trials/{winner['trial']:04d}",
        ),
        *((key, str(value), "") for key, value in winner["values"].items()),
        ("search", str(found.path), "the test split was not used"),
    ]
    return f"\n{found.recipe.name}\n\n{table(lines)}\n\nNext: spikinggamma train {found.path / 'best.toml'}"


def _first(recipe: Recipe, jobs: int) -> dict[str, Any]:
    if not recipe.search.space:
        remedy = "For example: --set 'search.space.learning.learning_rate={low=1e-3, high=3e-2, log=true}'"
        raise SpikingGammaError("search.space", "no keys", "a range for each key to search", remedy)
    if recipe.search.trials < 1:
        raise SpikingGammaError("search.trials", recipe.search.trials, "1 or more", "Give --trials.")
    if jobs < 1:
        raise SpikingGammaError("jobs", jobs, "1 or more")
    return own_values(recipe)


def _folder(recipe: Recipe, out: str | Path | None) -> Path:
    """Return a new folder, or the given one if it holds the same search."""
    try:
        if out is None:
            return next_free(f"{recipe.name}-search")
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpikingGammaError("--out", f"{out or 'runs'} ({error.strerror})", "a folder that can be made") from None
    expected = "a new or empty folder, or one of this search"
    if (folder / "search.toml").exists():
        if _but_for_trials(load_recipe(folder / "search.toml")) != _but_for_trials(recipe):
            remedy = f"Go on with that by its own recipe, {folder / 'search.toml'}, or name another --out."
            raise SpikingGammaError("--out", f"{folder}, which holds another search", expected, remedy)
    elif any(entry.name != ".lock" for entry in folder.iterdir()):
        raise SpikingGammaError("--out", f"{folder}, which is not empty", expected, "Name another --out.")
    return folder


def _but_for_trials(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"search": recipe.search.model_copy(update={"trials": 0})})


def _write_head(folder: Path, recipe: Recipe, *, command: str, device: str, jobs: int) -> None:
    """Write what is needed to repeat the search; a continued search records its latest command."""
    write_atomically(folder / "search.toml", dump_recipe(recipe).encode())
    head = {
        "command": command,
        "seed": recipe.search.seed,
        "device": device,
        "jobs": jobs,
        "versions": versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    write_json(folder / "search.json", head)
