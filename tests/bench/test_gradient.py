"""The gradient bench: every demand is met on small nets, and the judges can tell a wrong gradient."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.bench import gradient
from spikinggamma.bench.gradient_comparison import Demand, agreement
from spikinggamma.bench.oracles import autograd_gradient, finite_difference_gradient
from spikinggamma.bench.problems import Problem, asks, dense_problem, long_enough
from spikinggamma.bench.rows import Row

FIELDS = {"bench", "command", "seed", "device", "threads", "versions"}
FIELDS |= {"rule", "depth", "loss", "steps", "chunk", "tolerance", "cosine", "relative_error", "dtype"}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(gradient.run(quick=True, seed=0))


def test_rows_say_what_was_compared(rows: list[Row]) -> None:
    assert all(row.keys() >= FIELDS for row in rows)
    assert {row["rule"] for row in rows} == {"through_time", "windowed", "traced", "shifted", "instantaneous"}
    assert {row["loss"] for row in rows} == {"sum", "last", "each_step", "running"}
    assert {row["command"] for row in rows} == {"spikinggamma bench gradient --quick --seed 0"}


def test_every_demand_is_met_and_every_exact_rule_has_one(rows: list[Row]) -> None:
    assert [row for row in rows if row["holds"] is False] == []
    for row in rows:
        exact = row["rule"] in ("through_time", "windowed")
        exact |= row["rule"] == "traced" and row["depth"] == 1
        exact |= row["rule"] == "shifted" and not row["rectify"]
        assert (row["holds"] is True) == exact, row


def test_biased_blame_is_measured_and_not_hidden(rows: list[Row]) -> None:
    biased = [row for row in rows if row["rule"] == "instantaneous"]
    assert {(row["depth"], row["loss"]) for row in biased} >= {(d, ask) for d in (1, 2) for ask in ("sum", "last")}
    assert all(row["relative_error"] > 1e-3 for row in biased)


def test_the_window_slides_in_the_windowed_rows(rows: list[Row]) -> None:
    windowed = [row for row in rows if row["rule"] == "windowed"]
    assert {row["chunk"] for row in windowed} == {1, 7}
    assert all(row["steps"] > 1.5 * (row["span"] + row["chunk"]) for row in windowed)


def small(**options: object) -> Problem:
    return dense_problem(1, tau_ms=(3.0, 4.0), steps=12, seed=3, width=2, **options)  # type: ignore[arg-type]


def test_the_two_judges_agree_where_both_can_judge() -> None:
    problem = small(analogue=True)
    for ask in asks(problem)[1:3]:
        found = agreement(finite_difference_gradient(problem, ask), autograd_gradient(problem, ask))
        assert found.relative_error < 1e-8


def test_finite_differences_leave_the_net_as_it_was() -> None:
    problem = small(analogue=True)
    before = [parameter.clone() for parameter in problem.net.parameters()]
    finite_difference_gradient(problem, asks(problem)[0])
    assert all(torch.equal(a, b) for a, b in zip(before, problem.net.parameters(), strict=True))


def test_a_demand_is_refused_by_a_gradient_that_is_a_little_wrong() -> None:
    problem = small()
    evaluator = autograd_gradient(problem, asks(problem)[0])
    wrong = {name: value * (1 + 1e-9) for name, value in evaluator.items()}
    assert Demand("relative_error", 1e-10).met_by(agreement(evaluator, evaluator))
    assert not Demand("relative_error", 1e-10).met_by(agreement(wrong, evaluator))
    turned = {name: value + 0.01 * torch.ones_like(value) for name, value in evaluator.items()}
    assert not Demand("cosine", 0.999999).met_by(agreement(turned, evaluator))
    assert str(Demand("cosine", 0.999999)) == "cosine >= 0.999999"


def test_recordings_are_long_enough_for_any_depth() -> None:
    assert long_enough(10, (4.0, 6.0, 10.0)) > long_enough(1, (4.0, 6.0, 10.0)) > 100
