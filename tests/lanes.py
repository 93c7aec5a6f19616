"""The fast lane, `pytest --fast`: it leaves out tests marked `long`, and ends with a list of those that should have the mark.

A test is long if its call takes more than half a second of processor time, or if its setup takes more than three: a fixture
that the tests of a file share is set up by the first of them. Processes that a test starts count. Processor time, since the
time on the clock depends on what else runs; on the first run of all, kernels are compiled, and the list is longer than it
should be.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

__all__ = ["LONG_CPU_S"]

LONG_CPU_S = {"setup": 3.0, "call": 0.5}
_TAKEN = "cpu_s"
_before = pytest.StashKey[float]()


def cpu_s() -> float:
    """Processor time of this process and of the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out tests that are marked as long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    item.stash[_before] = cpu_s()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What each phase of a test took goes with its report, also from a worker to the process that prints the summary."""
    report = yield
    now = cpu_s()
    report.user_properties.append((_TAKEN, now - item.stash[_before]))
    item.stash[_before] = now
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--fast"):
        return
    reports = [one for group in terminalreporter.stats.values() for one in group if isinstance(one, pytest.TestReport)]
    taken = [(dict(report.user_properties)[_TAKEN], report.when, report.nodeid) for report in reports]
    long = sorted((row for row in taken if row[0] > LONG_CPU_S.get(row[1], 1.0)), reverse=True)
    if long:
        terminalreporter.section("tests to be marked as long, by seconds of processor time")
        for seconds, phase, test in long:
            terminalreporter.line(f"{seconds:6.1f} {phase:8} {test}")
