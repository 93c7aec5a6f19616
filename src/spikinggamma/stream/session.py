"""A session processes a stream from its first byte to its last: read, order, run, write, and save checkpoints."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import FrameType

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import remove_leftovers
from spikinggamma.files.locks import locked
from spikinggamma.recipes import dump_recipe
from spikinggamma.runs import Run
from spikinggamma.runtime import computing
from spikinggamma.stream.build import make_engine
from spikinggamma.stream.checkpoint import load_state, restore_engine, restore_order, save_state, state_of
from spikinggamma.stream.cursor import Row
from spikinggamma.stream.formats import format_of, make_parser
from spikinggamma.stream.latency import Latencies
from spikinggamma.stream.ordering import Order
from spikinggamma.stream.output import Output
from spikinggamma.stream.parsing import Parsed, Parser
from spikinggamma.stream.settings import Settings, Summary
from spikinggamma.stream.sources import Block, Source
from spikinggamma.stream.throughput import Figures, Throughput, View, view_for

__all__ = ["StreamInterrupted", "stream"]

_log = logging.getLogger("spikinggamma.stream")


class StreamInterrupted(KeyboardInterrupt):
    """Raised after Ctrl-C or SIGTERM; the message says what is saved."""


def stream(
    run: Run, source: Source, output: Output, settings: Settings | None = None, *, view: View | None = None
) -> Summary:
    """Predict from a stream with a run's net until the stream ends; continue from the last checkpoint if there is one.

    Args:
        run: The run; the net is that of its best epoch.
        source: Source of the stream.
        output: Output for predictions.
        settings: Settings of the session.
        view: Shows progress; a view for the terminal if not given.

    Raises:
        SpikingGammaError: The settings are bad, the checkpoint is of another stream, or the input is bad; the message names
            its line or byte. Predictions before it are written, and a checkpoint is saved.
            StreamInterrupted: Ctrl-C between two blocks of the input; predictions are written, and a checkpoint is saved.

    Example:
        >>> stream(load_run("runs/fsdd-0-1"), FileSource(Path("events.txt")), Output(None))  # doctest: +SKIP
    """
    settings = settings or Settings()
    settings.check()
    with ExitStack() as stack:
        if settings.state is not None:
            settings.state.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(settings.state))
        stack.enter_context(computing(threads=run.recipe.training.threads, products=run.recipe.training.products))
        ended = stack.enter_context(_asked_to_end())
        session = _Session(run, stack.enter_context(source), stack.enter_context(output), settings)
        shown = nullcontext(view) if view is not None else view_for(predictions_in_terminal=output.in_terminal)
        return session.work(stack.enter_context(shown), ended)


class _Session:
    """The part of a stream that one process handles."""

    def __init__(self, run: Run, source: Source, output: Output, settings: Settings) -> None:
        self.source, self.output, self.settings = source, output, settings
        self.engine, self.vocabulary = make_engine(run, settings)
        self.order = Order(settings.late, longest_gap_us=round(settings.longest_gap_s * 1e6))
        # These settings must stay the same when a stream continues.
        named = {name: str(getattr(settings, name)) for name in ("dt_ms", "chunk", "late", "forget_ms", "remember_ms")}
        where = {"lessons": str(settings.lessons), "source": source.kind, "out": str(output.path)}
        self.meaning = {"recipe": dump_recipe(run.recipe)} | named | where
        self.parser: Parser | None = None
        self.position = self.line = 0
        self.latencies = Latencies()
        self.last: Row | None = None
        begun, rows, size = self._restore()
        output.open(rows, size, begun=begun)
        if not begun:
            self._save()  # marks further output as this stream's, even if it is killed at once

    def work(self, view: View, ended: threading.Event) -> Summary:
        """Process the stream until it ends."""
        started = saved = time.perf_counter()
        pace = Throughput(self.engine.place.tally.events, self.engine.place.clock_us)
        for block in self._blocks():
            if block is not None:
                self._take(block)
            if ended.is_set():
                self._save()
                raise StreamInterrupted(self._kept())
            if time.perf_counter() - saved >= self.settings.every_s:
                self._save()
                saved = time.perf_counter()
            if view.due():
                view.show(self._figures(pace))
            if self.parser is not None and self.parser.stopped:
                break
        self._finish()
        summary = self._summary(time.perf_counter() - started)
        _log.info("%s", summary)
        return summary

    def _blocks(self) -> Iterator[Block | None]:
        stopped = self.parser is not None and self.parser.stopped
        return iter(()) if stopped else self.source.blocks(self.position)

    def _take(self, block: Block) -> None:
        if self.parser is None:
            name = format_of(block.data) if self.settings.format == "auto" else self.settings.format
            self.parser = make_parser(name, self.vocabulary)
        self._pass_on(self.parser, self.parser.feed(block.data), arrived_s=block.arrived_s)

    def _finish(self) -> None:
        """Process the end of the input: the last line, waiting items, and the remaining steps."""
        if self.parser is not None:
            self._pass_on(self.parser, self.parser.finish(), arrived_s=None)
        self._write(self.engine.take(self.order.finish()), None)
        self._write(self.engine.finish(), None)
        self._save()

    def _pass_on(self, parser: Parser, parsed: Parsed, *, arrived_s: float | None) -> None:
        """Pass items through order and engine; bad input raises an error after everything before it is processed and saved."""
        items = parsed.items
        ordered = self.order.push(items, parser.counts)
        self._write(self.engine.take(ordered.items), arrived_s)
        if ordered.taken == len(items.kinds):
            self.position, self.line = parser.position, parser.line
        elif ordered.taken:
            last = ordered.taken - 1
            self.position = int(items.ends[last])
            self.line = int(items.places[last]) if parser.counts == "line" else 0
        fault = ordered.fault or parsed.fault
        if fault is not None:
            self._save()
            kept = "" if self.settings.state is None else f"What came before it is kept in {self.settings.state}."
            remedy = f"{fault.remedy} {kept}".strip()
            raise SpikingGammaError(f"{self.source.name}, {fault.argument}", fault.got, fault.expected, remedy)

    def _write(self, rows: Iterable[Row], arrived_s: float | None) -> None:
        for row in rows:
            self.output.write(row)
            if arrived_s is not None:
                self.latencies.add(time.perf_counter() - arrived_s)
            if "name" in row:
                self.last = row

    def _save(self) -> None:
        """Flush the output, then save the checkpoint that relies on it, then acknowledge to the sender."""
        if self.settings.state is None:
            return
        self.output.sync()
        name = {"line": "text", "byte": "aer"}[self.parser.counts] if self.parser is not None else ""
        content = state_of(self.engine, self.order) | {
            "position": self.position,
            "line": self.line,
            "format_name": name,
            "stopped": self.parser is not None and self.parser.stopped,
            "rows": self.output.rows,
            "size": self.output.size,
        }
        save_state(self.settings.state, content, self.meaning, self.position)
        self.source.acknowledge(self.position)

    def _restore(self) -> tuple[bool, int, int]:
        """Restore the last checkpoint if there is one; return whether there was, and the rows and bytes of the output then."""
        folder = self.settings.state
        if folder is None:
            return False, 0, 0
        remove_leftovers(folder)
        saved = load_state(folder, self.meaning)
        if saved is None:
            return False, 0, 0
        restore_engine(self.engine, saved, folder)
        restore_order(self.order, saved)
        self.position, self.line = saved["position"], saved["line"]
        if saved["format_name"]:
            self.parser = make_parser(saved["format_name"], self.vocabulary, self.position, self.line)
            self.parser.stopped = saved["stopped"]
        _log.info("going on from byte %d of the stream, prediction %d", self.position, saved["rows"])
        return True, saved["rows"], saved["size"]

    def _kept(self) -> str:
        if self.settings.state is None:
            return "Nothing is kept: name a folder with --state to go on where a stream was left."
        return f"Go on with the same command: {self.settings.state} knows all up to byte {self.position}."

    def _figures(self, pace: Throughput) -> Figures:
        place, order = self.engine.place, self.order
        events_per_s, realtime = pace.since(place.tally.events, place.clock_us)
        return Figures(
            place.tally,
            place.clock_us / 1e6,
            events_per_s,
            realtime,
            self._latency(),
            order.dropped + order.dropped_marks,
            len(order.turns),
            self.last,
        )

    def _summary(self, seconds: float) -> Summary:
        order = self.order
        tally = self.engine.place.tally
        return Summary(tally, order.dropped, order.dropped_marks, seconds, self._latency(), self.position)

    def _latency(self) -> tuple[float, float]:
        return self.latencies.quantile(0.5), self.latencies.quantile(0.99)


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C or SIGTERM sets, so that the block is finished; a second one ends at once."""
    ended = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield ended
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if ended.is_set():
            raise KeyboardInterrupt
        ended.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
