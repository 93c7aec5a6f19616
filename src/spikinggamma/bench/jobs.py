"""Run several processes at a time, each with one thread and its own log."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Ended", "Job", "last_line", "run_jobs"]

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
# By default the C library returns large blocks to the system and requests them again for every batch, which took two fifths
# of the training time on long recordings. With these settings it keeps them.
_KEEP_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**33)}
_PAUSE_S = 0.05
_PATIENCE_S = 20.0


class Job(NamedTuple):
    """A command, and the file to which its output is appended."""

    name: str
    command: tuple[str, ...]
    log: Path


class Ended(NamedTuple):
    """A job that ended, its exit code, and its duration [s]."""

    job: Job
    code: int
    seconds: float


def run_jobs(jobs: Sequence[Job], *, at_once: int) -> Generator[Ended]:
    """Run jobs in this order, `at_once` at a time; yield each as it ends, successful or not.

    When the caller closes the generator or is interrupted, the running jobs are terminated and waited for.
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
    """Return the last line of a log that is not empty."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def _start(job: Job) -> subprocess.Popen[bytes]:
    with job.log.open("ab") as log:
        return subprocess.Popen(
            job.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | _ONE_THREAD | _KEEP_BLOCKS
        )
