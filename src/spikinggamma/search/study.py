"""The Optuna study of a search: it stores trials, suggests the next values, and prunes poor trials.

Values are suggested by the tree-structured Parzen estimator: with l(x) the density of the settings with the best scores,
and g(x) that of all others, it tries the draw from l with the largest l(x) / g(x). A trial is pruned when its best
validation accuracy so far is below the median of finished trials at the same epoch.

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
# Number of trials that finish before any is pruned.
_BEFORE_PRUNING = 4


class Advice(BaseSampler):
    """The Parzen estimator with random numbers that depend only on the seed and the trial's number.

    A search that was killed therefore continues with the settings that it would have tried.
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
        # Other processes treat its running trial as a poor one, and try something else.
        seed = derive_seed(self._seed, "search", trial.number, name) % 2**32
        return TPESampler(seed=seed, multivariate=True, constant_liar=True)


def begin_study(folder: Path, search: Search, *, epochs: int, first: Mapping[str, Any]) -> optuna.Study:
    """Open the study in `folder` for the process that holds the lock; create it if missing, repair it after a crash."""
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
    """Open the study in `folder` while other processes use it too."""
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
    """Return the trials that were started and not finished."""
    begun = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [Trial(study, trial._trial_id) for trial in sorted(begun, key=lambda trial: trial.number)]


def count(study: optuna.Study) -> int:
    """Return the number of trials that were started, finished or not."""
    return sum(trial.state != TrialState.WAITING for trial in study.get_trials(deepcopy=False))


def suggest(trial: Trial, space: Mapping[str, Range]) -> dict[str, Any]:
    """Return the suggested values of a trial, by recipe key."""
    return {key: _suggest(trial, key, among) for key, among in space.items()}


def rows_of(study: optuna.Study, search: Search) -> list[Row]:
    """Return one row for each finished trial, in the order in which they were started."""
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
    """Return a value as an Optuna choice: a list becomes text, as choices are plain values."""
    return json.dumps(value) if among.choices else value


def _value(among: Range, label: Any) -> Any:
    if not among.choices:
        return label
    return next(choice for choice in among.choices if _label(among, choice) == label)
