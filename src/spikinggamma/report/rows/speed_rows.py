"""Rows of the speed bench as its page needs them: checked, one for each measurement, with names for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.rows.bench_rows import check_fields, colours_of, read_bench_rows
from spikinggamma.report.theme import MUTED, SERIES

__all__ = [
    "OURS",
    "Shape",
    "SpeedRow",
    "library_colours",
    "library_name",
    "over_steps",
    "read_speed_rows",
    "side_by_side",
]

OURS = "spikinggamma"
# In their order on the page; LIF has the colour that it has on the other pages.
_LIBRARIES = {
    "matmul": ("the products alone", MUTED),
    OURS: ("SpikingGamma", SERIES[0]),
    "lif": ("our LIF", SERIES[1]),
    "lif_loop": ("LIF, plain PyTorch", SERIES[2]),
    "spikingjelly": ("SpikingJelly, LIF", SERIES[3]),
    "snntorch": ("snnTorch, LIF", SERIES[4]),
    "norse": ("Norse, LIF", SERIES[5]),
    "sinabs": ("Sinabs, LIF", SERIES[6]),
}
_TEXTS = ("command", "case", "library", "version", "device")
_POSITIVE = ("batch", "steps", "neurons", "threads", "density", "seconds", "ratio_to_matmul", "ratio_to_ours")
_NUMBERS = (*_POSITIVE, "step_mib", "seed")


class Shape(NamedTuple):
    """What is computed, and on what."""

    neurons: int
    density: float
    batch: int
    steps: int
    precision: str
    threads: int
    device: str


class SpeedRow(NamedTuple):
    """A layer of one library; `run` is the number of the command that took it in turns with others."""

    run: int
    case: str
    library: str
    version: str
    shape: Shape
    seconds: float
    step_mib: float
    over_products: float
    over_ours: float
    seed: int
    rest: dict[str, Any]


def read_speed_rows(paths: Sequence[str | Path]) -> list[SpeedRow]:
    """Rows of several files, by run, case, shape and library; of rows of one command, case, shape and library the last counts.

    Rows of another command stay beside them: only what took turns can be compared.

    Raises:
        SpikingGammaError: No file; a row that lacks a field or is of another bench than those that have a page.
    """
    found: dict[tuple[object, ...], SpeedRow] = {}
    runs: dict[str, int] = {}
    for where, row in read_bench_rows(paths, "speed"):
        _check(row, where)
        one = _parsed(row, runs.setdefault(row["command"], len(runs) + 1))
        found[one.run, one.case, one.shape, one.library] = one
    order = list(_LIBRARIES)

    def key(row: SpeedRow) -> tuple[int, str, Shape, int, str]:
        known = order.index(row.library) if row.library in order else len(order)
        return row.run, row.case, row.shape, known, row.library

    return sorted(found.values(), key=key)


def library_name(library: str) -> str:
    """A library's name for people.

    Example:
        >>> library_name("lif")
        'our LIF'
    """
    return _LIBRARIES[library][0] if library in _LIBRARIES else library


def library_colours(rows: Sequence[SpeedRow]) -> dict[str, str]:
    """A colour for each library: those that are known keep theirs whatever else is on the page."""
    return colours_of((row.library for row in rows), {name: colour for name, (_, colour) in _LIBRARIES.items()})


def over_steps(rows: Sequence[SpeedRow]) -> list[list[SpeedRow]]:
    """Rows of one run and case that differ in nothing but their steps and library, where there are several numbers of steps."""
    return [own for own in _families(rows) if len({row.shape.steps for row in own}) > 1]


def side_by_side(rows: Sequence[SpeedRow]) -> list[list[SpeedRow]]:
    """The other rows, shape by shape, from the fewest neurons and the sparsest input."""
    found: dict[Shape, list[SpeedRow]] = {}
    for own in _families(rows):
        if len({row.shape.steps for row in own}) == 1:
            found.setdefault(own[0].shape, []).extend(own)
    return [found[shape] for shape in sorted(found, key=lambda shape: (shape.density, *shape))]


def _families(rows: Sequence[SpeedRow]) -> list[list[SpeedRow]]:
    found: dict[tuple[object, ...], list[SpeedRow]] = {}
    for row in rows:
        found.setdefault((row.run, row.case, row.shape._replace(steps=0)), []).append(row)
    return list(found.values())


def _check(row: dict[str, Any], where: str) -> None:
    check_fields(where, row, _TEXTS, _NUMBERS)
    for name in _POSITIVE:
        if not row[name] > 0:
            raise SpikingGammaError(f"{where}: {name}", repr(row[name]), "a number above 0")


def _parsed(row: dict[str, Any], run: int) -> SpeedRow:
    return SpeedRow(
        run=run,
        case=row["case"],
        library=row["library"],
        version=row["version"],
        shape=Shape(
            neurons=int(row["neurons"]),
            density=float(row["density"]),
            batch=int(row["batch"]),
            steps=int(row["steps"]),
            precision=str(row.get("dtype", "float32")),  # as the bench has it, unless a row says more
            threads=int(row["threads"]),
            device=row["device"],
        ),
        seconds=float(row["seconds"]),
        step_mib=float(row["step_mib"]),
        over_products=float(row["ratio_to_matmul"]),
        over_ours=float(row["ratio_to_ours"]),
        seed=int(row["seed"]),
        rest=row,
    )
