"""Tables of events: a row each, with its time, its channel or pixel, and the recording that it is of.

| column | what |
| --- | --- |
| `time_s`, `time_ms`, `time_us`, `time_ns`, or `time` with the option `time_unit` | when |
| `channel`, or `x`, `y` and `p` (a polarity of 0 or 1) | where |
| `recording` | which recording; without it, each file is one |
| `label`, `speaker`, `part` | its class, speaker or subject, and part, the same in all of its rows |

Any other column may be split by. Rows may come in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS, Found, Layout, LayoutOptions
from spikinggamma.layouts.naming import NamedFile, part_of
from spikinggamma.layouts.tables import SUFFIXES, Table, column_names, groups, read_table, times_us

__all__ = ["EventTable", "EventTableOptions", "said_of"]

_OWN = ("time", "t", "timestamp", "time_s", "time_ms", "time_us", "time_ns", "channel", "x", "y", "p", "recording")


class EventTableOptions(LayoutOptions):
    """Options of tables of events."""

    time_unit: Literal["", "s", "ms", "us", "ns"] = Field(
        default="", description="unit of a column `time`; none: the column's name says it, such as time_ms"
    )
    width: int = Field(default=0, ge=0, le=16384, description="columns of a camera's pixels; 0: up to the largest x")
    height: int = Field(default=0, ge=0, le=16384, description="rows of a camera's pixels; 0: up to the largest y")
    duration_ms: float = Field(
        default=0.0, ge=0.0, le=1e9, description="length of every recording [ms]; 0: up to its last event"
    )


@LAYOUTS.register("event_table", options=EventTableOptions)
class EventTable(Layout):
    """CSV, Parquet, NPZ or NPY with a row for each event: time, channel, recording, label, speaker."""

    suffixes = SUFFIXES
    options: EventTableOptions

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """See `Layout.recognises`."""
        names = column_names(path)
        return ("channel" in names or {"x", "y", "p"} <= set(names)) and any(name in names for name in _OWN[:7])

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        for named in files:
            table = read_table(named.path)
            when = times_us(table, named.path, self.options.time_unit)
            where, sensor = self._channels(table, named.path, alone=len(files) == 1)
            for name, rows in groups(table, named.path, "recording"):
                order = rows[np.argsort(when[rows], kind="stable")]
                events = self._events(when[order], where[order], f"recording {name} of {named.path}")
                yield said_of(table, rows, named, name, _OWN, events=events, sensor=sensor)

    def _channels(self, table: Table, path: Path, *, alone: bool) -> tuple[npt.NDArray[np.int64], tuple[int, ...]]:
        if "channel" in table:
            return _whole(table["channel"], "channel", path), ()
        x, y = (_whole(table[name], name, path) for name in ("x", "y"))
        p = _whole(table["p"], "p", path) if "p" in table else np.zeros_like(x)
        given = self.options.width, self.options.height
        if not all(given) and not alone:
            got = f"width {given[0]} and height {given[1]} for several files"
            raise SpikingGammaError("data.options", got, "both, as each file has a largest x and y of its own")
        width, height = given[0] or int(x.max()) + 1, given[1] or int(y.max()) + 1
        for name, values, end in (("x", x, width), ("y", y, height), ("p", p, 2)):
            if int(values.max()) >= end:
                raise SpikingGammaError(f"{name} of {path}", int(values.max()), f"0 to {end - 1}")
        return (p * height + y) * width + x, (1 + ("p" in table), height, width)

    def _events(self, when: npt.NDArray[np.int64], channels: npt.NDArray[np.int64], where: str) -> Spikes:
        last = int(when[-1])
        if self.options.start_at_first:
            when, last = when - when[0], last - int(when[0])
        elif int(when[0]) < 0:
            remedy = "Set data.options.start_at_first = true if the clock runs on."
            raise SpikingGammaError(where, f"a time of {when[0]} us", "times from 0", remedy)
        duration_us = round(self.options.duration_ms * 1000.0) or last + 1
        if duration_us <= last:
            got = f"{self.options.duration_ms} ms, and an event at {last / 1000.0} ms in {where}"
            raise SpikingGammaError("data.options.duration_ms", got, "a length beyond every event")
        return Spikes(when, channels.astype(np.int32), duration_us)


def said_of(
    table: Table,
    rows: npt.NDArray[np.int64],
    named: NamedFile,
    name: str,
    own: Sequence[str],
    **content: object,
) -> Found:
    """Return a recording with what the columns of its rows say, which have to agree.

    Args:
        table: The whole table.
        rows: Rows of the recording.
        named: Its file.
        name: Of the recording; empty where the file is one.
        own: Columns that differ from row to row.
        **content: The rest of a `Found`.

    Raises:
        SpikingGammaError: Two rows of the recording say two things.
    """
    said = {"label": named.label, "speaker": named.speaker, "part": named.part, **named.columns}
    for column, values in table.items():
        if column in own:
            continue
        kinds = np.unique(values[rows])
        if len(kinds) > 1 and not (kinds.dtype.kind == "f" and np.isnan(kinds).all()):
            where = f"{column} of recording {name} of {named.path}" if name else f"{column} of {named.path}"
            remedy = "" if name or "recording" in table else "A column `recording` says which rows are one recording."
            raise SpikingGammaError(where, f"{kinds[0]} and {kinds[1]}", "one value in all of its rows", remedy)
        said[column] = str(kinds[0])
    part = said.pop("part")
    if part and not part_of(part):
        raise SpikingGammaError(f"part of {named.path}", repr(part), "train, validation or test")
    speaker = said.pop("subject", "") or said.pop("speaker")
    said.pop("speaker", None)
    source = f"{named.source}/{name}" if name else named.source
    return Found(source, label=said.pop("label"), speaker=speaker, part=part_of(part), columns=said, **content)  # type: ignore[arg-type]


def _whole(values: npt.NDArray[np.generic], name: str, path: Path) -> npt.NDArray[np.int64]:
    if values.dtype.kind not in "biu":
        raise SpikingGammaError(f"{name} of {path}", f"{values.dtype}, such as {values[0]!r}", "whole numbers from 0")
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= 2**31 - 1:
        raise SpikingGammaError(f"{name} of {path}", low if low < 0 else high, "whole numbers from 0 to below 2^31 - 1")
    return values.astype(np.int64)
