"""One trial of a search: a run that is trained and validated, and never tested."""

from __future__ import annotations

import math
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import optuna
import torch
from optuna.trial import Trial, TrialState

from spikinggamma.data.loading import check_parts, load_splits
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation.metrics import metric_of
from spikinggamma.events import Splits
from spikinggamma.recipes.schema import Recipe, Search
from spikinggamma.recipes.toml_files import with_values
from spikinggamma.runs.metrics import Row
from spikinggamma.runs.run import Run, create_run, load_run
from spikinggamma.search.study import suggest
from spikinggamma.training.loop import fit
from spikinggamma.training.non_finite import NotFinite
from spikinggamma.training.progress import SilentReporter

__all__ = ["Trials", "epochs_of", "trial_recipe", "without_test"]


class Trials(NamedTuple):
    """Runs trials of one search in one process."""

    study: optuna.Study
    recipe: Recipe
    splits: Splits
    folder: Path
    device: torch.device
    threads: int

    def conduct(self, trial: Trial) -> None:
        """Train one trial until it ends or is pruned, and report its result to the study.

        A trial whose values are incompatible, or whose numbers become non-finite, fails. It is reported to Optuna with the
        worst figure, so that the search moves away from it.
        """
        values = suggest(trial, self.recipe.search.space)
        try:
            recipe = trial_recipe(self.recipe, values, threads=self.threads)
        except SpikingGammaError as error:
            self._fail(trial, error)
            return
        run = self._run(trial.number, recipe)
        try:
            best, rows = fit(
                run,
                self._splits(recipe),
                device=self.device,
                reporter=SilentReporter(),
                should_stop=self._pruning(trial),
            )
        except NotFinite as error:
            self._fail(trial, error, load_run(run.path).metrics)
            return
        whole = len(rows) == recipe.training.epochs
        outcome = {
            f"validation_{metric_of(self.recipe).name}": best.accuracy,
            "validation_loss": best.loss,
            "best_epoch": best.epoch,
            **_spent(rows),
        }
        _note(trial, "whole" if whole else "pruned", outcome)
        if whole:
            self.study.tell(trial, best.accuracy)
        else:
            self.study.tell(trial, state=TrialState.PRUNED)

    def _run(self, number: int, recipe: Recipe) -> Run:
        """Return the run of the trial: an existing one to continue if it has the same recipe, else a new one."""
        folder = self.folder / "trials" / f"{number:04}"
        if (folder / "run.json").exists():
            run = load_run(folder)
            if run.recipe == recipe:
                return run
        shutil.rmtree(folder, ignore_errors=True)
        return create_run(recipe, folder, command="", device=str(self.device))

    def _splits(self, recipe: Recipe) -> Splits:
        same = recipe.data.model_copy(update={"dt_ms": self.recipe.data.dt_ms}) == self.recipe.data
        return self.splits if same else without_test(recipe)

    def _pruning(self, trial: Trial) -> Callable[[Row], bool]:
        reported = set(self.study.get_trials(deepcopy=False)[trial.number].intermediate_values)
        parent, epochs = multiprocessing.parent_process(), epochs_of(self.recipe)

        def should_stop(row: Row) -> bool:
            if parent is not None and not parent.is_alive():
                raise KeyboardInterrupt  # the parent process has ended
            if row["epoch"] not in reported:  # a killed process may have reported it
                trial.report(row[f"validation_{metric_of(self.recipe).name}"], row["epoch"])
                reported.add(row["epoch"])
            return row["epoch"] < epochs and bool(trial.should_prune())

        return should_stop

    def _fail(self, trial: Trial, error: SpikingGammaError, rows: list[Row] | None = None) -> None:
        metric = metric_of(self.recipe)
        outcome = {f"validation_{metric.name}": metric.worst, "validation_loss": None, "best_epoch": 0}
        _note(trial, "failed", outcome | _spent(rows or []) | {"message": str(error)})
        self.study.tell(trial, metric.worst)


def trial_recipe(recipe: Recipe, values: dict[str, object], *, threads: int) -> Recipe:
    """Return the recipe with the values of a trial.

    Raises:
        SpikingGammaError: The values are incompatible.
    """
    budget = {"training.epochs": epochs_of(recipe), "training.threads": threads}
    return with_values(recipe.model_copy(update={"search": Search()}), {**budget, **values})


def without_test(recipe: Recipe) -> Splits:
    """Load the recordings of a recipe without the test part."""
    return check_parts(load_splits(recipe), recipe, ("train", "validation"))._replace(test=[])


def epochs_of(recipe: Recipe) -> int:
    """Return the number of epochs of each trial."""
    return recipe.search.epochs or recipe.training.epochs


def _spent(rows: list[Row]) -> Row:
    return {"epochs": len(rows), "seconds": math.fsum(row["seconds"] for row in rows)}


def _note(trial: Trial, state: str, outcome: Row) -> None:
    trial.set_user_attr("outcome", outcome)
    trial.set_user_attr("state", state)
