"""Incremental parsing of bytes into items, independent of how the bytes are divided into blocks."""

from __future__ import annotations

import abc
from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.records import LATEST_US, Items, Kind, join, no_items

__all__ = ["Parsed", "Parser", "Vocabulary", "one_item"]


class Vocabulary(NamedTuple):
    """The channels and classes that may occur in a stream.

    Attributes:
        channels: Number of recorded channels; events have channels 0 to `channels - 1`.
        class_names: Names of the classes; labels are their numbers or, in text, the names.
    """

    channels: int
    class_names: tuple[str, ...]


class Parsed(NamedTuple):
    """The items parsed from some bytes, and the error of the next item if it has one."""

    items: Items
    fault: SpikingGammaError | None = None


class Parser(abc.ABC):
    """Base class for the parser of a format.

    Args:
        vocabulary: Channels and classes that may occur.
        position: Byte of the stream at which parsing begins.
        line: Number of lines before it.

    Attributes:
        position: Number of bytes whose items have been returned.
        line: Number of lines among them.
        stopped: Whether a `stop` has been parsed.
        counts: Unit of `places`: line or byte.
    """

    counts: str

    def __init__(self, vocabulary: Vocabulary, position: int = 0, line: int = 0) -> None:
        self.vocabulary = vocabulary
        self.position = position
        self.line = line
        self.stopped = False
        self._rest = b""

    def feed(self, data: bytes) -> Parsed:
        """Return the items that these bytes complete. After an error or after `stop` there are no more."""
        self._rest += data
        return self._parse(last=False)

    def finish(self) -> Parsed:
        """Return the items in the rest, as the stream has ended; an incomplete item is an error."""
        return self._parse(last=True)

    @abc.abstractmethod
    def _step(self, data: bytes, at: int) -> tuple[Items, int]:
        """Return the next items in `data` from byte `at`, and the byte after them; raise `SpikingGammaError` for a bad item."""

    @abc.abstractmethod
    def _whole(self, data: bytes, *, last: bool) -> int:
        """Return how many bytes of `data`, which starts at `position`, belong to complete items."""

    @abc.abstractmethod
    def _check_rest(self, rest: bytes, *, last: bool) -> None:
        """Raise `SpikingGammaError` if these bytes cannot become an item any more."""

    def _parse(self, *, last: bool) -> Parsed:
        data, at, parts = self._rest, 0, [no_items()]
        whole = self._whole(data, last=last)
        fault = None
        try:
            while at < whole and not self.stopped and fault is None:
                items, after = self._step(data[:whole], at)
                cut, fault = self._first_fault(items)
                if fault is not None:
                    after = at + (int(items.ends[cut - 1]) - self.position if cut else 0)
                parts.append(items.take(slice(cut)))
                self._advance(data, at, after)
                at = after
            if fault is None and not self.stopped:
                self._check_rest(data[at:], last=last)
        except SpikingGammaError as error:
            fault = error
        self._rest = data[at:]
        return Parsed(join(parts), fault)

    def _advance(self, data: bytes, start: int, end: int) -> None:
        self.position += end - start

    def _first_fault(self, items: Items) -> tuple[int, SpikingGammaError | None]:
        """Return the number of good items, and the error of the item after them."""
        of_class = items.kinds == Kind.LABEL
        limits = np.where(of_class, len(self.vocabulary.class_names), self.vocabulary.channels)
        speaks = of_class | (items.kinds == Kind.EVENT)
        bad = np.flatnonzero((speaks & (items.values >= limits)) | (items.times_us >= LATEST_US))
        if not len(bad):
            return len(items.kinds), None
        first = int(bad[0])
        place, time_us = self.place(int(items.places[first])), int(items.times_us[first])
        if time_us >= LATEST_US:
            return first, SpikingGammaError(place, "a time out of range", f"microseconds below {LATEST_US}")
        what = "class" if of_class[first] else "channel"
        return first, SpikingGammaError(place, f"{what} {items.values[first]}", f"one from 0 to {limits[first] - 1}")

    def place(self, number: int) -> str:
        """Return the place of an item as text, for messages."""
        return f"{self.counts} {number}"


def one_item(kind: Kind, time_us: int, value: int, end: int, place: int) -> Items:
    """Return `Items` with a single item."""
    return Items(np.array([kind], np.uint8), *(np.array([one], np.int64) for one in (time_us, value, end, place)))
