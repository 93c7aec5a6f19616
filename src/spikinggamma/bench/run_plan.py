"""Executes a plan of runs: trains several at a time, and yields the items of the plan in order as their runs finish.

Runs are trained in processes of one thread, each in its own folder; finished ones are not trained again, and interrupted ones
are resumed. A failed run is reported with the last line of its log, and the others continue.
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
from spikinggamma.evaluation.metrics import metric_of_row
from spikinggamma.recipes import recipe_names
from spikinggamma.runs import load_run

__all__ = ["Needed", "bundled", "check_counts", "finished"]

_log = logging.getLogger(__name__)
_Item = TypeVar("_Item")


class Needed(NamedTuple):
    """A run, and the evaluations that are needed of it."""

    run: PlannedRun
    asked: list[Asked]


def check_counts(jobs: int, seeds: Sequence[int]) -> None:
    """Check the number of runs at a time, and that no seed is named twice.

    Raises:
        SpikingGammaError: One of the two is bad.
    """
    if jobs < 1:
        raise SpikingGammaError("--jobs", jobs, "at least 1")
    if len(set(seeds)) < len(seeds):
        raise SpikingGammaError("--seeds", list(seeds), "each seed once")


def bundled(recipes: Iterable[str]) -> set[str]:
    """Return the bundled ones among these recipes, and log the others.

    Raises:
        SpikingGammaError: None of them is bundled.
    """
    wanted = list(dict.fromkeys(recipes))
    found = set(wanted) & set(recipe_names())
    without = ", ".join(name for name in wanted if name not in found)
    if without:
        _log.info("skipped, as these recipes do not exist: %s", without)
    if not found:
        raise SpikingGammaError("recipes", without, "at least one bundled recipe among those chosen")
    return found


def finished(
    plan: Sequence[tuple[_Item, Sequence[Needed]]], folder: str | Path, jobs: int
) -> Generator[_Item, None, None]:
    """Yield each item of a plan, in order, when its runs are trained and evaluated; items with failed runs are left out.

    Args:
        plan: Items, each with the runs that it needs.
        folder: Folder for the runs, created if it is missing.
        jobs: Number of runs at a time.

    Raises:
        SpikingGammaError: The folder cannot be created, or holds a run of another recipe under a needed name.
        FailedRuns: A run failed; it is raised after all others are done.
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
    """Return the runs that are not trained or fully evaluated yet, in the order in which they are needed."""
    work: dict[str, Needed] = {}
    for run, asked in all_needed:
        work.setdefault(run.name, Needed(run, [])).asked.extend(asked)
    return {name: needed for name, needed in work.items() if missing(folder / name, needed.run.recipe, needed.asked)}


def _train(work: dict[str, Needed], folder: Path, jobs: int) -> Generator[tuple[str, bool], None, None]:
    """Yield the name of each run as it ends, and whether it succeeded; log a line of progress for each."""
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
    row = load_run(folder).result or {}
    metric = metric_of_row(row)
    return f"{metric.title} {metric.text(row[metric.name] or 0.0)}" if not metric.share else f"{row['accuracy']:.1%}"


def _span(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
