"""Description of a task with given options: classes, channels, and bounds of the accuracy."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Bound", "Description"]


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
