"""Ordering of the items of a stream by time, and policies for late items.

An item is late where its time is before the latest one seen, by more than is allowed. `end` and `reset` are also late where
an event of their time or after it has been released, as it would belong to the next segment. `tick` and `label` are never
late: an old tick has no effect, and labels are expected afterwards.

The order, and so every prediction, depends on the items alone, not on how they were divided into portions. An item is
released once its rank (twice its time, plus one for an event, so that marks precede events of the same time) is at most the
highest rank seen minus the waiting time; a label for the past is released in its place of arrival.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.records import Items, Kind, join, no_items

__all__ = ["Late", "Order", "Ordered", "parse_late"]


class Late(NamedTuple):
    """A policy for late items: `drop`, `error`, or `reorder` within `within_us`, dropping later ones."""

    policy: str = "error"
    within_us: int = 0

    def __str__(self) -> str:
        return f"reorder-within={self.within_us / 1000:g}" if self.policy == "reorder" else self.policy


def parse_late(text: str) -> Late:
    """Parse a policy from text.

    Raises:
        SpikingGammaError: The text is not a policy.

    Example:
        >>> parse_late("reorder-within=2.5")
        Late(policy='reorder', within_us=2500)
    """
    name, _, number = text.replace("=", " ").partition(" ")
    if name in ("drop", "error") and not number:
        return Late(name)
    try:
        within_us = round(float(number.strip().removesuffix("ms")) * 1000)
    except (ValueError, OverflowError):
        within_us = 0
    if name != "reorder-within" or not 0 < within_us <= 3_600_000_000:
        raise SpikingGammaError("--late", repr(text), "drop, error or reorder-within=MS, with up to an hour [ms]")
    return Late("reorder", within_us)


class Ordered(NamedTuple):
    """Released items, the error of the next item if it has one, and the number of items taken."""

    items: Items
    fault: SpikingGammaError | None
    taken: int


class Order:
    """Puts items in order.

    Args:
        late: Policy for late items.
        longest_gap_us: A longer gap between times is an error, except before `reset`: otherwise one wrong number would
            mean hours of silence.
        most_held: Largest number of items that may wait.

    Attributes:
        highest: The highest rank seen.
        held: Items that wait, in order of release, and the ranks at which they are released.
        dropped: Number of dropped events.
        dropped_marks: Number of dropped `end` and `reset`.
    """

    def __init__(self, late: Late, *, longest_gap_us: int = 3_600_000_000, most_held: int = 4_000_000) -> None:
        self.late = late
        self.longest_gap_us = longest_gap_us
        self.most_held = most_held
        self.highest = 0
        self.held, self.turns = no_items(), np.zeros(0, np.int64)
        self.dropped = self.dropped_marks = 0

    def push(self, items: Items, place: str = "line") -> Ordered:
        """Take more items and return those that are released; `place` names the unit of their places in messages."""
        ranks = 2 * items.times_us + (items.kinds == Kind.EVENT)
        highest = np.maximum.accumulate(np.maximum(ranks, self.highest))
        before = np.concatenate([[self.highest], highest])[:-1].astype(np.int64)
        patience = 2 * self.late.within_us
        expected = (items.kinds == Kind.TICK) | (items.kinds == Kind.LABEL)
        late = (ranks < before - patience) & ~expected
        gap = (items.times_us - before // 2 > self.longest_gap_us) & (items.kinds != Kind.RESET)
        taken, fault = len(ranks), None
        wrong = np.flatnonzero(gap | late if self.late.policy == "error" else gap)
        if len(wrong):
            taken = int(wrong[0])
            fault = self._fault(items, taken, int(before[taken]) // 2, place, is_gap=bool(gap[taken]))
        good = ~late[:taken]
        kept = items.take(slice(taken)).take(good)
        lost = items.kinds[:taken][~good] == Kind.EVENT
        self.dropped += int(lost.sum())
        self.dropped_marks += len(lost) - int(lost.sum())
        if taken:
            self.highest = int(highest[taken - 1])
        turns = np.maximum(ranks[:taken], highest[:taken] - patience)[good]
        return Ordered(self._release(kept, turns, self.highest - patience), fault or self._overfull(), taken)

    def finish(self) -> Items:
        """Return all waiting items in order, as the stream has ended."""
        items, self.held, self.turns = self.held, no_items(), np.zeros(0, np.int64)
        return items

    def _release(self, items: Items, turns: np.ndarray, until: int) -> Items:
        if not self.late.within_us:
            return items
        waiting, turns = join([self.held, items]), np.concatenate([self.turns, turns])
        order = np.argsort(turns, kind="stable")
        waiting, turns = waiting.take(order), turns[order]
        count = int(np.searchsorted(turns, until, side="right"))
        self.held, self.turns = waiting.take(slice(count, None)), turns[count:]
        return waiting.take(slice(count))

    def _overfull(self) -> SpikingGammaError | None:
        if len(self.turns) <= self.most_held:
            return None
        got = f"{len(self.turns)} items within {self.late.within_us / 1000:g} ms"
        return SpikingGammaError("--late", got, f"at most {self.most_held} that wait", "Wait for less long.")

    def _fault(self, items: Items, index: int, before_us: int, place: str, *, is_gap: bool) -> SpikingGammaError:
        time_us, where = int(items.times_us[index]), f"{place} {items.places[index]}"
        if is_gap:
            expected = f"at most {self.longest_gap_us} us further on"
            return SpikingGammaError(where, f"time {time_us} after {before_us}", expected, "Say `reset` before it.")
        what = Kind(int(items.kinds[index])).name.lower()
        remedy = "Send in order, or use --late drop or --late reorder-within=MS."
        return SpikingGammaError(where, f"{what} at {time_us} after {before_us}", "times that do not go back", remedy)
