"""Can a net use when spikes come, not only how many? Models x tasks x perturbations x seeds, as rows.

`timing_plan` says what is measured, `timing_table` with which recipes, and `run_plan` trains the nets. A row is there when all
seeds of its cell are, in the order of the plan; rows that are known already are passed over.

Source: "Beyond Rate Coding" (arXiv 2507.16043).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from spikinggamma.bench.rows import Row
from spikinggamma.bench.run_plan import Needed, bundled, check_counts, finished
from spikinggamma.bench.timing_plan import Cell, cells, select
from spikinggamma.bench.timing_rows import row_of
from spikinggamma.bench.timing_runs import asked_of, planned

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
    """A row for each cell of the plan.

    Args:
        quick: Ends of ranges only, few recordings, one epoch: to see that it works, no more.
        seed: If `seeds` are not given, the only one.
        only: Groups; all if none are named.
        models: Likewise.
        seeds: Of weights, order and generated tasks.
        jobs: Runs at a time.
        runs: The folder that they are kept in.
        known: Rows that are there; a cell that has one for these seeds is passed over.

    Raises:
        SpikingGammaError: No such group or model; none that has a recipe; a folder that cannot be made.
        FailedRuns: After everything else was done, if a run failed.
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
    """Whether a row is the one that this cell would get."""
    same = all(row.get(name) == value for name, value in cell.key.items())
    return same and row.get("bench") == "timing" and row.get("seeds") == list(seeds) and row.get("quick") is quick
