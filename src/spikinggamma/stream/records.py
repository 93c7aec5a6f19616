"""The items of a stream: events, ticks of time, ends of segments, resets and labels."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, UInt8

__all__ = ["LATEST_US", "Items", "Kind", "join", "no_items"]

LATEST_US = 9 * 10**15
"""Times are below this: 285 years, so that nanoseconds since any other such time fit 63 bits."""


class Kind(IntEnum):
    """Kind of an item; the numbers are those of the binary format."""

    EVENT = 0
    TICK = 1
    END = 2
    RESET = 3
    LABEL = 4
    STOP = 5


class Items(NamedTuple):
    """Items in the order of their arrival.

    Attributes:
        kinds: `Kind` of each item.
        times_us: Time of each item.
        values: Channel of an event, class of a label, else 0.
        ends: Byte of the stream after the item, from which reading continues.
        places: Line of the text, counted from 1, or byte at which a binary item begins, for messages.
    """

    kinds: UInt8[np.ndarray, " I"]
    times_us: Int[np.ndarray, " I"]
    values: Int[np.ndarray, " I"]
    ends: Int[np.ndarray, " I"]
    places: Int[np.ndarray, " I"]

    def take(self, which: slice | Bool[np.ndarray, " I"] | Int[np.ndarray, " J"]) -> Items:
        """Return the selected items, in the given order.

        Example:
            >>> no_items().take(slice(3)).times_us
            array([], dtype=int64)
        """
        return Items(*(column[which] for column in self))


def no_items() -> Items:
    """Return `Items` without any item."""
    nothing = np.zeros(0, np.int64)
    return Items(np.zeros(0, np.uint8), nothing, nothing, nothing, nothing)


def join(parts: Sequence[Items]) -> Items:
    """Concatenate items."""
    if len(parts) == 1:
        return parts[0]
    return Items(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else no_items()
