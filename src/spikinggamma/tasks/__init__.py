"""Synthetic tasks whose classes differ only in spike timing, with known floors and ceilings of accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.registry import Entry, import_modules
from spikinggamma.tasks import coincidence, isi, localisation, polychrony
from spikinggamma.tasks.registry import TASKS, Bound, Description, Parts, Task, part_size, register_task

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
    """Return the options of a task, without the seed, with their default values.

    Example:
        >>> options("polychrony")["max_interval_ms"]
        100
    """
    return dict(_entry(name).make_options())


def describe(name: str, given: Mapping[str, Any] | None = None) -> Description:
    """Describe a task with the given options: classes, channels, floors and ceiling. No recordings are generated.

    Raises:
        SpikingGammaError: The task or an option is unknown, or a value has the wrong type or is out of range.

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
    """Generate the recordings of a task in three parts.

    Raises:
        SpikingGammaError: The task or an option is unknown, or a value has the wrong type or is out of range.

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
