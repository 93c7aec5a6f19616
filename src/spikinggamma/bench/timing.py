"""Can a net use when spikes come, not only how many? Models x tasks x perturbations x seeds, as rows.

`timing_plan` says what is measured, `timing_table` with which recipes. Runs are trained in processes of one thread, several at
a time, each in a folder of its own; those that are finished are not trained again and those that were cut off go on. A row is
there when all seeds of its cell are, in the order of the plan; rows that are known already are passed over. A run that fails is
named with the last line of its log, and the others go on.

Source: "Beyond Rate Coding" (arXiv 2507.16043).
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from spikinggamma.bench.jobs import Job, last_line, run_jobs
from spikinggamma.bench.rows import FailedRuns, Row
from spikinggamma.bench.timing_plan import Cell, cells, select
from spikinggamma.bench.timing_rows import row_of
from spikinggamma.bench.timing_runs import Asked, PlannedRun, asked_of, missing, planned
from spikinggamma.errors import SpikingGammaError
from spikinggamma.training import load_run, recipe_names

__all__ = ["run"]

_log = logging.getLogger(__name__)
_FOLDER = "runs/timing"


class _Task(NamedTuple):
    """A run and all that is asked of it, by whichever cells."""

    run: PlannedRun
    asked: list[Asked]


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
    if jobs < 1:
        raise SpikingGammaError("--jobs", jobs, "at least 1")
    all_seeds = list(seeds or (seed,))
    if len(set(all_seeds)) < len(all_seeds):
        raise SpikingGammaError("--seeds", all_seeds, "each seed once")
    wanted = _bundled(select(cells(quick=quick), only, models))
    pending = [cell for cell in wanted if not any(_answers(row, cell, all_seeds, quick) for row in known)]
    plan = [(cell, [planned(cell, each, quick=quick) for each in all_seeds]) for cell in pending]
    _log.info("%d rows to make, %d are there", len(plan), len(wanted) - len(pending))
    folder = Path(runs)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpikingGammaError("--runs", f"{folder} ({error.strerror})", "a folder that can be made") from None
    failed: set[str] = set()
    work = _unfinished(plan, folder)
    unfinished = set(work)
    with closing(_train(work, folder, jobs)) as ended:
        for cell, its_runs in plan:
            names = {one.name for one in its_runs}
            while names & unfinished:
                name, well = next(ended)
                unfinished.discard(name)
                failed |= set() if well else {name}
            if not names & failed:
                yield row_of(cell, all_seeds, its_runs, folder, quick=quick)
    if failed:
        raise FailedRuns(f"{len(failed)} of {len(work)} runs failed: {', '.join(sorted(failed))}. Logs: {folder}")


def _bundled(chosen: Sequence[Cell]) -> list[Cell]:
    """Cells whose recipe is bundled; the others are named."""
    names = set(recipe_names())
    without = list(dict.fromkeys(cell.recipe for cell in chosen if cell.recipe not in names))
    if without:
        _log.info("passed over, as there are no such recipes: %s", ", ".join(without))
    found = [cell for cell in chosen if cell.recipe in names]
    if not found:
        raise SpikingGammaError("recipes", ", ".join(without), "at least one bundled recipe among those chosen")
    return found


def _answers(row: Row, cell: Cell, seeds: Sequence[int], quick: bool) -> bool:
    """Whether a row is the one that this cell would get."""
    same = all(row.get(name) == value for name, value in cell.key.items())
    return same and row.get("bench") == "timing" and row.get("seeds") == list(seeds) and row.get("quick") is quick


def _unfinished(plan: Sequence[tuple[Cell, Sequence[PlannedRun]]], folder: Path) -> dict[str, _Task]:
    """Runs that are not trained yet, or not asked everything, in the order in which cells need them."""
    tasks: dict[str, _Task] = {}
    for cell, its_runs in plan:
        for one in its_runs:
            tasks.setdefault(one.name, _Task(one, [])).asked.extend(asked_of(cell))
    return {name: task for name, task in tasks.items() if missing(folder / name, task.run.recipe, task.asked)}


def _train(work: dict[str, _Task], folder: Path, jobs: int) -> Generator[tuple[str, bool], None, None]:
    """Name of each run as it ends, and whether it ended well; a line of progress for each."""
    started = time.perf_counter()
    listed = [Job(name, _command(task, folder), folder / f"{name}.log") for name, task in work.items()]
    for count, (job, code, seconds) in enumerate(run_jobs(listed, at_once=jobs), start=1):
        left = (time.perf_counter() - started) / count * (len(listed) - count)
        task = work[job.name]
        well = code == 0 and not missing(folder / job.name, task.run.recipe, task.asked)
        outcome = _accuracy(folder / job.name) if well else f"failed: {last_line(job.log)} ({job.log})"
        _log.info("%d/%d  %s  %s, %.0f s; about %s left", count, len(listed), job.name, outcome, seconds, _span(left))
        yield job.name, well


def _accuracy(folder: Path) -> str:
    return f"{(load_run(folder).result or {})['accuracy']:.1%}"


def _command(task: _Task, folder: Path) -> tuple[str, ...]:
    told = {
        "folder": str(folder / task.run.name),
        "source": task.run.source,
        "settings": list(task.run.settings),
        "asked": list(dict.fromkeys(task.asked)),
    }
    return (sys.executable, "-m", "spikinggamma.bench.timing_work", json.dumps(told))


def _span(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
