"""Papers and their claims as text, with the verdicts of rows where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikinggamma.papers.paper import PAPERS
from spikinggamma.papers.reproduction.reference import reference
from spikinggamma.report import ClaimRow, read_claim_rows, tally

__all__ = ["claims_text", "known_claims", "papers_text"]

_OPEN = "not run yet"


def known_claims(path: Path | None, default: Path) -> list[ClaimRow]:
    """Return the rows of a file of claims; without a path, those of the default where it is there.

    Raises:
        SpikingGammaError: The named file is missing, or a row lacks a field.
    """
    if path is None and not default.is_file():
        return []
    return read_claim_rows([path or default])


def papers_text(rows: Sequence[ClaimRow]) -> str:
    """Return a line for each paper with what it shows, and a line for each of its claims with its verdict."""
    parts = []
    for entry in PAPERS.entries():
        claims = entry.target().claims
        found = {row.claim: row for row in rows if row.paper == entry.name}
        said = tally(list(found.values())) if found else _OPEN
        lines = [f"{entry.name}: {entry.summary}", f"  {len(claims)} claims; {said}"]
        width = max(len(claim.name) for claim in claims)
        for claim in claims:
            verdict = found[claim.name].verdict if claim.name in found else _OPEN
            lines.append(f"    {claim.name:<{width}}  {verdict}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def claims_text(name: str, rows: Sequence[ClaimRow]) -> str:
    """Return a paper with every claim: the published figure, ours, and the test that decides.

    Raises:
        SpikingGammaError: There is no such paper.
    """
    entry = PAPERS.find(name)
    paper = entry.target()
    found = {row.claim: row for row in rows if row.paper == name}
    lines = [f"{entry.name}: {entry.summary}"]
    lines += [reference(citation).text for citation in entry.citations]
    lines += ["", f"Model: {paper.model}"]
    lines += [f"Note: {paper.note}"] if paper.note else []
    for claim in paper.claims:
        row = found.get(claim.name)
        published = f"{claim.published.figure} ({claim.published.source})" if claim.published else "not known here"
        lines += ["", f"{claim.name}: {claim.sentence}", f"  published: {published}, on {claim.authors_data}"]
        if claim.unmeasurable:
            lines.append(f"  not measurable here: {claim.unmeasurable}")
            continue
        lines += [f"  here: {claim.data}", f"  decided by: {claim.test}"]
        lines += [f"  runs: {experiment.words}" for experiment in claim.experiments]
        lines.append(f"  verdict: {row.verdict if row else _OPEN}{f'. {row.why}' if row else ''}")
        lines += [f"    {figure}" for figure in row.measured] if row else []
    return "\n".join([*lines, "", *entry.citations])
