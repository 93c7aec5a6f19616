"""Time constants: fixed ones are no parameters, trained ones stay above their floor whatever the optimiser does."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.functional import decay_factors
from spikinggamma.nn import Timescales


def test_fixed_time_constants_are_no_parameters_but_are_saved() -> None:
    timescales = Timescales((4.0, 8.0, 6.0))
    assert not list(timescales.parameters())
    assert not timescales.trainable
    assert timescales.order == 3
    restored = Timescales((1.0, 1.0, 1.0))
    restored.load_state_dict(timescales.state_dict())
    assert restored.tau_ms().tolist() == [4.0, 8.0, 6.0]


def test_trained_time_constants_start_where_they_were_set() -> None:
    timescales = Timescales((4.0, 8.0, 6.0), trainable=True)
    assert timescales.tau_ms().tolist() == pytest.approx([4.0, 8.0, 6.0])
    assert timescales.shortest_ms == 2.0
    assert [p.shape for p in timescales.parameters()] == [(2,)]


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.lists(st.floats(1.0, 50.0), min_size=2, max_size=5),
    st.floats(0.1, 0.9),
    st.lists(st.floats(-100.0, 20.0), min_size=4, max_size=4),
)
def test_no_update_takes_them_below_the_floor(tau_ms: list[float], share: float, excess: list[float]) -> None:
    floor = share * min(tau_ms)
    timescales = Timescales(tau_ms, trainable=True, shortest_ms=floor)
    assert timescales.excess is not None
    with torch.no_grad():
        timescales.excess.copy_(torch.tensor(excess[: len(tau_ms) - 1]))
    found = timescales.tau_ms().detach()
    assert float(found[0]) == pytest.approx(tau_ms[0])  # bucket 0 is the common code: never trained
    assert bool((found[1:] >= floor * (1 - 1e-6)).all())
    decay_factors(found.double(), floor * 0.999)


def test_gradient_of_the_decay_is_the_gradient_of_the_time_constant() -> None:
    timescales = Timescales((4.0, 8.0, 6.0), trainable=True).double()
    grad = torch.tensor([5.0, -1.0, 2.0], dtype=torch.float64)
    timescales.accumulate(grad, 2.0)
    timescales.accumulate(grad, 2.0)
    tau_ms = torch.tensor([8.0, 6.0], dtype=torch.float64)
    # ∂ℓ/∂ρ = ∂ℓ/∂α · dt/τ² · (τ - τ_min), twice.
    wanted = 2.0 * grad[1:] * 2.0 / tau_ms**2 * (tau_ms - 2.0)
    assert timescales.excess is not None
    torch.testing.assert_close(timescales.excess.grad, wanted)


def test_one_bucket_leaves_nothing_to_train() -> None:
    timescales = Timescales((4.0,), trainable=True)
    assert timescales.tau_ms().tolist() == [4.0]
    timescales.accumulate(torch.ones(1), 1.0)


@pytest.mark.parametrize("tau_ms", [(), (4.0, 0.0), (-1.0,), (4.0, math.nan), (math.inf,)])
def test_time_constants_that_are_none_are_an_error(tau_ms: tuple[float, ...]) -> None:
    with pytest.raises(SpikingGammaError, match="`tau_ms`"):
        Timescales(tau_ms)


@pytest.mark.parametrize("floor", [0.0, -1.0, 6.0, 7.0])
def test_a_floor_above_a_trained_time_constant_is_an_error(floor: float) -> None:
    with pytest.raises(SpikingGammaError, match="`shortest_ms`"):
        Timescales((4.0, 8.0, 6.0), trainable=True, shortest_ms=floor)
