"""Benchmark of the dependence on the time step, over models, tasks, steps of training, steps of the test and seeds.

Every net is trained at each step that it allows, and each of these nets is run at all of them, with the same weights and the
same recordings, whose events are binned again. `resolution_plan` defines the comparisons and their recipes, and
`run_plan` trains the nets. The rows of a net that is run at other steps appear when that net is trained, those of training at
each step when all nets are trained; rows that are known already are skipped.

SpikingGamma must be at most 1.5 points of accuracy below the best step, with spikes per second within 10 %.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

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
    """Yield a row for each net and each step at which it runs.

    Args:
        quick: Two steps, few recordings and one epoch, as a check that it works.
        seed: The only seed if `seeds` are not given.
        only: Tasks; all if none are named.
        models: Models; all if none are named.
        seeds: Seeds of weights, batch order and generated tasks.
        jobs: Number of runs at a time.
        runs: Folder for the runs.
        known: Known rows; a sweep that has all of its rows for these seeds is skipped.

    Raises:
        SpikingGammaError: A task or model is unknown, none has a recipe, or the folder cannot be created.
        FailedRuns: A run failed; it is raised after all others are done.
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
            Needed(one, [sweep.asked(of, run) for of, run in sweep.pairs_ms if of == trained])
            for trained, of_step in its_runs.items()
            for one in of_step
        ]
        plan.append(((sweep, its_runs), needed))
    with closing(finished(plan, runs, jobs)) as done:
        for sweep, its_runs in done:
            yield from rows_of(sweep, all_seeds, its_runs, Path(runs), quick=quick)


def _answered(rows: Sequence[Row], sweep: Sweep, seeds: Sequence[int], quick: bool) -> bool:
    """Return whether all rows of this sweep are known."""
    same = [
        row
        for row in rows
        if (row.get("bench"), row.get("task"), row.get("model")) == ("resolution", sweep.case.task, sweep.case.model)
        and row.get("mapping", "") == sweep.mapping
        and row.get("seeds") == list(seeds)
        and row.get("quick") is quick
    ]
    return set(sweep.told_ms) <= {(row.get("trained_dt_ms"), row.get("run_dt_ms")) for row in same}
