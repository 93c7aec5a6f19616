"""What a task says of itself, given its options: classes, channels, and what can be reached."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Bound", "Description"]


class Bound(NamedTuple):
    """An accuracy that follows from the data itself, and why."""

    accuracy: float
    why: str


class Description(NamedTuple):
    """A task as its options make it.

    Attributes:
        title: For people.
        n_channels: Of its recordings.
        class_names: In the order of labels.
        floors: What observers reach that see less than everything.
        ceiling: What an observer of everything can reach; None where it is not known.
    """

    title: str
    n_channels: int
    class_names: tuple[str, ...]
    floors: tuple[Bound, ...]
    ceiling: Bound | None
