"""What a run shows while it goes on: a bar on a terminal, one log line an epoch everywhere else."""

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
    """Told of every portion of work and of every finished epoch."""

    def __enter__(self) -> Reporter: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def begin(self, *, epochs: int, done: int) -> None:
        """A run of `epochs` epochs starts, `done` of them already done."""

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        """`progress` epochs (with a fraction) are done; the training figures of the epoch so far, no accuracy of values."""

    def epoch(self, row: Row) -> None:
        """An epoch is done; `row` is its row of metrics."""


class LogReporter:
    """One line to the logger `spikinggamma.training` for each epoch."""

    def __enter__(self) -> LogReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begin(self, *, epochs: int, done: int) -> None:
        self._epochs = epochs
        self._seconds: list[float] = []
        if done:
            _log.info("resumed after epoch %d of %d", done, epochs)

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        return None

    def epoch(self, row: Row) -> None:
        self._seconds.append(row["seconds"])
        left = sum(self._seconds) / len(self._seconds) * (self._epochs - row["epoch"])
        _log.info("epoch %d/%d  %s  left %s", row["epoch"], self._epochs, _figures(row), _clock(left))


class SilentReporter:
    """Says nothing: for one run of many."""

    def __enter__(self) -> SilentReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begin(self, *, epochs: int, done: int) -> None:
        return None

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        return None

    def epoch(self, row: Row) -> None:
        return None


class TerminalReporter:
    """A bar over the epochs with the figures of the last one, and the time left."""

    def __init__(self) -> None:
        # rich costs a tenth of a second to import; only a terminal pays it.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            # All of it in 80 columns: loss and accuracy of this epoch so far, validation and spikes of the one before.
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
        self._task = self._bar.add_task("", total=epochs, completed=done, now=done, running="", figures="")

    def advance(self, progress: float, *, loss: float, accuracy: float | None) -> None:
        running = f"loss {loss:.3f}" + ("" if accuracy is None else f" train {accuracy:.1%}")
        self._bar.update(self._task, completed=progress, now=math.ceil(progress), running=running)

    def epoch(self, row: Row) -> None:
        rates = " ".join(f"{rate:.1f}" for rate in row["spikes_per_neuron_s"])
        metric = metric_of_row(row)
        figures = f"val {metric.text(row[f'validation_{metric.name}'])} spikes/s {rates}"
        self._bar.update(self._task, completed=row["epoch"], now=row["epoch"], figures=figures)


def reporter_for(terminal: bool | None = None) -> Reporter:
    """A bar where standard error is a terminal, log lines where it is not."""
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
