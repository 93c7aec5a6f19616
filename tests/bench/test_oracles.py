"""Two independent ways to a gradient, autograd and finite differences, agree where both apply."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.bench.gradient_comparison import agreement
from spikinggamma.bench.oracles import autograd_gradient, finite_difference_gradient
from spikinggamma.bench.problems import Problem, asks, dense_problem


def small() -> Problem:
    return dense_problem(1, tau_ms=(3.0, 4.0), steps=12, seed=3, width=2, analogue=True)


@pytest.mark.long
def test_the_two_judges_agree_where_both_can_judge() -> None:
    problem = small()
    for ask in asks(problem)[1:3]:
        found = agreement(finite_difference_gradient(problem, ask), autograd_gradient(problem, ask))
        assert found.relative_error < 1e-8


def test_finite_differences_leave_the_net_as_it_was() -> None:
    problem = small()
    before = [parameter.clone() for parameter in problem.net.parameters()]
    finite_difference_gradient(problem, asks(problem)[0])
    assert all(torch.equal(a, b) for a, b in zip(before, problem.net.parameters(), strict=True))
