"""Rows of claims: the sentence, the published figure, ours, the verdict, and the command that makes the row again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from spikinggamma.papers.paper import PAPERS, Claim, Finding, Paper, Verdict
from spikinggamma.papers.reproduction.experiments import Setting
from spikinggamma.papers.reproduction.reference import reference
from spikinggamma.papers.reproduction.selection import Row, Rows
from spikinggamma.registry import Entry
from spikinggamma.versions import versions

__all__ = ["BENCH", "CELL", "claim_row", "is_settled"]

BENCH = "papers"
CELL = ("bench", "paper", "claim", "quick")


def claim_row(
    name: str, claim: Claim, finding: Finding, setting: Setting, read: Rows, files: Sequence[str] = ()
) -> Row:
    """Return the row of a claim.

    Args:
        name: Of the paper.
        claim: The claim.
        finding: What was found.
        setting: How its experiments were run.
        read: The rows that were read for the finding.
        files: The files of these rows, where nothing was run.
    """
    entry, published = PAPERS[name], claim.published
    seeds = (read.seeds or list(setting.seeds)) if files else list(setting.seeds)
    return {
        "bench": BENCH,
        "command": _command(name, claim, setting, files),
        "seed": seeds[0],
        "seeds": seeds,
        "device": "cpu",
        "threads": 1,
        "versions": versions(),
        "quick": setting.quick,
        "paper": name,
        "title": entry.title,
        "summary": entry.summary,
        "reference": reference(entry.citations[0]).text if entry.citations else "",
        "model": _paper(entry).model,
        "note": _paper(entry).note,
        "claim": claim.name,
        "place": [one.name for one in _paper(entry).claims].index(claim.name),
        "sentence": claim.sentence,
        "published": published.figure if published else "",
        "published_source": published.source if published else "",
        "authors_data": claim.authors_data,
        "data": claim.data,
        "same_data": claim.same_data,
        "experiments": [experiment.words for experiment in claim.experiments],
        "made_by": sorted({str(row["command"]) for row in read.used if "command" in row}),
        "test": claim.test,
        "measured": [measured._asdict() for measured in finding.measured],
        "verdict": finding.verdict.value,
        "why": finding.why,
    }


def is_settled(row: Row, name: str, claim: Claim, setting: Setting) -> bool:
    """Return whether a row answers a claim for this setting, so that nothing is run for it."""
    same = (row.get("bench"), row.get("paper"), row.get("claim")) == (BENCH, name, claim.name)
    return (
        same
        and row.get("quick") is setting.quick
        and row.get("seeds") == list(setting.seeds)
        and row.get("verdict") != Verdict.NOT_MEASURABLE
    )


def _paper(entry: Entry[Any]) -> Paper:
    paper = entry.target() if callable(entry.target) else entry.target
    assert isinstance(paper, Paper)
    return paper


def _command(name: str, claim: Claim, setting: Setting, files: Sequence[str]) -> str:
    words = ["spikinggamma", "reproduce", name, "--only", claim.name, *(["--quick"] if setting.quick else [])]
    if files:
        return shlex.join([*words, *(word for path in files for word in ("--rows", path))])
    return shlex.join([*words, "--seeds", ",".join(map(str, setting.seeds))])
