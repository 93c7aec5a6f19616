"""Selection of rows by their values: what a judge reads, with an error that names the rows that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["LackingRows", "Row", "Rows"]

Row = dict[str, Any]


class LackingRows(LookupError):
    """Raised by a judge whose rows are not all there; the message says which are missing."""


class Rows:
    """Rows of measurements, selected by the values of their keys.

    Args:
        rows: Of any benches and files; of several rows of one measurement the last counts.

    Attributes:
        used: The rows that were selected so far, each once.

    Example:
        >>> rows = Rows([{"bench": "timing", "model": "lif", "level": 0.0}, {"bench": "speed"}])
        >>> rows.one(bench="timing", model="lif")["level"]
        0.0
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)
        self.used: list[Row] = []

    @property
    def seeds(self) -> list[int]:
        """The seeds of the rows that were selected."""
        return sorted({seed for row in self.used for seed in row.get("seeds", [row.get("seed", 0)])})

    def some(self, **values: object) -> list[Row]:
        """Return the rows that have these values.

        Raises:
            LackingRows: There are none.
        """
        found = [row for row in self._rows if all(row.get(key) == value for key, value in values.items())]
        if not found:
            raise LackingRows(f"rows with {_words(values)}")
        return self._selected(found)

    def one(self, **values: object) -> Row:
        """Return the last row that has these values.

        Raises:
            LackingRows: There is none.
        """
        found = [row for row in self._rows if all(row.get(key) == value for key, value in values.items())]
        if not found:
            raise LackingRows(f"a row with {_words(values)}")
        return self._selected(found[-1:])[0]

    def series(self, key: str, **values: object) -> dict[Any, Row]:
        """Return the last row for each value of `key`, in the order of these values, among rows that have the others.

        Raises:
            LackingRows: There are none.
        """
        mine = [row for row in self._rows if all(row.get(name) == value for name, value in values.items())]
        found = {row[key]: row for row in mine if key in row}
        if not found:
            raise LackingRows(f"rows with {_words(values)} and a {key}")
        self._selected(list(found.values()))
        return {value: found[value] for value in sorted(found)}

    def _selected(self, rows: list[Row]) -> list[Row]:
        self.used += [row for row in rows if not any(row is other for other in self.used)]
        return rows


def _words(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key} = {value if value != '' else 'none'}" for key, value in values.items())
