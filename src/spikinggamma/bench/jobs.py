"""Several processes at a time, each of one thread and with a log of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Ended", "Job", "last_line", "run_jobs"]

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
# The C library gives large blocks back to the system and asks for them again, every batch: on long recordings that was two
# fifths of the time of training. Here it keeps them.
_KEEP_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**33)}
_PAUSE_S = 0.05
_PATIENCE_S = 20.0


class Job(NamedTuple):
    """A command, and the file that its output is appended to."""

    name: str
    command: tuple[str, ...]
    log: Path


class Ended(NamedTuple):
    """A job that ended, its exit code, and how long it took [s]."""

    job: Job
    code: int
    seconds: float


def run_jobs(jobs: Sequence[Job], *, at_once: int) -> Iterator[Ended]:
    """Run jobs in this order, `at_once` at a time; each is told of as it ends, whatever came of it.

    A caller that stops listening, or is interrupted, ends those that still run: they are asked to, then waited for.
    """
    waiting = list(reversed(jobs))
    running: list[tuple[Job, subprocess.Popen[bytes], float]] = []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.pop()
                running.append((job, _start(job), time.perf_counter()))
            ended = [entry for entry in running if entry[1].poll() is not None]
            running = [entry for entry in running if entry not in ended]
            for job, process, started in ended:
                yield Ended(job, process.returncode, time.perf_counter() - started)
            if not ended:
                time.sleep(_PAUSE_S)
    finally:
        for _, process, _ in running:
            process.terminate()
        for _, process, _ in running:
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def last_line(log: Path) -> str:
    """The last line of a log that says something."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing was said")


def _start(job: Job) -> subprocess.Popen[bytes]:
    with job.log.open("ab") as log:
        return subprocess.Popen(
            job.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | _ONE_THREAD | _KEEP_BLOCKS
        )
