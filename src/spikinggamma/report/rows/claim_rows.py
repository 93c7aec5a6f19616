"""Rows of claims of papers for their page: checked, in the order of the papers, with figures as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.rows.bench_rows import check_fields, read_bench_rows

__all__ = ["NOT_KNOWN", "ClaimRow", "claim_of", "figure_text", "on_data", "read_claim_rows", "verdict_text"]

NOT_KNOWN = "not known here"
_TEXTS = (
    "paper", "title", "summary", "reference", "model", "note", "claim", "sentence", "published", "published_source",
    "authors_data", "data", "test", "verdict", "why", "command",
)  # fmt: skip


class ClaimRow(NamedTuple):
    """A claim with its verdict; `measured` are our figures as text, `rest` is the whole row."""

    paper: str
    title: str
    claim: str
    sentence: str
    published: str
    source: str
    data: str
    test: str
    measured: tuple[str, ...]
    verdict: str
    why: str
    seeds: tuple[int, ...]
    command: str
    quick: bool
    rest: dict[str, Any]


def read_claim_rows(paths: Sequence[str | Path]) -> list[ClaimRow]:
    """Return the claims of several files, papers by name, claims in their order; of rows of one claim the last is used.

    Raises:
        SpikingGammaError: A file is missing, or a row lacks a field.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for where, row in read_bench_rows(paths, "papers"):
        check_fields(where, row, _TEXTS, ("place",), ("measured", "seeds"))
        if not isinstance(row.get("same_data"), bool):
            raise SpikingGammaError(f"{where}: same_data", repr(row.get("same_data")), "true or false")
        found[row["paper"], row["claim"]] = row
        claim_of(row, where)
    return [claim_of(row) for row in sorted(found.values(), key=lambda row: (row["paper"], row["place"]))]


def claim_of(row: dict[str, Any], where: str = "row") -> ClaimRow:
    """Return a row of a claim, with its figures as text.

    Raises:
        SpikingGammaError: A measured figure is not what `spikinggamma reproduce` writes.
    """
    try:
        measured = tuple(f"{one['what']}: {figure_text(one)}" for one in row["measured"])
    except (TypeError, KeyError, ValueError):
        expected = "figures that say what, value, low, high and unit"
        raise SpikingGammaError(f"{where}: measured", row["measured"], expected) from None
    return ClaimRow(
        paper=row["paper"],
        title=row["title"],
        claim=row["claim"],
        sentence=row["sentence"],
        published=row["published"] or NOT_KNOWN,
        source=row["published_source"],
        data=on_data(row),
        test=row["test"],
        measured=measured,
        verdict=verdict_text(row),
        why=row["why"],
        seeds=tuple(row["seeds"]),
        command=row["command"],
        quick=row.get("quick") is True,
        rest=row,
    )


def figure_text(measured: Mapping[str, Any]) -> str:
    """Return a measured figure with its interval.

    Example:
        >>> figure_text({"what": "LIF", "value": 0.935, "low": 0.913, "high": 0.956, "unit": "share"})
        '93.5\\xa0% (91.3 to 95.6)'
        >>> figure_text({"what": "error", "value": 6.8e-10, "low": None, "high": None, "unit": ""})
        '6.8e-10'
    """
    share = measured["unit"] == "share"
    unit = "%" if share else measured["unit"]
    value, low, high = (
        None if one is None else f"{100.0 * one:.1f}" if share else f"{one:.4g}"
        for one in (measured["value"], measured["low"], measured["high"])
    )
    text = f"{value}\u00a0{unit}".rstrip()
    return text if low is None else f"{text} ({low} to {high})"


def on_data(row: Mapping[str, Any]) -> str:
    """Return the data of the authors and, where it is other, the data used here."""
    theirs, ours = row["authors_data"], row["data"]
    return f"theirs: {theirs}; here: {ours}" if ours else theirs


def verdict_text(row: Mapping[str, Any]) -> str:
    """Return the verdict, which says so where the data is not that of the authors."""
    decided = row["verdict"] in ("reproduced", "not reproduced")
    other = decided and not row["same_data"]
    return f"{row['verdict']}, on other data" if other else str(row["verdict"])
