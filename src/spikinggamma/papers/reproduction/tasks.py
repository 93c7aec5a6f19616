"""Tasks of experiments: functions that measure something, each called in its own process, with a result that is kept.

A task's folder holds `result.json` when it is done; whatever else it needs to go on after an interruption, such as a
run, is in the same folder. A task is not repeated while its result is there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.bench.jobs import Job, last_line, run_jobs
from spikinggamma.bench.rows import FailedRuns
from spikinggamma.papers.reproduction.experiments import Experiment, Setting
from spikinggamma.papers.reproduction.selection import Row
from spikinggamma.runs import read_rows
from spikinggamma.versions import versions

__all__ = ["RESULT", "Task", "measuring"]

_log = logging.getLogger(__name__)
RESULT = "result.json"


class Task(NamedTuple):
    """A call of a function that measures.

    Attributes:
        name: Readable part of the name of its folder.
        call: The function as "module:function"; it takes a folder and the options, and returns the measured values.
        options: Its options, of which `seed` is one.
    """

    name: str
    call: str
    options: dict[str, Any]

    @property
    def folder(self) -> str:
        """Name of its folder, unique for the function and its options."""
        told = json.dumps([self.call, self.options], sort_keys=True)
        return f"{self.name}-{hashlib.blake2b(told.encode(), digest_size=4).hexdigest()}"


def measuring(
    name: str, words: str, tasks: Callable[[Setting], Sequence[Task]], *, quick_decides: bool = False
) -> Experiment:
    """Return an experiment of tasks, with a row for each: its options and what it measured.

    Args:
        name: Of the experiment; `bench` of its rows.
        words: What is measured, for people.
        tasks: Returns the tasks of a setting.
        quick_decides: Whether the result is exact at any size.
    """

    def make(setting: Setting, known: Sequence[Row]) -> Iterator[list[Row]]:
        there = {row["task"] for row in known}
        missing = [task for task in tasks(setting) if task.folder not in there]
        with closing(_results(missing, setting.folder / name, setting.jobs)) as results:
            for task, result in results:
                about = {"device": "cpu", "threads": 1, "versions": versions(), "quick": setting.quick}
                yield [{"bench": name, "task": task.folder, "call": task.call, **about, **task.options, **result}]

    return Experiment(name, words, make, ("bench", "task"), quick_decides)


def _results(tasks: Sequence[Task], folder: Path, jobs: int) -> Generator[tuple[Task, dict[str, Any]]]:
    """Yield the result of each task as it ends; those that are on the disk come first.

    Raises:
        FailedRuns: A task failed; it is raised after all others are done.
    """
    by_name = {task.folder: task for task in tasks}
    done = {name: read_rows(folder / name / RESULT) for name in by_name}
    yield from ((by_name[name], rows[0]) for name, rows in done.items() if rows)
    waiting = [_job(task, folder / name) for name, task in by_name.items() if not done[name]]
    failed: list[str] = []
    started = time.perf_counter()
    with closing(run_jobs(waiting, at_once=jobs)) as ended:
        for count, (job, code, seconds) in enumerate(ended, start=1):
            result = read_rows(folder / job.name / RESULT)
            well = code == 0 and bool(result)
            left = (time.perf_counter() - started) / count * (len(waiting) - count)
            said = "done" if well else f"failed: {last_line(job.log)} ({job.log})"
            _log.info("%d/%d  %s  %s, %.0f s; about %.0f s left", count, len(waiting), job.name, said, seconds, left)
            if well:
                yield by_name[job.name], result[0]
            else:
                failed.append(job.name)
    if failed:
        raise FailedRuns(f"{len(failed)} of {len(tasks)} tasks failed: {', '.join(failed)}. Logs: {folder}")


def _job(task: Task, folder: Path) -> Job:
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps({"call": task.call, "folder": str(folder), "options": task.options})
    command = (sys.executable, "-m", "spikinggamma.papers.reproduction.work", told)
    return Job(task.folder, command, folder / "log.txt")
