"""Bytes into items, whichever way the bytes are cut: the format is told by the first of them."""

from __future__ import annotations

import abc
from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.records import LATEST_US, Items, Kind, join, no_items

__all__ = ["Parsed", "Parser", "Vocabulary", "one_item"]


class Vocabulary(NamedTuple):
    """What a stream can speak of.

    Attributes:
        channels: Events are of channels 0 to `channels - 1`, as recorded.
        class_names: Labels are numbers of these or, in text, their names.
    """

    channels: int
    class_names: tuple[str, ...]


class Parsed(NamedTuple):
    """Items of some bytes, and what is wrong with the next one, if anything is."""

    items: Items
    fault: SpikingGammaError | None = None


class Parser(abc.ABC):
    """A format.

    Args:
        vocabulary: What items may say.
        position: Byte of the stream at which reading begins.
        line: Lines before it.

    Attributes:
        position: Bytes whose items have been given out.
        line: Lines among them.
        stopped: Whether the stream has said that it is over.
        counts: What `places` of items count.
    """

    counts: str

    def __init__(self, vocabulary: Vocabulary, position: int = 0, line: int = 0) -> None:
        self.vocabulary = vocabulary
        self.position = position
        self.line = line
        self.stopped = False
        self._rest = b""

    def feed(self, data: bytes) -> Parsed:
        """The items that these bytes complete. After a fault, or after `stop`, there are no more."""
        self._rest += data
        return self._parse(last=False)

    def finish(self) -> Parsed:
        """The stream has ended: what is left is an item, or cut short."""
        return self._parse(last=True)

    @abc.abstractmethod
    def _step(self, data: bytes, at: int) -> tuple[Items, int]:
        """The next items in `data` from byte `at`, and where they are over; raises `SpikingGammaError` at the first bad one."""

    @abc.abstractmethod
    def _whole(self, data: bytes, *, last: bool) -> int:
        """How many bytes of `data`, which starts at `position`, belong to whole items."""

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
        """How many items are good, and what is wrong with the one behind them."""
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
        """Where an item is, in words."""
        return f"{self.counts} {number}"


def one_item(kind: Kind, time_us: int, value: int, end: int, place: int) -> Items:
    """An item alone."""
    return Items(np.array([kind], np.uint8), *(np.array([one], np.int64) for one in (time_us, value, end, place)))
