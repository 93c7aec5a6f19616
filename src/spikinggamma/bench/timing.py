"""The timing suite: how much nets use the timing of spikes, over models, tasks, perturbations and seeds.

`timing_plan` defines the measurements, `timing_table` the recipes, and `run_plan` trains the nets. A row appears when all
seeds of its cell are trained, in the order of the plan; rows that are known already are skipped.

Source: "Beyond Rate Coding" (arXiv 2507.16043).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from spikinggamma.bench.rows import Row
from spikinggamma.bench.run_plan import Needed, bundled, check_counts, finished
from spikinggamma.bench.timing_plan import Cell, asked_of, cells, planned, select
from spikinggamma.bench.timing_rows import row_of

__all__ = ["run"]

_log = logging.getLogger(__name__)
_FOLDER = "runs/timing"


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
    """Yield a row for each cell of the plan.

    Args:
        quick: The ends of ranges, few recordings and one epoch, as a check that it works.
        seed: The only seed if `seeds` are not given.
        only: Groups; all if none are named.
        models: Models; all if none are named.
        seeds: Seeds of weights, batch order and generated tasks.
        jobs: Number of runs at a time.
        runs: Folder for the runs.
        known: Known rows; a cell that has one for these seeds is skipped.

    Raises:
        SpikingGammaError: A group or model is unknown, none has a recipe, or the folder cannot be created.
        FailedRuns: A run failed; it is raised after all others are done.
    """
    all_seeds = list(seeds or (seed,))
    check_counts(jobs, all_seeds)
    chosen = select(cells(quick=quick), only, models)
    recipes = bundled(cell.recipe for cell in chosen)
    wanted = [cell for cell in chosen if cell.recipe in recipes]
    pending = [cell for cell in wanted if not any(_answers(row, cell, all_seeds, quick) for row in known)]
    _log.info("%d rows to make, %d are there", len(pending), len(wanted) - len(pending))
    plan = []
    for cell in pending:
        its_runs = [planned(cell, each, quick=quick) for each in all_seeds]
        plan.append(((cell, its_runs), [Needed(one, asked_of(cell)) for one in its_runs]))
    with closing(finished(plan, runs, jobs)) as done:
        for cell, its_runs in done:
            yield row_of(cell, all_seeds, its_runs, Path(runs), quick=quick)


def _answers(row: Row, cell: Cell, seeds: Sequence[int], quick: bool) -> bool:
    """Return whether a row is the result of this cell."""
    same = all(row.get(name) == value for name, value in cell.key.items())
    return same and row.get("bench") == "timing" and row.get("seeds") == list(seeds) and row.get("quick") is quick
