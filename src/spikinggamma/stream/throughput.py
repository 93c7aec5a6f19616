"""Live display of a stream in a terminal; elsewhere nothing is shown."""

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
    """The figures that are shown.

    Attributes:
        tally: Counts since the stream began.
        clock_s: Current time of the stream [s].
        events_per_s: Events processed per second, recently.
        realtime: Seconds of the stream processed per second, recently.
        latency_s: Median and 99th percentile of the time from bytes to prediction [s].
        dropped: Number of items that came too late.
        waiting: Number of items that wait for their turn.
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
    """Measures the throughput of a stream between two calls."""

    def __init__(self, events: int, clock_us: int) -> None:
        self._events, self._clock_us, self._looked = events, clock_us, time.perf_counter()

    def since(self, events: int, clock_us: int) -> tuple[float, float]:
        """Return the events per second and the seconds of the stream per second since the last call."""
        now = time.perf_counter()
        seconds = max(now - self._looked, 1e-9)
        found = (events - self._events) / seconds, (clock_us - self._clock_us) / 1e6 / seconds
        self._events, self._clock_us, self._looked = events, clock_us, now
        return found


@runtime_checkable
class View(Protocol):
    """Interface of a progress display."""

    def due(self) -> bool:
        """Return whether the display should be updated now."""

    def show(self, figures: Figures) -> None:
        """Show the current figures."""


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
    """Yield a live table on standard error if it is a terminal that shows no predictions, else a silent view."""
    if predictions_in_terminal or not (sys.stderr.isatty() if terminal is None else terminal):
        yield _Silent()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        yield _Terminal(live)


def figures_table(figures: Figures) -> Any:
    """Return the figures as a `rich` table."""
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
