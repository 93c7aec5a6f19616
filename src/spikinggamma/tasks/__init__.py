"""Synthetic tasks that only timing can solve, each with known ceilings and floors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.registry import Entry, import_modules
from spikinggamma.tasks import coincidence, isi, localisation, polychrony
from spikinggamma.tasks.description import Bound, Description
from spikinggamma.tasks.registry import TASKS, Parts, Task, part_size, register_task

__all__ = [
    "TASKS",
    "Bound",
    "Description",
    "Parts",
    "Task",
    "coincidence",
    "describe",
    "isi",
    "load",
    "localisation",
    "names",
    "options",
    "part_size",
    "polychrony",
    "register_task",
]

import_modules(__name__, __path__)


def names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return TASKS.names()


def options(name: str) -> dict[str, Any]:
    """Return everything that can be chosen of a task besides its seed, with what it is where nothing is chosen.

    Example:
        >>> options("polychrony")["max_interval_ms"]
        100
    """
    return dict(_entry(name).make_options())


def describe(name: str, given: Mapping[str, Any] | None = None) -> Description:
    """Return classes, channels and what can be reached, with these of its `options`; makes no recording.

    Raises:
        SpikingGammaError: No such task or option, a value of another kind, or one that the task cannot have.

    Example:
        >>> [round(bound.accuracy, 3) for bound in describe("isi").floors]
        [0.673, 0.966]
    """
    entry = _entry(name)
    chosen = dict(entry.make_options(given))
    description: Description = entry.target.describe(
        **{key: value for key, value in chosen.items() if key not in Parts.model_fields}
    )
    return description


def load(name: str, *, seed: int, **given: Any) -> Splits:
    """Return a task in three parts.

    Raises:
        SpikingGammaError: No such task or option, a value of another kind, or one that the task cannot have.

    Example:
        >>> len(load("localisation", seed=0, n_train=9, n_validation=1, n_test=1).train)
        9
    """
    entry = _entry(name)
    splits: Splits = entry.target(seed=seed, **dict(entry.make_options(given)))
    return splits


def _entry(name: str) -> Entry[Task]:
    if name not in TASKS:
        raise SpikingGammaError("name", repr(name), "a task: " + ", ".join(names()))
    return TASKS[name]
