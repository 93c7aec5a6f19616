"""A bench as the command line asks for it: options that it knows, rows that are told and, if there is a file, kept there."""

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
_CELLS = {"timing": timing_rows.CELL, "resolution": resolution_rows.CELL}  # what tells rows of a planned bench apart


def measure(
    name: str,
    *,
    quick: bool,
    seed: int | None,
    out: Path | None,
    command: str,
    options: Mapping[str, Any],
) -> Iterator[Row]:
    """The rows of a bench, each written before the next is measured.

    Args:
        name: Which.
        quick: Whether it is only to be seen that it works.
        seed: 0 if not given.
        out: File of rows. Those of `timing` and `resolution` that are there are not measured again, and give way to newer ones
            of their cell.
        command: What was typed.
        options: Others, by their names at the command line; None or nothing where not given. Lists are parted by commas.

    Raises:
        SpikingGammaError: No such bench; an option that it does not have, or a wrong one.
        FailedRuns: What the bench could not measure, after the rest.
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
