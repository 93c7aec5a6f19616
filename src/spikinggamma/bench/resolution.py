"""Does a net need the time step that it was given? Models x tasks x steps of training x steps of the test x seeds, as rows.

Every net is trained at each step that it allows, and each of these nets is run at all of them: the same weights, the same
recordings, their events binned anew. `resolution_plan` says what is set against what, `resolution_table` with which recipes,
and `run_plan` trains the nets. Rows of a net carried from one step are there when that net is, those of training at each step
when all of them are; rows that are known already are passed over.

Demanded of SpikingGamma: at most 1.5 points of accuracy below the best step, spikes per second within 10 %.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from spikinggamma.bench.kept_runs import Asked
from spikinggamma.bench.resolution_plan import Sweep, cases, planned, select, sweeps
from spikinggamma.bench.resolution_rows import rows_of
from spikinggamma.bench.rows import Row
from spikinggamma.bench.run_plan import Needed, bundled, check_counts, finished

__all__ = ["run"]

_log = logging.getLogger(__name__)
_FOLDER = "runs/resolution"


def run(
    *,
    quick: bool,
    seed: int,
    only: Sequence[str] = (),
    models: Sequence[str] = (),
    seeds: Sequence[int] = (),
    jobs: int = 2,
    runs: str | Path = _FOLDER,
    known: Sequence[Row] = (),
) -> Iterator[Row]:
    """A row for each net and each step that it is run at.

    Args:
        quick: Two steps, few recordings, one epoch: to see that it works, no more.
        seed: If `seeds` are not given, the only one.
        only: Tasks; all if none are named.
        models: Likewise.
        seeds: Of weights, order and generated tasks.
        jobs: Runs at a time.
        runs: The folder that they are kept in.
        known: Rows that are there; a sweep that has all of its rows for these seeds is passed over.

    Raises:
        SpikingGammaError: No such task or model; none that has a recipe; a folder that cannot be made.
        FailedRuns: After everything else was done, if a run failed.
    """
    all_seeds = list(seeds or (seed,))
    check_counts(jobs, all_seeds)
    chosen = select(cases(quick=quick), only, models)
    recipes = bundled(case.recipe for case in chosen)
    wanted = [sweep for case in chosen if case.recipe in recipes for sweep in sweeps(case, quick=quick)]
    pending = [sweep for sweep in wanted if not _answered(known, sweep, all_seeds, quick)]
    count = sum(len(sweep.told_ms) for sweep in pending)
    _log.info("%d rows to make, %d are there", count, sum(len(sweep.told_ms) for sweep in wanted) - count)
    plan = []
    for sweep in pending:
        its_runs = {
            trained: [planned(sweep.case, trained, each, quick=quick) for each in all_seeds]
            for trained in dict.fromkeys(trained for trained, _ in sweep.pairs_ms)
        }
        needed = [
            Needed(one, [Asked(dt_ms=run) for of, run in sweep.pairs_ms if of == trained])
            for trained, of_step in its_runs.items()
            for one in of_step
        ]
        plan.append(((sweep, its_runs), needed))
    with closing(finished(plan, runs, jobs)) as done:
        for sweep, its_runs in done:
            yield from rows_of(sweep, all_seeds, its_runs, Path(runs), quick=quick)


def _answered(rows: Sequence[Row], sweep: Sweep, seeds: Sequence[int], quick: bool) -> bool:
    """Whether all rows that this sweep would get are there."""
    same = [
        row
        for row in rows
        if (row.get("bench"), row.get("task"), row.get("model")) == ("resolution", sweep.case.task, sweep.case.model)
        and row.get("seeds") == list(seeds)
        and row.get("quick") is quick
    ]
    return set(sweep.told_ms) <= {(row.get("trained_dt_ms"), row.get("run_dt_ms")) for row in same}
