"""The fast lane, `pytest --fast`: it leaves out tests marked `long`, and lists those that should have the mark.

A test is long if all its cases together take more than `LONG_CPU_S` of processor time, including processes that they
start and fixtures that they are the first to ask for. Processor time, since the time on the clock depends on what else runs.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

__all__ = ["LONG_CPU_S"]

LONG_CPU_S = 2.0
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
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    item.stash[_before] = cpu_s()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    now = cpu_s()
    report.user_properties.append((_TAKEN, now - item.stash[_before]))
    item.stash[_before] = now
    return report


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    """Which tests took too long for this lane; workers send their reports here."""
    if config.getoption("--fast"):
        totals: Counter[str] = Counter()
        for reports in terminalreporter.stats.values():
            for report in reports:
                if isinstance(report, pytest.TestReport):
                    totals[report.nodeid.partition("[")[0]] += sum(
                        taken for name, taken in report.user_properties if name == _TAKEN
                    )
        slow = [(taken, test) for test, taken in totals.items() if taken > LONG_CPU_S]
        if slow:
            terminalreporter.section(f"more than {LONG_CPU_S:g} s of processor time: to be marked as long")
            for taken, test in sorted(slow, reverse=True):
                terminalreporter.line(f"{taken:6.1f} s  {test}")
    yield
