"""Claims of papers as Markdown, for the documentation: a section for each paper, a row for each claim."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from spikinggamma.report.rows.claim_rows import ClaimRow

__all__ = ["claims_markdown", "tally"]

_HEADINGS = ("claim", "published", "ours", "data", "verdict")


def claims_markdown(rows: Sequence[ClaimRow]) -> str:
    """Return the claims as Markdown."""
    return "\n\n".join(_section(list(own)) for _, own in groupby(rows, key=lambda row: row.paper))


def tally(rows: Sequence[ClaimRow]) -> str:
    """Return how many claims have each verdict, on whatever data.

    Example:
        >>> tally([])
        'no claim decided'
    """
    verdicts = [row.rest["verdict"] for row in rows]
    counts = {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "no claim decided"


def _section(rows: Sequence[ClaimRow]) -> str:
    first = rows[0].rest
    lines = [f"## {first['title']}", "", first["summary"], "", first["reference"], "", f"Model here: {first['model']}."]
    lines += ["", first["note"]] if first["note"] else []
    lines += ["", f"Of {len(rows)} claims: {tally(rows)}.", "", _line(_HEADINGS), _line(["---"] * len(_HEADINGS))]
    for row in rows:
        published = row.published + (f" ({row.source})" if row.source else "")
        ours = [*row.measured, row.why]
        verdict = f"**{row.verdict}**<br>{row.test}" if row.test else f"**{row.verdict}**"
        cells = [row.sentence, published, "<br>".join(filter(None, ours)), row.data, verdict]
        lines.append(_line([*cells[:-1], f"{cells[-1]}<br>`{row.command}`"]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
