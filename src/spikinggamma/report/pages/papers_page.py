"""The page of papers: what was claimed, and what we measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from spikinggamma.report.html import rows_page_path, write_html
from spikinggamma.report.rows.claim_rows import read_claim_rows
from spikinggamma.report.rows.claim_table import tally

__all__ = ["write_papers_page"]

_COLOURS = {"reproduced": "s2", "not reproduced": "s1"}  # others are muted


def write_papers_page(paths: Sequence[str | Path], out: str | Path | None = None) -> Path:
    """Draw rows of `spikinggamma reproduce` as one HTML page.

    Args:
        paths: Files of rows; of several rows of one claim the last is used.
        out: Path of the page; beside the first file, with its name, if not given.

    Returns:
        The path of the page, which is written atomically.

    Raises:
        SpikingGammaError: A file is missing or holds no such rows, or the page cannot be written.

    Example:
        >>> write_papers_page(["papers.jsonl"])  # doctest: +SKIP
        PosixPath('papers.html')
    """
    rows = read_claim_rows(paths)
    path = rows_page_path(rows, paths, out, wanted="at least one row of a claim")
    papers = [list(own) for _, own in groupby(rows, key=lambda row: row.paper)]
    return write_html(
        path,
        "papers.html",
        papers=[(own[0].rest, own, tally(own)) for own in papers],
        colours={row.verdict: _COLOURS.get(row.rest["verdict"], "muted") for row in rows},
        count=len(rows),
        summary=tally(rows),
        quick=any(row.quick for row in rows),
        seeds=sorted({seed for row in rows for seed in row.seeds}),
    )
