"""Runs of benches without processes of their own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pytest

from spikinggamma.bench import run_plan, run_work
from spikinggamma.bench.jobs import Ended, Job


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs are done here rather than in processes of their own; their names are noted."""
    names: list[str] = []

    def here(jobs: Sequence[Job], *, at_once: int) -> Iterator[Ended]:
        for job in jobs:
            names.append(job.name)
            root = logging.getLogger()
            handlers, level = root.handlers[:], root.level
            code = run_work.main(job.command[3:])
            root.handlers, root.level = handlers, level
            yield Ended(job, code, 1.0)

    monkeypatch.setattr(run_plan, "run_jobs", here)
    monkeypatch.setattr(run_work.signal, "signal", lambda *args: None)
    return names
