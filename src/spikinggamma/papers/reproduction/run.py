"""Reproduces a paper: runs the experiments of its claims, and writes a row for each claim as it is decided."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spikinggamma.bench.rows import FailedRuns, with_row, write_rows
from spikinggamma.bench.run_plan import check_counts
from spikinggamma.data import known_name
from spikinggamma.errors import SpikingGammaError
from spikinggamma.papers.paper import PAPERS, Claim, Finding, Verdict
from spikinggamma.papers.reproduction.claim_rows import CELL, claim_row, is_settled
from spikinggamma.papers.reproduction.experiments import Experiment, Setting, measured_rows
from spikinggamma.papers.reproduction.selection import LackingRows, Row, Rows
from spikinggamma.runs import read_rows

__all__ = ["RUNS", "decide", "reproduce"]

_log = logging.getLogger(__name__)
RUNS = Path("runs") / "papers"
_QUICK = "A quick run checks that the experiment works; it decides nothing."


def reproduce(
    name: str,
    *,
    quick: bool = False,
    seeds: Sequence[int] = (0, 1, 2),
    jobs: int = 1,
    out: str | Path | None = None,
    runs: str | Path = RUNS,
    only: Sequence[str] = (),
    rows: Sequence[str | Path] = (),
) -> Iterator[Row]:
    """Yield a row for each claim of a paper, in their order, when its experiments are done.

    Args:
        name: A paper, as `spikinggamma papers` lists them.
        quick: Small versions, as a check that everything works.
        seeds: Seeds of weights, batch order and generated tasks.
        jobs: Number of processes at a time, of one thread each.
        out: File for the rows. A claim that it decides already for these seeds is not run again.
        runs: Folder for nets and rows of experiments, which are kept and not made again.
        only: Claims; all if none are named.
        rows: Files of rows of experiments. If they are given, claims are decided from these alone, and nothing is run.

    Raises:
        SpikingGammaError: A name, seed or file is bad, or none of the claims is decided by `rows`.
        FailedRuns: An experiment failed; it is raised after all others are done.
    """
    paper = PAPERS.find(name).target()
    check_counts(jobs, seeds)
    if not seeds:
        raise SpikingGammaError("--seeds", "none", "at least one seed")
    setting = Setting(quick, tuple(seeds), jobs, Path(runs))
    chosen = {known_name("--only", one, [claim.name for claim in paper.claims]) for one in only}
    claims = [claim for claim in paper.claims if not chosen or claim.name in chosen]
    known = [] if out is None else read_rows(Path(out))
    source = _Files(rows) if rows else _Runs(setting)
    failures: list[str] = []
    decided, started = 0, time.perf_counter()
    for place, claim in enumerate(claims, start=1):
        if not rows and any(is_settled(row, name, claim, setting) for row in known):
            _log.info("%d/%d  %s: is in the file", place, len(claims), claim.name)
            continue
        try:
            read = Rows(source.rows_of(claim))
            finding = decide(claim, read, quick=quick)
        except LackingRows as lacking:
            _log.warning("%d/%d  %s: not decided, for lack of %s", place, len(claims), claim.name, lacking)
            continue
        except FailedRuns as failed:
            _log.error("%d/%d  %s: %s", place, len(claims), claim.name, failed)
            failures.append(claim.name)
            continue
        row = claim_row(name, claim, finding, setting, read, [str(path) for path in rows])
        if out is not None:
            write_rows(out, known := with_row(known, row, CELL))
        decided += 1
        seconds = time.perf_counter() - started
        _log.info("%d/%d  %s: %s, %.0f s", place, len(claims), claim.name, finding.verdict, seconds)
        yield row
    if failures:
        raise FailedRuns(f"the experiments of {', '.join(failures)} failed. Their rows and logs: {setting.folder}")
    if rows and not decided:
        raise SpikingGammaError("--rows", ", ".join(map(str, rows)), f"rows that decide a claim of {name}")


def decide(claim: Claim, rows: Rows, *, quick: bool) -> Finding:
    """Return what rows say of a claim.

    Raises:
        LackingRows: They do not say enough, and the run is not a quick one.
    """
    if claim.judge is None:
        return Finding(Verdict.NOT_MEASURABLE, (), claim.unmeasurable)
    if not quick or claim.quick_decides:
        return claim.judge(rows)
    try:
        found = claim.judge(rows)
    except LackingRows:
        return Finding(Verdict.UNDECIDED, (), _QUICK)
    return found if found.verdict is Verdict.NOT_MEASURABLE else Finding(Verdict.UNDECIDED, found.measured, _QUICK)


class _Runs:
    """Rows by running experiments, each once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._done: dict[Experiment, list[Row]] = {}
        self._failed: dict[Experiment, FailedRuns] = {}

    def rows_of(self, claim: Claim) -> list[Row]:
        rows: list[Row] = []
        for experiment in claim.experiments:
            if experiment in self._failed:
                raise self._failed[experiment]
            if experiment not in self._done:
                try:
                    self._done[experiment] = measured_rows(experiment, self._setting)
                except FailedRuns as failed:
                    self._failed[experiment] = failed
                    raise
            rows += self._done[experiment]
        return rows


class _Files:
    """Rows from files alone."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self._rows: list[Row] = []
        for path in map(Path, paths):
            if not path.is_file():
                raise SpikingGammaError("--rows", f"{path}: no such file", "a file of rows that a bench wrote")
            self._rows += read_rows(path)

    def rows_of(self, claim: Claim) -> list[Row]:
        return self._rows
