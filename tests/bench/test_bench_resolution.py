"""The resolution bench: one net, carried over four time steps, and rows that say so."""

from __future__ import annotations

import pytest

from spikinggamma.bench import resolution
from spikinggamma.bench.rows import Row

FIELDS = {"bench", "command", "seed", "device", "threads", "versions", "model", "rule"}
FIELDS |= {"trained_dt_ms", "run_dt_ms", "steps", "accuracy", "spikes_per_neuron_s"}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(resolution.run(quick=True, seed=1))


def test_the_same_net_runs_at_a_quarter_a_half_and_twice_its_step(rows: list[Row]) -> None:
    assert all(row.keys() >= FIELDS for row in rows)
    assert [row["run_dt_ms"] / row["trained_dt_ms"] for row in rows] == list(resolution.FACTORS)
    # The same length of time, in steps of each size.
    assert {row["steps"] * row["run_dt_ms"] for row in rows} == {240.0}
    assert {row["command"] for row in rows} == {"spikinggamma bench resolution --quick --seed 1"}


def test_spikes_per_second_depend_little_on_the_step(rows: list[Row]) -> None:
    rates = [row["spikes_per_neuron_s"] for row in rows if row["run_dt_ms"] <= row["trained_dt_ms"]]
    assert min(rates) > 0.0
    assert max(rates) < 1.2 * min(rates)


def test_what_is_lost_is_counted_from_the_trained_step(rows: list[Row]) -> None:
    assert rows[0]["accuracy_lost"] == 0.0
    for row in rows:
        assert row["accuracy_lost"] == pytest.approx(rows[0]["accuracy"] - row["accuracy"])
