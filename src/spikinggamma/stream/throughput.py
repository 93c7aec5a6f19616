"""The stream as it goes on, in a terminal; elsewhere nothing is shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, runtime_checkable

from spikinggamma.stream.cursor import Row, Tally

__all__ = ["Figures", "Throughput", "View", "figures_table", "view_for"]

_REFRESH_S = 0.25


class Figures(NamedTuple):
    """What is shown.

    Attributes:
        tally: What has passed since the stream began.
        clock_s: How far the stream's time has come [s].
        events_per_s: Events taken in a second of ours, lately.
        realtime: Seconds of the stream in a second of ours, lately.
        latency_s: Median and 99th percentile from bytes to prediction [s].
        dropped: Items that came too late.
        waiting: Items that wait for their turn.
        last: The last prediction.
    """

    tally: Tally
    clock_s: float
    events_per_s: float
    realtime: float
    latency_s: tuple[float, float]
    dropped: int
    waiting: int
    last: Row | None


class Throughput:
    """How fast a stream goes, from one look to the next."""

    def __init__(self, events: int, clock_us: int) -> None:
        self._events, self._clock_us, self._looked = events, clock_us, time.perf_counter()

    def since(self, events: int, clock_us: int) -> tuple[float, float]:
        """Events, and seconds of the stream, in a second since the last look."""
        now = time.perf_counter()
        seconds = max(now - self._looked, 1e-9)
        found = (events - self._events) / seconds, (clock_us - self._clock_us) / 1e6 / seconds
        self._events, self._clock_us, self._looked = events, clock_us, now
        return found


@runtime_checkable
class View(Protocol):
    """Told of how things stand, often; shows it when it wants."""

    def due(self) -> bool:
        """Whether it wants to be told."""

    def show(self, figures: Figures) -> None:
        """How things stand."""


class _Silent:
    def due(self) -> bool:
        return False

    def show(self, figures: Figures) -> None:
        return None


class _Terminal:
    def __init__(self, live: Any) -> None:
        self._live = live
        self._next = 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def show(self, figures: Figures) -> None:
        self._next = time.monotonic() + _REFRESH_S
        self._live.update(figures_table(figures), refresh=True)


@contextmanager
def view_for(*, predictions_in_terminal: bool, terminal: bool | None = None) -> Iterator[View]:
    """A live table on standard error where that is a terminal and predictions do not scroll through it."""
    if predictions_in_terminal or not (sys.stderr.isatty() if terminal is None else terminal):
        yield _Silent()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        yield _Terminal(live)


def figures_table(figures: Figures) -> Any:
    """The figures as a table of `rich`."""
    from rich.table import Table

    tally, (median_s, late_s) = figures.tally, figures.latency_s
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    accuracy = f"{tally.right / tally.judged:.1%} of {tally.judged} labels" if tally.judged else "no labels yet"
    said = f"{figures.last['name']} ({figures.last['share']:.0%})" if figures.last and "name" in figures.last else "-"
    for name, value in (
        ("stream", f"{figures.clock_s:.1f} s, {figures.realtime:.1f} times real time"),
        ("events", f"{tally.events} ({figures.events_per_s:.0f}/s), {figures.dropped} late, {figures.waiting} waiting"),
        ("latency", f"{1000 * median_s:.1f} ms, p99 {1000 * late_s:.1f} ms"),
        ("segments", str(tally.segments)),
        ("accuracy", f"{accuracy}, {tally.learnt} learnt"),
        ("now", said),
    ):
        table.add_row(name, value)
    return table
