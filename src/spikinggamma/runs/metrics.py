"""Metrics of a run as JSON Lines with one row per epoch; a resumed run removes the rows that it will write again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import unwritable, write_atomically

__all__ = ["Row", "append_row", "read_rows", "truncate_rows"]

Row = dict[str, Any]


def append_row(path: Path, row: Row, *, remedy: str = "") -> None:
    """Append one row and flush it to the disk.

    Raises:
        SpikingGammaError: The file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path, error, remedy) from None


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file, or an empty list if there is no file; an incomplete last line is left out.

    Raises:
        SpikingGammaError: A line before the last is not a JSON object.
    """
    if not path.exists():
        return []
    rows: list[Row] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            if number == len(lines):  # no newline after it: the writer was killed here
                break
            raise SpikingGammaError(f"{path}, line {number}", repr(line[:60]), "a JSON object") from None
        if not isinstance(row, dict):
            raise SpikingGammaError(f"{path}, line {number}", repr(line[:60]), "a JSON object")
        rows.append(row)
    return rows


def truncate_rows(path: Path, *, epochs: int) -> None:
    """Keep only the rows of the first `epochs` epochs, which the checkpoint includes."""
    kept = [row for row in read_rows(path) if row["epoch"] <= epochs]
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
