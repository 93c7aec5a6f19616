"""Rows of benchmarks as JSON Lines: the measurements, and everything needed to repeat them."""

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
    """Raised when some runs of a benchmark failed; the rows of the others were written."""


def row(bench: str, *, quick: bool, seed: int, threads: int, device: str = "cpu", **measured: object) -> Row:
    """Return a row; its `command` reproduces it.

    Args:
        bench: Name of the benchmark.
        quick: Whether it was a quick check.
        seed: Seed of the benchmark.
        threads: Number of CPU threads.
        device: Device of the computation.
        **measured: The measured values.

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
    """Return rows with a new one in the place of an older one of the same cell, or at the end.

    Args:
        rows: The existing rows.
        new: The new row.
        cell: Keys that identify a measurement; rows with equal values are of the same cell.

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
    """Write rows to a file atomically, after all of them are made; return their number.

    Raises:
        SpikingGammaError: The file cannot be written.
        ValueError: A row holds a number that is not finite.
    """
    lines = [json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in rows]
    write_atomically(Path(path), "".join(lines).encode())
    return len(lines)
