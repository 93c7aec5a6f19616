"""A demand on a gradient is met by the exact one, and refused by one that is a little wrong."""

from __future__ import annotations

import torch

from spikinggamma.bench.gradient_comparison import Demand, agreement
from spikinggamma.bench.oracles import autograd_gradient
from spikinggamma.bench.problems import asks, dense_problem


def test_a_demand_is_refused_by_a_gradient_that_is_a_little_wrong() -> None:
    problem = dense_problem(1, tau_ms=(3.0, 4.0), steps=12, seed=3, width=2)
    evaluator = autograd_gradient(problem, asks(problem)[0])
    wrong = {name: value * (1 + 1e-9) for name, value in evaluator.items()}
    assert Demand("relative_error", 1e-10).met_by(agreement(evaluator, evaluator))
    assert not Demand("relative_error", 1e-10).met_by(agreement(wrong, evaluator))
    turned = {name: value + 0.01 * torch.ones_like(value) for name, value in evaluator.items()}
    assert not Demand("cosine", 0.999999).met_by(agreement(turned, evaluator))
    assert str(Demand("cosine", 0.999999)) == "cosine >= 0.999999"
