"""Synthetic tasks whose classes differ only in spike timing, with known floors and ceilings of accuracy."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType, UnionType
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.tasks import coincidence, isi, localisation, polychrony
from spikinggamma.tasks.description import Bound, Description

__all__ = [
    "Bound",
    "Description",
    "coincidence",
    "describe",
    "isi",
    "load",
    "localisation",
    "names",
    "options",
    "polychrony",
]

_TASKS: dict[str, ModuleType] = {
    "coincidence": coincidence,
    "isi": isi,
    "localisation": localisation,
    "polychrony": polychrony,
}


def names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(sorted(_TASKS))


def options(name: str) -> dict[str, Any]:
    """Return the options of a task, without the seed, with their default values.

    Example:
        >>> options("polychrony")["max_interval_ms"]
        100
    """
    return {**_defaults(_task(name).splits), **_defaults(_task(name).make)}


def describe(name: str, given: Mapping[str, Any] | None = None) -> Description:
    """Describe a task with the given options: classes, channels, floors and ceiling. No recordings are generated.

    Raises:
        SpikingGammaError: The task or an option is unknown, or a value has the wrong type or is out of range.

    Example:
        >>> [round(bound.accuracy, 3) for bound in describe("isi").floors]
        [0.673, 0.966]
    """
    chosen = {**_defaults(_task(name).make), **_checked(name, given or {})}
    description: Description = _task(name).describe(
        **{key: chosen[key] for key in inspect.signature(_task(name).describe).parameters}
    )
    return description


def load(name: str, *, seed: int, **given: Any) -> Splits:
    """Generate the recordings of a task in three parts.

    Example:
        >>> len(load("localisation", seed=0, n_train=9, n_validation=1, n_test=1).train)
        9
    """
    splits: Splits = _task(name).splits(seed=seed, **_checked(name, given))
    return splits


def _task(name: str) -> ModuleType:
    if name not in _TASKS:
        raise SpikingGammaError("name", repr(name), "a task: " + ", ".join(names()))
    return _TASKS[name]


def _defaults(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {key: entry.default for key, entry in parameters.items() if entry.default is not entry.empty}


def _checked(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given options after checking that the task has them and that types match the defaults."""
    known = options(name)
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise SpikingGammaError("options", repr(unknown[0]), f"an option of {name}: {', '.join(known)}")
    return {key: _of_kind(key, value, known[key]) for key, value in given.items()}


def _of_kind(key: str, value: Any, default: object) -> Any:
    """Return the value if its type matches the default; a whole number becomes a float where the default is one."""
    if isinstance(default, tuple):
        if isinstance(value, tuple | list) and all(_is_number(entry, int | float) for entry in value):
            return tuple(value)
        raise SpikingGammaError(key, repr(value), "a list of numbers")
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        raise SpikingGammaError(key, repr(value), f"a word, as {default!r}")
    if isinstance(default, float):
        if _is_number(value, int | float):
            return float(value)
        raise SpikingGammaError(key, repr(value), "a number")
    if _is_number(value, int):
        return value
    raise SpikingGammaError(key, repr(value), "a whole number")


def _is_number(value: object, kind: type | UnionType) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
