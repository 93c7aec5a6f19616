"""Rows of a bench: what was measured, beside everything that a repetition needs. JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from spikinggamma.files.atomic import write_atomically
from spikinggamma.versions import versions

__all__ = ["FailedRuns", "Row", "row", "with_row", "write_rows"]

Row = dict[str, Any]


class FailedRuns(RuntimeError):
    """Some of what a bench was to measure failed; the rows of the rest are there."""


def row(bench: str, *, quick: bool, seed: int, threads: int, device: str = "cpu", **measured: object) -> Row:
    """One row; `command` is the one that makes it.

    Example:
        >>> row("memory", quick=True, seed=3, threads=1, peak_mib=410.2)["command"]
        'spikinggamma bench memory --quick --seed 3'
    """
    command = f"spikinggamma bench {bench}{' --quick' if quick else ''} --seed {seed}"
    return {
        "bench": bench,
        "command": command,
        "seed": seed,
        "device": device,
        "threads": threads,
        "versions": versions(),
        **measured,
    }


def with_row(rows: Iterable[Row], new: Row, cell: Sequence[str]) -> list[Row]:
    """Rows with a new one in the place of an older one, or at the end.

    Args:
        rows: Those that are there.
        new: The new one.
        cell: Keys that tell one measurement from another; rows that agree in them stand for the same.

    Example:
        >>> with_row([{"dt_ms": 1.0, "seeds": [0]}], {"dt_ms": 1.0, "seeds": [0, 1]}, ["dt_ms"])
        [{'dt_ms': 1.0, 'seeds': [0, 1]}]
    """
    kept = list(rows)
    for place, old in enumerate(kept):
        if all(old.get(name) == new.get(name) for name in cell):
            kept[place] = new
            return kept
    return [*kept, new]


def write_rows(path: str | Path, rows: Iterable[Row]) -> int:
    """Replace the file by these rows once all of them are there, or leave it as it is; returns how many.

    Raises:
        SpikingGammaError: The file cannot be written.
        ValueError: A row holds a number that is not finite.
    """
    lines = [json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in rows]
    write_atomically(Path(path), "".join(lines).encode())
    return len(lines)
