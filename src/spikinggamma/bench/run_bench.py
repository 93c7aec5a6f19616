"""Runs a benchmark with the options of the command line, and keeps its rows in a file if one is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spikinggamma import bench
from spikinggamma.bench import resolution_rows, timing_rows
from spikinggamma.bench.rows import Row, with_row, write_rows
from spikinggamma.data import known_name
from spikinggamma.errors import SpikingGammaError
from spikinggamma.runs import append_row, read_rows

__all__ = ["measure"]

_PLANNED = ("only", "models", "seeds", "jobs", "runs")
_OWN: dict[str, tuple[str, ...]] = {"timing": _PLANNED, "resolution": _PLANNED, "speed": ("only", "models")}
_CELLS = {
    "timing": timing_rows.CELL,
    "resolution": resolution_rows.CELL,
}  # keys that identify rows of a planned benchmark


def measure(
    name: str,
    *,
    quick: bool,
    seed: int | None,
    out: Path | None,
    command: str,
    options: Mapping[str, Any],
) -> Iterator[Row]:
    """Yield the rows of a benchmark, each written before the next is measured.

    Args:
        name: Name of the benchmark.
        quick: Whether to run a small check only.
        seed: Seed; 0 if not given.
        out: File of rows. Existing rows of `timing` and `resolution` are not measured again, and newer rows replace older
            ones of the same cell.
        command: Command line to record.
        options: Other options by their names on the command line; None or empty if not given. Lists have commas.

    Raises:
        SpikingGammaError: The benchmark or an option is unknown, or a value is bad.
        FailedRuns: Some runs failed; it is raised after the rest is done.
    """
    run = bench.BENCHES[known_name("bench", name, bench.BENCHES)]
    given = {option: value for option, value in options.items() if value is not None}
    for option in given:
        if option not in _OWN.get(name, ()):
            having = " and ".join(other for other, own in _OWN.items() if option in own)
            raise SpikingGammaError(f"--{option}", given[option], f"no such option for {name}, only for {having}")
    lists = {option: _parted(given.pop(option)) for option in ("only", "models", "seeds") if option in given}
    if name not in _CELLS:
        for measured in run(quick=quick, seed=seed or 0, **lists):
            row = measured | {"command": command}
            if out is not None:
                append_row(out, row)
            yield row
        return
    if seed is not None and "seeds" in lists:
        raise SpikingGammaError("--seeds", ",".join(lists["seeds"]), "either --seed or --seeds")
    if "seeds" in lists:
        given["seeds"] = _whole(lists.pop("seeds"))
    known = [] if out is None else read_rows(out)
    for measured in run(quick=quick, seed=seed or 0, **given | lists, known=known):
        row = measured | {"command": command}
        if out is not None:
            write_rows(out, known := with_row(known, row, _CELLS[name]))
        yield row


def _parted(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _whole(texts: list[str]) -> list[int]:
    if not texts or not all(text.isascii() and text.isdigit() for text in texts):
        raise SpikingGammaError("--seeds", ",".join(texts), "whole numbers of at least 0, as 0,1,2")
    return [int(text) for text in texts]
