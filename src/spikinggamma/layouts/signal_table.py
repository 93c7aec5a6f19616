"""Tables of sampled signals: a row each, with its time, its values, and the recording that it is of.

| column | what |
| --- | --- |
| `time_s`, `time_ms`, `time_us`, `time_ns`, or `time` with the option `time_unit` | when; the option `rate_hz` stands for it |
| `recording` | which recording; without it, each file is one |
| `label`, `speaker` (or `subject`), `part` | its class, speaker or subject, and part |
| `target` or `target_...` | values that are asked for, at each sample, or once where all rows agree; empty where unknown |
| every other column of numbers | a signal; the option `signals` names them where others are in the table too |

A `label` that changes within a recording is a class for each sample. The signals become events by `data.encoder`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikinggamma.encoders import SampledSignal
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS, Found, Layout, LayoutOptions
from spikinggamma.layouts.event_table import said_of
from spikinggamma.layouts.naming import NamedFile, by_size
from spikinggamma.layouts.tables import SUFFIXES, Table, column_names, groups, read_table, times_us

__all__ = ["SignalTable", "SignalTableOptions", "regular_step_us"]

_SAID = ("recording", "label", "speaker", "subject", "part")
_TIMES = ("time", "t", "timestamp", "time_s", "time_ms", "time_us", "time_ns")


class SignalTableOptions(LayoutOptions):
    """Options of tables of signals."""

    signals: str = Field(
        default="", description="names of the columns that are signals, with commas; none: all that may be"
    )
    rate_hz: float = Field(
        default=0.0, ge=0.0, le=1e6, description="samples in a second, where no column says when [Hz]"
    )
    time_unit: Literal["", "s", "ms", "us", "ns"] = Field(
        default="", description="unit of a column `time`; none: the column's name says it, such as time_ms"
    )


@LAYOUTS.register("signal_table", options=SignalTableOptions)
class SignalTable(Layout):
    """CSV, Parquet, NPZ or NPY with a row for each sample of continuous signals, for an encoder."""

    suffixes = SUFFIXES
    cached = False
    options: SignalTableOptions

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """See `Layout.recognises`."""
        names = column_names(path)
        events = "channel" in names or {"x", "y", "p"} <= set(names)
        ours = {"counts", "durations_us"} <= set(names)  # the layout `recordings`
        signals = set(names) - {*_SAID, *_TIMES}
        return bool(signals) and set(names.values()) == {1} and not events and not ours

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        for named in files:
            table = read_table(named.path)
            when = self._times(table, named.path)
            signals = self._signals(table, named.path)
            targets = [name for name in table if name == "target" or name.startswith("target_")]
            values = np.stack([table[name].astype(np.float64) for name in signals], axis=1)
            classes = _classes(table)
            for name, rows in groups(table, named.path, "recording"):
                where = f"recording {name} of {named.path}" if name else str(named.path)
                order = rows if when is None else rows[np.argsort(when[rows], kind="stable")]
                times = np.rint(np.arange(len(order)) * 1e6 / self.options.rate_hz) if when is None else when[order]
                signal = _signal(values[order], times.astype(np.int64), where)
                by_step = "label" in table and len(np.unique(table["label"][rows])) > 1
                varying = [*_TIMES, *signals, *targets, "recording", *(["label"] if by_step else [])]
                answer = _answer(table, order, targets, classes if by_step else None, signal, where)
                yield said_of(table, rows, named, name, varying, signal=signal, **answer)

    def _times(self, table: Table, path: Path) -> npt.NDArray[np.int64] | None:
        if self.options.rate_hz and not any(name in table for name in _TIMES):
            return None
        if not any(name in table for name in _TIMES):
            remedy = "Set data.options.rate_hz, or add a column time_ms."
            raise SpikingGammaError(str(path), f"columns {', '.join(table)}", "samples with a time", remedy)
        return times_us(table, path, self.options.time_unit)

    def _signals(self, table: Table, path: Path) -> list[str]:
        named = [name.strip().lower() for name in self.options.signals.split(",") if name.strip()]
        for name in named:
            if name not in table or table[name].dtype.kind not in "biuf":
                expected = f"columns of numbers, of {', '.join(table)}"
                raise SpikingGammaError("data.options.signals", repr(name), expected)
        other = {*_SAID, *_TIMES}
        found = named or [
            name
            for name, column in table.items()
            if name not in other and not name.startswith("target") and column.dtype.kind in "iuf"
        ]
        if not found:
            raise SpikingGammaError(str(path), f"columns {', '.join(table)}", "a column of numbers that is a signal")
        return found


def regular_step_us(signal: SampledSignal, where: str) -> int:
    """Return the time from sample to sample [us].

    Raises:
        SpikingGammaError: Samples are not evenly spaced, which answers by step have to be.
    """
    steps = np.diff(signal.times_us)
    step = int(np.median(steps)) if len(steps) else signal.duration_us
    if len(steps) and int(np.abs(steps - step).max()) > max(1, step // 100):
        got = f"steps of {int(steps.min())} to {int(steps.max())} us"
        raise SpikingGammaError(where, got, "samples that are evenly spaced, as each has an answer")
    return step


def _signal(values: npt.NDArray[np.float64], times: npt.NDArray[np.int64], where: str) -> SampledSignal:
    times = times - times[0]
    if (np.diff(times) < 1).any():
        place = int((np.diff(times) < 1).argmax())
        raise SpikingGammaError(where, f"two samples at {times[place]} us", "a time of its own for each sample")
    last = int(np.median(np.diff(times))) if len(times) > 1 else 1000
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        remedy = "Fill gaps before, for example with the value before them."
        raise SpikingGammaError(where, f"{values[row, column]} in row {row} of it", "finite numbers", remedy)
    return SampledSignal(values, times, int(times[-1]) + last)


def _classes(table: Table) -> list[str]:
    return sorted({str(value) for value in np.unique(table["label"])} - {""}, key=by_size) if "label" in table else []


def _answer(
    table: Table,
    rows: npt.NDArray[np.int64],
    targets: Sequence[str],
    classes: Sequence[str] | None,
    signal: SampledSignal,
    where: str,
) -> dict[str, Any]:
    """Return what a recording is labelled with beside its class, as keywords of a `Found`."""
    if classes is not None:
        ids = np.array([classes.index(str(label)) if str(label) else -1 for label in table["label"][rows]], np.int64)
        return {"answer": ids, "answer_us": regular_step_us(signal, where), "answer_names": tuple(classes)}
    if not targets:
        return {}
    values = np.stack([table[name][rows].astype(np.float64) for name in targets], axis=1)
    names = tuple(name.removeprefix("target_") for name in targets)
    if len(values) > 1 and (np.nan_to_num(values) == np.nan_to_num(values[0])).all():
        return {"answer": values[0], "answer_us": 0, "answer_names": names}
    return {"answer": values, "answer_us": regular_step_us(signal, where), "answer_names": names}
