"""Synthetic tasks that only timing can solve, each with known ceilings and floors."""

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
    """Names of all tasks."""
    return tuple(sorted(_TASKS))


def options(name: str) -> dict[str, Any]:
    """Everything that can be chosen of a task besides its seed, with what it is where nothing is chosen.

    Example:
        >>> options("polychrony")["max_interval_ms"]
        100
    """
    return {**_defaults(_task(name).splits), **_defaults(_task(name).make)}


def describe(name: str, given: Mapping[str, Any] | None = None) -> Description:
    """Classes, channels and what can be reached, with these of its `options`; makes no recording.

    Raises:
        SpikingGammaError: No such task or option, a value of another kind, or one that the task cannot have.

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
    """A task in three parts.

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
    """The given options, if the task has them and each is of the kind of its default."""
    known = options(name)
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise SpikingGammaError("options", repr(unknown[0]), f"an option of {name}: {', '.join(known)}")
    return {key: _of_kind(key, value, known[key]) for key, value in given.items()}


def _of_kind(key: str, value: Any, default: object) -> Any:
    """The value, a whole number made a float where the default is one."""
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
