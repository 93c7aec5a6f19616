"""Rows of a bench: what was measured, beside everything that a repetition needs. JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spikinggamma.atomic import write_atomically
from spikinggamma.training import versions

__all__ = ["FailedRuns", "Row", "row", "write_rows"]

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


def write_rows(path: str | Path, rows: Iterable[Row]) -> int:
    """Replace the file by these rows once all of them are there, or leave it as it is; returns how many.

    Raises:
        SpikingGammaError: The file cannot be written.
        ValueError: A row holds a number that is not finite.
    """
    lines = [json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in rows]
    write_atomically(Path(path), "".join(lines).encode())
    return len(lines)
