"""Reading and checking of rows of benchmarks that have a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.theme import SERIES
from spikinggamma.runs import read_rows

__all__ = ["check_fields", "colours_of", "read_bench_rows"]

_DRAWN = ("timing", "resolution", "speed", "cost", "papers")


def read_bench_rows(paths: Sequence[str | Path], bench: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of one benchmark from files that may hold others too, each with its place for messages.

    Raises:
        SpikingGammaError: A file is missing, or a row is of a benchmark that has no page.
    """
    found = []
    for path in map(Path, paths):
        if not path.is_file():
            raise SpikingGammaError("rows", f"{path}: no such file", "rows that `spikinggamma bench` wrote")
        for number, row in enumerate(read_rows(path), start=1):
            where = f"{path}, row {number}"
            if row.get("bench") not in _DRAWN:
                expected = "a row of `spikinggamma bench timing`, `resolution` or `speed`, of costs, or of claims"
                raise SpikingGammaError(where, f"bench {row.get('bench')!r}", expected)
            if row["bench"] == bench:
                found.append((where, row))
    return found


def check_fields(
    where: str, row: dict[str, Any], texts: Sequence[str], numbers: Sequence[str], lists: Sequence[str] = ()
) -> None:
    """Check that a row has these fields.

    Raises:
        SpikingGammaError: A field is missing or of another type; the message names the first.
    """
    for name in (*texts, *numbers, *lists):
        value = row.get(name)
        kinds: Any = (int, float) if name in numbers else list if name in lists else str
        if not isinstance(value, kinds) or isinstance(value, bool) or (name in numbers and not math.isfinite(value)):
            what = "a finite number" if name in numbers else "a list" if name in lists else "text"
            raise SpikingGammaError(f"{where}: {name}", repr(value), what)


def colours_of(models: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each model; known models have the same colour on every page."""
    others = sorted(set(models) - known.keys())
    return {**known, **{model: SERIES[-1 - index % len(SERIES)] for index, model in enumerate(others)}}
