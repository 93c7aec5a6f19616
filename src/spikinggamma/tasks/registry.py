"""Tasks by name: each registers itself where it is written, with its options and what it says of itself.

@register_task("isi", options=ISIParts, describe=describe)
def splits(*, seed: int, **given: Any) -> Splits:
    ...
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from pydantic import Field

from spikinggamma.events import Splits
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["TASKS", "Bound", "Description", "Parts", "Task", "part_size", "register_task"]

Maker = TypeVar("Maker", bound=Callable[..., Splits])


class Bound(NamedTuple):
    """A bound of the accuracy that follows from the data, and its reason."""

    accuracy: float
    why: str


class Description(NamedTuple):
    """Description of a task with given options.

    Attributes:
        title: Name of the task for display.
        n_channels: Number of channels of its recordings.
        class_names: Names of classes, in the order of labels.
        floors: Accuracies of observers with partial information, such as spike counts.
        ceiling: Accuracy of an observer with full information; None where it is not known.
    """

    title: str
    n_channels: int
    class_names: tuple[str, ...]
    floors: tuple[Bound, ...]
    ceiling: Bound | None


def part_size(default: int, part: str) -> Any:
    """Return the field of how many recordings a part has.

    Example:
        >>> part_size(900, "training").default
        900
    """
    return Field(default=default, ge=1, description=f"recordings of the {part} part")


class Parts(Options):
    """How many recordings each part of a task has."""

    n_train: int = part_size(2048, "training")
    n_validation: int = part_size(512, "validation")
    n_test: int = part_size(1024, "test")


class Task:
    """A task as it is registered; called, it makes the three parts.

    Attributes:
        describe: Returns what the task is with given options, those of `Parts` left out; makes no recording.
    """

    def __init__(self, splits: Callable[..., Splits], describe: Callable[..., Description]) -> None:
        functools.update_wrapper(self, splits)
        self._splits = splits
        self.describe = describe

    def __call__(self, *, seed: int, **options: Any) -> Splits:
        """Return the three parts."""
        return self._splits(seed=seed, **options)


TASKS: Registry[Task] = Registry("task")


def register_task(
    name: str,
    *,
    options: type[Parts],
    describe: Callable[..., Description],
    summary: str,
    citations: tuple[str, ...] = (),
) -> Callable[[Maker], Maker]:
    """Return a decorator that registers a function as what makes a task's three parts, and returns it as it is.

    Args:
        name: What recipes call the task.
        options: What can be chosen of it, the sizes of its parts among them.
        describe: Takes all options but those sizes as keywords, and returns a `Description`.
        summary: One line of words.
        citations: BibTeX entries of its sources.
    """

    def add(splits: Maker) -> Maker:
        TASKS.register(name, options=options, summary=summary, citations=citations)(Task(splits, describe))
        return splits

    return add
