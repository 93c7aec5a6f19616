"""The memory bench: flat for an online rule, linear for what holds the recording; and its gauge can be trusted."""

from __future__ import annotations

import pytest

from rules_by_net import CHAIN_RULES, GAMMA_RULES
from spikinggamma.bench import memory
from spikinggamma.bench.memory_case import Case
from spikinggamma.bench.rows import Row

pytestmark = pytest.mark.long

FIELDS = {"bench", "command", "seed", "device", "threads", "versions"} | {"rule", "steps", "peak_mib", "step_mib"}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(memory.run(quick=True, seed=0))


def test_rows_say_what_was_measured(rows: list[Row]) -> None:
    assert all(row.keys() >= FIELDS | {"loss", "sizes", "batch", "chunk", "environment"} for row in rows)
    assert {row["command"] for row in rows} == {"spikinggamma bench memory --quick --seed 0"}


def test_an_online_rule_is_flat_and_the_others_are_linear(rows: list[Row]) -> None:
    assert [row for row in rows if row["holds"] is False] == []
    longest = {row["rule"]: row for row in rows if row["steps"] == 1600}
    assert longest["windowed"]["peak_ratio"] < 1.05
    assert longest["windowed"]["step_ratio"] < 1.3
    assert longest["through_time"]["step_ratio"] > 3.0
    assert longest["lif_bptt"]["step_ratio"] > 3.0
    assert longest["lif_ottt"]["peak_ratio"] < 1.05
    assert all(row["ms_per_step"] > 0.0 for row in rows)


def test_growth_is_judged_by_the_step(rows: list[Row]) -> None:
    case = next(group[-1] for group in memory._groups(quick=False, seed=0) if group[0].rule == "lif_bptt")
    straight = [
        {"steps": steps, "peak_mib": 300.0 + steps, "step_mib": 10.0 + 0.5 * steps, "ms_per_step": 1.0}
        for steps in (100, 200, 800)
    ]
    found = memory._row(case, straight, quick=False)
    assert (found["mib_per_step"], found["holds"]) == (pytest.approx(0.5), True)
    bent = [*straight[:2], {**straight[2], "step_mib": 300.0}]
    assert memory._row(case, bent, quick=False)["holds"] is False
    online = case._replace(rule="windowed")
    assert memory._row(online, straight, quick=False)["holds"] is False


def test_a_case_that_fails_says_why() -> None:
    case = Case("nonsense", "sum", 50, (20, 8, 2), (8.0,), 8, 25, 0)
    with pytest.raises(RuntimeError, match="instantaneous, otpe, ottt, shifted"):
        memory._measure(case)


def test_every_online_rule_of_lif_nets_is_measured() -> None:
    measured = {group[0].rule for group in memory._groups(quick=False, seed=0)}
    assert measured >= {*GAMMA_RULES, *(f"lif_{rule}" for rule in CHAIN_RULES)}
