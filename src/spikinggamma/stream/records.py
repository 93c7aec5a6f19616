"""What a stream says, item by item: an event, how far time has come, where a segment ends, what something was."""

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
    """What an item is; the numbers are those of the binary format."""

    EVENT = 0
    TICK = 1
    END = 2
    RESET = 3
    LABEL = 4
    STOP = 5


class Items(NamedTuple):
    """Items in the order in which they came.

    Attributes:
        kinds: `Kind` of each.
        times_us: When.
        values: The channel of an event, the class of a label, else 0.
        ends: Byte of the stream at which the item is over: where to read on once it is taken.
        places: Line of the text, counted from 1, or byte of the binary stream at which it begins: for messages.
    """

    kinds: UInt8[np.ndarray, " I"]
    times_us: Int[np.ndarray, " I"]
    values: Int[np.ndarray, " I"]
    ends: Int[np.ndarray, " I"]
    places: Int[np.ndarray, " I"]

    def take(self, which: slice | Bool[np.ndarray, " I"] | Int[np.ndarray, " J"]) -> Items:
        """Some of them, in the order asked for.

        Example:
            >>> no_items().take(slice(3)).times_us
            array([], dtype=int64)
        """
        return Items(*(column[which] for column in self))


def no_items() -> Items:
    """None."""
    nothing = np.zeros(0, np.int64)
    return Items(np.zeros(0, np.uint8), nothing, nothing, nothing, nothing)


def join(parts: Sequence[Items]) -> Items:
    """One after another."""
    if len(parts) == 1:
        return parts[0]
    return Items(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else no_items()
