"""Tables of named columns from CSV, TSV, Parquet, NPZ and NPY files, for the layouts that are made of them.

CSV and TSV have a line of names at their head, after comments that start with `#`. An NPZ file has an array [N] for each
column; an NPY file is a structured array. Numbers are numbers where a whole column is.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.datasets.spike_maps import DAMAGE
from spikinggamma.errors import SpikingGammaError
from spikinggamma.optional import require

__all__ = ["SUFFIXES", "TIME_UNITS_US", "Table", "column_names", "groups", "read_table", "times_us"]

SUFFIXES = (".csv", ".tsv", ".parquet", ".npz", ".npy")
Table = dict[str, npt.NDArray[Any]]
TIME_UNITS_US = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
_LONGEST_US = 2**62
_LARGEST_LINE = 1 << 20


def column_names(path: Path) -> dict[str, int]:
    """Return the number of axes of each column by its name in lower case, without reading the whole file; {} if it is none."""
    try:
        if path.suffix.lower() in (".csv", ".tsv"):
            with path.open(encoding="utf-8-sig", newline="") as file:
                return dict.fromkeys(_names(next(_rows(file, path), [])), 1)
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                return {
                    name.removesuffix(".npy").lower(): len(_header(archive, name)[0]) for name in archive.namelist()
                }
        if path.suffix.lower() == ".npy":
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            return dict.fromkeys(map(str.lower, array.dtype.names or ()), 1)
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet

            return dict.fromkeys(map(str.lower, pyarrow.parquet.read_schema(path).names), 1)
    except (*DAMAGE, ImportError):
        return {}
    return {}


def read_table(path: Path) -> Table:
    """Return the columns of a file by their names in lower case.

    Raises:
        SpikingGammaError: The file is damaged, has a row of another length, columns of other lengths, or no rows.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        table = _from_text(path)
    elif suffix == ".parquet":
        table = _from_parquet(path)
    else:
        table = _from_numpy(path)
    lengths = {len(column) for column in table.values()}
    if len(lengths) > 1:
        got = ", ".join(f"{name} {len(column)}" for name, column in table.items())
        raise SpikingGammaError(str(path), f"columns of other lengths ({got})", "columns of one length")
    if not lengths or lengths == {0}:
        raise SpikingGammaError(str(path), "a table without rows", "a line of names, and at least one row")
    return table


def times_us(table: Table, path: Path, unit: str) -> npt.NDArray[np.int64]:
    """Return the times of a table [us]: of a column time_s, time_ms, time_us or time_ns, or of `time` or `t` in `unit`.

    Raises:
        SpikingGammaError: There is no such column, its unit is not known, or a value is no time.
    """
    for name, factor in TIME_UNITS_US.items():
        if f"time_{name}" in table:
            return _microseconds(table[f"time_{name}"], f"time_{name} of {path}", factor)
    name = next((name for name in ("time", "t", "timestamp") if name in table), "")
    if not name:
        got = f"columns {', '.join(table)}"
        raise SpikingGammaError(str(path), got, "a column time_s, time_ms or time_us")
    if not unit:
        remedy = "Set data.options.time_unit, or call the column time_s, time_ms or time_us."
        raise SpikingGammaError(f"{name} of {path}", "times without a unit", "s, ms, us or ns", remedy)
    return _microseconds(table[name], f"{name} of {path}", TIME_UNITS_US[unit])


def groups(table: Table, path: Path, key: str) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Yield the name of each recording in the order of the table, and its rows; the whole table where there is no `key`."""
    if key not in table:
        yield "", np.arange(len(next(iter(table.values()))))
        return
    names, first, inverse = np.unique(table[key], return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
    for place in np.argsort(first):
        yield str(names[place]), rows[place]


def _microseconds(values: npt.NDArray[Any], where: str, factor: float) -> npt.NDArray[np.int64]:
    if values.dtype.kind not in "iuf":
        raise SpikingGammaError(where, f"{values.dtype}, such as {values[0]!r}", "numbers")
    if values.dtype.kind == "f" or factor != 1.0:
        scaled = values.astype(np.float64) * factor
        wrong = ~(np.abs(scaled) < _LONGEST_US)  # NaN is neither
    else:
        scaled = values
        wrong = (values > _LONGEST_US) | (values < 0)
    if wrong.any():
        place = int(wrong.argmax())
        raise SpikingGammaError(where, f"{values[place]} in row {place}", "finite times, below 2^62 us")
    return np.rint(scaled).astype(np.int64) if scaled.dtype.kind == "f" else scaled.astype(np.int64)


def _from_text(path: Path) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _rows(file, path)
            names = _names(next(lines, []))
            rows = []
            for number, row in enumerate(lines, start=2):
                if len(row) != len(names):
                    raise SpikingGammaError(
                        f"{path}, row {number}", f"{len(row)} values", f"{len(names)}, as at its head"
                    )
                rows.append(row)
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise SpikingGammaError(str(path), f"not readable as text ({error})", "a table in UTF-8") from None
    if len(set(names)) < len(names) or "" in names:
        raise SpikingGammaError(str(path), f"columns {', '.join(names)}", "a line of names at its head, each once")
    return {name: _numbers(column) for name, column in zip(names, zip(*rows, strict=True), strict=False)}


def _rows(file: Any, path: Path) -> Iterator[list[str]]:
    limit = csv.field_size_limit(_LARGEST_LINE)
    try:
        yield from (
            row
            for row in csv.reader(
                (line for line in file if line.strip() and not line.startswith("#")),
                delimiter="\t" if path.suffix.lower() == ".tsv" else ",",
                skipinitialspace=True,
            )
        )
    finally:
        csv.field_size_limit(limit)


def _names(row: list[str]) -> list[str]:
    return [name.strip().lower() for name in row]


def _numbers(column: tuple[str, ...]) -> npt.NDArray[Any]:
    """Return whole numbers, numbers (an empty entry is NaN), or words."""
    words = [word.strip() for word in column]
    try:
        return np.array([int(word) for word in words], np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        return np.array([float(word) if word else np.nan for word in words], np.float64)
    except ValueError:
        return np.array(words, np.str_)


def _from_parquet(path: Path) -> Table:
    require("pyarrow", "tables", "which reads Parquet files")
    import pyarrow
    import pyarrow.parquet

    try:
        content = pyarrow.parquet.read_table(path)
        columns = {name.lower(): content[name].to_numpy() for name in content.column_names}
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole Parquet file") from None
    return {name: column.astype(np.str_) if column.dtype.kind == "O" else column for name, column in columns.items()}


def _from_numpy(path: Path) -> Table:
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            names = content.dtype.names
            if names is None or content.ndim != 1:
                got = f"an array {content.dtype} {list(content.shape)}"
                raise SpikingGammaError(str(path), got, "a structured array [N], or an NPZ file of named arrays")
            return {name.lower(): content[name] for name in names}
        with content:
            return {name.lower(): content[name] for name in content.files if content[name].ndim == 1}
    except SpikingGammaError:
        raise
    except DAMAGE as error:
        raise SpikingGammaError(
            str(path), f"not readable ({error})", "a whole file of numpy, without pickles"
        ) from None


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        return shape, dtype
