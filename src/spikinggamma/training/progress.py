"""Reporters of the progress of a run: a bar on a terminal, else one log line per epoch."""

from __future__ import annotations

import logging
import math
import sys
from types import TracebackType
from typing import Protocol, runtime_checkable

from spikinggamma.evaluation.metrics import metric_of_row
from spikinggamma.runs.metrics import Row

__all__ = ["LogReporter", "Reporter", "SilentReporter", "TerminalReporter", "reporter_for"]

_log = logging.getLogger("spikinggamma.training")


@runtime_checkable
class Reporter(Protocol):
    """The interface of reporters, which receive the progress within epochs and the results of epochs."""

    def __enter__(self) -> Reporter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def begin(self, *, epochs: int, done: int) -> None:
        """Start the report of a run of `epochs` epochs, of which `done` are done."""

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        """Report the progress within an epoch.

        Args:
            progress: Number of epochs done, with a fraction.
            loss: Training loss of the epoch so far.
            accuracy: Training accuracy of the epoch so far; None for values, which have none.
        """

    def epoch(self, row: Row) -> None:
        """Report a finished epoch by its row of metrics."""


class LogReporter:
    """Write one line to the logger `spikinggamma.training` for each epoch."""

    def __enter__(self) -> LogReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begin(self, *, epochs: int, done: int) -> None:
        """Log the number of finished epochs of a resumed run; see `Reporter.begin`."""
        self._epochs = epochs
        self._seconds: list[float] = []
        if done:
            _log.info("resumed after epoch %d of %d", done, epochs)

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        """Report nothing within an epoch; see `Reporter.advance`."""
        return None

    def epoch(self, row: Row) -> None:
        """Log a finished epoch; see `Reporter.epoch`."""
        self._seconds.append(row["seconds"])
        left = sum(self._seconds) / len(self._seconds) * (self._epochs - row["epoch"])
        _log.info("epoch %d/%d  %s  left %s", row["epoch"], self._epochs, _figures(row), _clock(left))


class SilentReporter:
    """Report nothing, for one of many runs."""

    def __enter__(self) -> SilentReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begin(self, *, epochs: int, done: int) -> None:
        """Report nothing; see `Reporter.begin`."""
        return None

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        """Report nothing; see `Reporter.advance`."""
        return None

    def epoch(self, row: Row) -> None:
        """Report nothing; see `Reporter.epoch`."""
        return None


class TerminalReporter:
    """Show a bar over the epochs, the figures of the last epoch, and the time left."""

    def __init__(self) -> None:
        # rich takes a tenth of a second to import, so it is imported only for a terminal.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            # Fits into 80 columns: loss and accuracy of this epoch so far, validation and spikes of the last one.
            TextColumn("{task.fields[now]}/{task.total:.0f}"),
            BarColumn(bar_width=8),
            TextColumn("{task.fields[running]} {task.fields[figures]} left"),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=Console(stderr=True),
            speed_estimate_period=600.0,
        )

    def __enter__(self) -> TerminalReporter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, *, epochs: int, done: int) -> None:
        """Start the bar; see `Reporter.begin`."""
        self._task = self._bar.add_task("", total=epochs, completed=done, now=done, running="", figures="")

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        """Move the bar; see `Reporter.advance`."""
        running = f"loss {loss:.3f}" + ("" if accuracy is None else f" train {accuracy:.1%}")
        self._bar.update(self._task, completed=progress, now=math.ceil(progress), running=running)

    def epoch(self, row: Row) -> None:
        """Show the figures of a finished epoch; see `Reporter.epoch`."""
        rates = " ".join(f"{rate:.1f}" for rate in row["spikes_per_neuron_s"])
        metric = metric_of_row(row)
        figures = f"val {metric.text(row[f'validation_{metric.name}'])} spikes/s {rates}"
        self._bar.update(self._task, completed=row["epoch"], now=row["epoch"], figures=figures)


def reporter_for(terminal: bool | None = None) -> Reporter:
    """Return a reporter with a bar if standard error is a terminal, else one with log lines."""
    return TerminalReporter() if (sys.stderr.isatty() if terminal is None else terminal) else LogReporter()


def _figures(row: Row) -> str:
    metric = metric_of_row(row)
    trained = f"  accuracy {row['train_accuracy']:.1%}" if "train_accuracy" in row else ""
    validated = metric.text(row[f"validation_{metric.name}"])
    return (
        f"loss {row['train_loss']:.3f}{trained}  "
        f"validation loss {row['validation_loss']:.3f}  {metric.title} {validated}  {_rate(row)}"
    )


def _rate(row: Row) -> str:
    return f"spikes/neuron/s {' '.join(f'{rate:.1f}' for rate in row['spikes_per_neuron_s'])}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
