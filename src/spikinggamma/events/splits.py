"""The three parts of a data set or task."""

from __future__ import annotations

from typing import NamedTuple

from spikinggamma.events.recording import Recording

__all__ = ["Splits"]


class Splits(NamedTuple):
    """Three disjoint lists of recordings for training, validation and testing."""

    train: list[Recording]
    validation: list[Recording]
    test: list[Recording]
