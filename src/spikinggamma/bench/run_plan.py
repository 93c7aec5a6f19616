"""From a plan to its finished runs: several are trained at a time, and what needs them is told of in the order of the plan.

Runs are trained in processes of one thread, each in a folder of its own; those that are finished are not trained again and
those that were cut off go on. A run that fails is named with the last line of its log, and the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeVar

from spikinggamma.bench.jobs import Job, last_line, run_jobs
from spikinggamma.bench.kept_runs import Asked, PlannedRun, missing
from spikinggamma.bench.rows import FailedRuns
from spikinggamma.bench.run_work import command
from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes import recipe_names
from spikinggamma.runs import load_run

__all__ = ["Needed", "bundled", "check_counts", "finished"]

_log = logging.getLogger(__name__)
_Item = TypeVar("_Item")


class Needed(NamedTuple):
    """A run, and what is asked of it."""

    run: PlannedRun
    asked: list[Asked]


def check_counts(jobs: int, seeds: Sequence[int]) -> None:
    """Refuse what is no number of runs at a time, and seeds that are named twice.

    Raises:
        SpikingGammaError: The first of the two.
    """
    if jobs < 1:
        raise SpikingGammaError("--jobs", jobs, "at least 1")
    if len(set(seeds)) < len(seeds):
        raise SpikingGammaError("--seeds", list(seeds), "each seed once")


def bundled(recipes: Iterable[str]) -> set[str]:
    """Those of these recipes that are bundled; the others are named.

    Raises:
        SpikingGammaError: None is.
    """
    wanted = list(dict.fromkeys(recipes))
    found = set(wanted) & set(recipe_names())
    without = ", ".join(name for name in wanted if name not in found)
    if without:
        _log.info("passed over, as there are no such recipes: %s", without)
    if not found:
        raise SpikingGammaError("recipes", without, "at least one bundled recipe among those chosen")
    return found


def finished(
    plan: Sequence[tuple[_Item, Sequence[Needed]]], folder: str | Path, jobs: int
) -> Generator[_Item, None, None]:
    """Each item of a plan when all that it needs is trained and asked, in this order; items whose runs fail are left out.

    Args:
        plan: Items, each with what it needs.
        folder: Where runs are kept; made if it is not there.
        jobs: Runs at a time.

    Raises:
        SpikingGammaError: A folder that cannot be made; a run of another recipe in the place of one that is needed.
        FailedRuns: After everything else was done, if a run failed.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpikingGammaError("--runs", f"{folder} ({error.strerror})", "a folder that can be made") from None
    failed: set[str] = set()
    work = _unfinished([needed for _, all_needed in plan for needed in all_needed], folder)
    unfinished = set(work)
    with closing(_train(work, folder, jobs)) as ended:
        for item, all_needed in plan:
            names = {needed.run.name for needed in all_needed}
            while names & unfinished:
                name, well = next(ended)
                unfinished.discard(name)
                failed |= set() if well else {name}
            if not names & failed:
                yield item
    if failed:
        raise FailedRuns(f"{len(failed)} of {len(work)} runs failed: {', '.join(sorted(failed))}. Logs: {folder}")


def _unfinished(all_needed: Sequence[Needed], folder: Path) -> dict[str, Needed]:
    """Runs that are not trained yet, or not asked everything, in the order in which they are needed."""
    work: dict[str, Needed] = {}
    for run, asked in all_needed:
        work.setdefault(run.name, Needed(run, [])).asked.extend(asked)
    return {name: needed for name, needed in work.items() if missing(folder / name, needed.run.recipe, needed.asked)}


def _train(work: dict[str, Needed], folder: Path, jobs: int) -> Generator[tuple[str, bool], None, None]:
    """Name of each run as it ends, and whether it ended well; a line of progress for each."""
    started = time.perf_counter()
    input_events = [
        Job(name, command(needed.run, folder / name, needed.asked), folder / f"{name}.log")
        for name, needed in work.items()
    ]
    for count, (job, code, seconds) in enumerate(run_jobs(input_events, at_once=jobs), start=1):
        left = (time.perf_counter() - started) / count * (len(input_events) - count)
        needed = work[job.name]
        well = code == 0 and not missing(folder / job.name, needed.run.recipe, needed.asked)
        outcome = _accuracy(folder / job.name) if well else f"failed: {last_line(job.log)} ({job.log})"
        _log.info(
            "%d/%d  %s  %s, %.0f s; about %s left", count, len(input_events), job.name, outcome, seconds, _span(left)
        )
        yield job.name, well


def _accuracy(folder: Path) -> str:
    return f"{(load_run(folder).result or {})['accuracy']:.1%}"


def _span(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
