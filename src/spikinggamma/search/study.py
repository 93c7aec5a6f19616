"""The search's memory and its advice, both Optuna's: which trials there were, which to try next, which to break off.

Settings are suggested by the tree-structured Parzen estimator: with l(x) the density of the settings whose value was among
the best, and g(x) of all others, it tries the draw from l with the largest l(x) / g(x). A trial is broken off when its best
validation accuracy so far is below the median of what finished trials had at the same epoch.

Sources: Bergstra, Bardenet, Bengio & Kégl, Algorithms for hyper-parameter optimization, NeurIPS 2011; Golovin et al.,
Google Vizier, KDD 2017 (the median rule); Akiba et al., Optuna, KDD 2019.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState

from spikinggamma.recipes.schema import Range, Search
from spikinggamma.recipes.search_space import ends_of, is_whole
from spikinggamma.runs.metrics import Row
from spikinggamma.seeds import derive_seed

__all__ = ["Advice", "begin_study", "count", "open_study", "rows_of", "suggest", "under_way"]

_NAME = "search"
_JOURNAL = "journal.jsonl"
# Trials that finish before any is broken off.
_BEFORE_PRUNING = 4


class Advice(BaseSampler):
    """The Parzen estimator with random numbers that follow from the seed and the trial's number.

    So a search that was killed goes on to the very settings that it would have tried.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler(trial, param_name).sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, trial: FrozenTrial, name: str = "") -> TPESampler:
        # Processes beside this one see its trial as a bad one, and try something else.
        seed = derive_seed(self._seed, "search", trial.number, name) % 2**32
        return TPESampler(seed=seed, multivariate=True, constant_liar=True)


def begin_study(folder: Path, search: Search, *, epochs: int, first: Mapping[str, Any]) -> optuna.Study:
    """The study in `folder` for the one process that holds it: made if there is none, mended if its writer was killed."""
    path = folder / _JOURNAL
    for lock in folder.glob(f"{_JOURNAL}.lock*"):
        lock.unlink(missing_ok=True)
    if path.exists():
        whole = path.read_bytes().rpartition(b"\n")[0]
        with path.open("r+b") as file:
            file.truncate(len(whole) + 1 if whole else 0)
    study = open_study(folder, search, epochs=epochs)
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial({key: _label(search.space[key], value) for key, value in first.items()})
    return study


def open_study(folder: Path, search: Search, *, epochs: int) -> optuna.Study:
    """The study in `folder`, beside other processes that work on it."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = str(folder / _JOURNAL)
    return optuna.create_study(
        study_name=_NAME,
        storage=JournalStorage(JournalFileBackend(path, lock_obj=JournalFileOpenLock(path))),
        sampler=Advice(search.seed),
        # Steps are epochs, from 1: the first third of them is never the last.
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING, n_warmup_steps=-(-epochs // 3) + 1),
        direction="maximize",
        load_if_exists=True,
    )


def under_way(study: optuna.Study) -> list[Trial]:
    """Trials that were begun and not finished."""
    begun = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [Trial(study, trial._trial_id) for trial in sorted(begun, key=lambda trial: trial.number)]


def count(study: optuna.Study) -> int:
    """How many trials were begun, finished or not."""
    return sum(trial.state != TrialState.WAITING for trial in study.get_trials(deepcopy=False))


def suggest(trial: Trial, space: Mapping[str, Range]) -> dict[str, Any]:
    """The trial's values, by key of the recipe."""
    return {key: _suggest(trial, key, among) for key, among in space.items()}


def rows_of(study: optuna.Study, search: Search) -> list[Row]:
    """One row for each finished trial, in the order in which they were begun."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return [
        {
            "trial": trial.number,
            "state": trial.user_attrs["state"],
            "values": {key: _value(search.space[key], label) for key, label in trial.params.items()},
            **trial.user_attrs["outcome"],
        }
        for trial in sorted(ended, key=lambda trial: trial.number)
    ]


def _suggest(trial: Trial, key: str, among: Range) -> Any:
    if among.choices:
        labels = [_label(among, choice) for choice in among.choices]
        return _value(among, trial.suggest_categorical(key, labels))
    low, high = ends_of(among)
    if is_whole(among):
        return trial.suggest_int(key, int(low), int(high), step=int(among.step or 1), log=among.log)
    return trial.suggest_float(key, float(low), float(high), step=among.step, log=among.log)


def _label(among: Range, value: Any) -> Any:
    """Optuna's choices are plain values; a list goes by its text."""
    return json.dumps(value) if among.choices else value


def _value(among: Range, label: Any) -> Any:
    if not among.choices:
        return label
    return next(choice for choice in among.choices if _label(among, choice) == label)
