"""Rows of the speed benchmark for its page: checked, one for each measurement, with display names."""

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
# In the order of the page; LIF has the same colour as on the other pages.
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
    """Sizes of a measurement, and the device and number of threads."""

    neurons: int
    density: float
    batch: int
    steps: int
    precision: str
    threads: int
    device: str


class SpeedRow(NamedTuple):
    """The measurement of one library; `run` is the number of the command that interleaved it with others."""

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
    """Return the rows of several files, sorted by run, case, shape and library; the last row of each measurement is used.

    Rows of different commands are kept apart, as only interleaved measurements can be compared.

    Raises:
        SpikingGammaError: A file is missing, a row lacks a field, or its benchmark has no page.
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
    """Return the display name of a library.

    Example:
        >>> library_name("lif")
        'our LIF'
    """
    return _LIBRARIES[library][0] if library in _LIBRARIES else library


def library_colours(rows: Sequence[SpeedRow]) -> dict[str, str]:
    """Return a colour for each library; known libraries have the same colour on every page."""
    return colours_of((row.library for row in rows), {name: colour for name, (_, colour) in _LIBRARIES.items()})


def over_steps(rows: Sequence[SpeedRow]) -> list[list[SpeedRow]]:
    """Return groups of rows that differ only in steps and library, where there are several numbers of steps."""
    return [own for own in _families(rows) if len({row.shape.steps for row in own}) > 1]


def side_by_side(rows: Sequence[SpeedRow]) -> list[list[SpeedRow]]:
    """Return the other rows by shape, from the fewest neurons and the sparsest input."""
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
            precision=str(row.get("dtype", "float32")),  # the default of the benchmark, unless the row has its own
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
