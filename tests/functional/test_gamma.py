"""The gamma memory against closed forms: the binomial law, areas, lags, and its adjoint against autograd."""

from __future__ import annotations

import math

import pytest
import scipy.signal
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.functional import decay_factors, gamma_adjoint, gamma_sequence, gamma_step, impulse_response

chains = st.lists(st.floats(3.0, 12.0), min_size=1, max_size=6)
seldom = settings(deadline=None, max_examples=15, derandomize=True)


def answer(tau_ms: list[float], dt_ms: float, steps: int) -> torch.Tensor:
    """What each bucket does after one unit spike, [K, T]."""
    alpha = decay_factors(torch.tensor(tau_ms, dtype=torch.float64), dt_ms)
    spike = torch.zeros(steps, 1, dtype=torch.float64)
    spike[0] = 1.0
    traces, _ = gamma_sequence(alpha, torch.zeros(len(tau_ms), 1, dtype=torch.float64), spike)
    return traces.squeeze(2).T


@pytest.mark.parametrize("dt_ms", [0.25, 1.0, 4.0, 8.0])
def test_equal_buckets_follow_the_binomial_law(dt_ms: float) -> None:
    found = answer([8.0] * 6, dt_ms, 60)
    torch.testing.assert_close(found, impulse_response(8.0, 6, dt_ms, 60), rtol=1e-12, atol=1e-14)
    # The same law by another author: the time of the (k+1)-th success in trials of probability p.
    p = dt_ms / 8.0
    steps = torch.arange(60)
    for k, bucket in enumerate(found):
        wanted = torch.from_numpy(scipy.stats.nbinom.pmf(steps - k, k + 1, p)) / p
        torch.testing.assert_close(bucket, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dt_ms", [0.5, 1.0, 4.0])
def test_unequal_buckets_are_a_cascade_of_first_order_filters(dt_ms: float) -> None:
    tau_ms = [4.0, 9.0, 5.5, 20.0]
    found = answer(tau_ms, dt_ms, 80).numpy()
    expected = scipy.signal.lfilter([1.0], [1.0, dt_ms / tau_ms[0] - 1.0], [1.0] + [0.0] * 79)
    for k, bucket in enumerate(found):
        if k:
            expected = scipy.signal.lfilter([0.0, dt_ms / tau_ms[k]], [1.0, dt_ms / tau_ms[k] - 1.0], expected)
        assert bucket == pytest.approx(expected, rel=1e-11, abs=1e-14)


@seldom
@given(chains, st.floats(0.3, 3.0))
def test_area_and_lag_do_not_depend_on_the_step(tau_ms: list[float], dt_ms: float) -> None:
    # One step is a matrix A, so sums over all of time are exact: Σ Aᵗ = (1 - A)⁻¹ and Σ t Aᵗ = A (1 - A)⁻².
    order = len(tau_ms)
    alpha = decay_factors(torch.tensor(tau_ms, dtype=torch.float64), dt_ms)
    matrix = gamma_step(alpha, torch.eye(order, dtype=torch.float64), torch.zeros(order, dtype=torch.float64))
    spike = gamma_step(alpha, torch.zeros(order, 1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    forever = torch.linalg.inv(torch.eye(order, dtype=torch.float64) - matrix)
    weight = (forever @ spike).squeeze(1)
    area = weight * dt_ms
    torch.testing.assert_close(area, torch.full_like(area, tau_ms[0]), rtol=1e-10, atol=0.0)
    centre = (matrix @ forever @ forever @ spike).squeeze(1) / weight * dt_ms
    hops = torch.tensor([0.0, *tau_ms[1:]], dtype=torch.float64).cumsum(0)
    torch.testing.assert_close(centre - centre[0], hops, rtol=1e-9, atol=1e-9)
    # Bucket 0 itself: a mean stay of τ_0, counted from the start of the spike's own step.
    assert float(centre[0]) + dt_ms == pytest.approx(tau_ms[0], rel=1e-9)


@seldom
@given(chains, st.integers(0, 2**31 - 1))
def test_adjoint_is_autograds(tau_ms: list[float], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    alpha = decay_factors(torch.tensor(tau_ms, dtype=torch.float64), 1.5)
    drive = torch.randn(9, 2, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    before = torch.randn(len(tau_ms), 2, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    grad = torch.randn(9, len(tau_ms), 2, 3, generator=generator, dtype=torch.float64)
    traces, _ = gamma_sequence(alpha, before, drive)
    wanted, wanted_before = torch.autograd.grad((traces * grad).sum(), (drive, before))
    g, carried = gamma_adjoint(alpha, grad)
    torch.testing.assert_close(g[:, 0], wanted, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(carried, wanted_before, rtol=1e-12, atol=1e-13)


def test_sequence_is_its_steps_and_its_chunks() -> None:
    alpha, drive = torch.tensor([0.5, 0.8, 0.3]), torch.randn(11, 2, 4)
    whole, last = gamma_sequence(alpha, torch.zeros(3, 2, 4), drive)
    buckets = torch.zeros(3, 2, 4)
    for t, u in enumerate(drive):
        buckets = gamma_step(alpha, buckets, u)
        assert torch.equal(buckets, whole[t])
    assert torch.equal(buckets, last)
    first, between = gamma_sequence(alpha, torch.zeros(3, 2, 4), drive[:4])
    second, end = gamma_sequence(alpha, between, drive[4:])
    assert torch.equal(torch.cat([first, second]), whole)
    assert torch.equal(end, last)


def test_decay_factors() -> None:
    assert decay_factors(torch.tensor([4.0, 8.0]), 2.0).tolist() == [0.5, 0.75]
    assert decay_factors(torch.tensor([4.0, 8.0]), 4.0).tolist() == [0.0, 0.5]  # as long as the bucket: still allowed
    tau_ms = torch.tensor([4.0, 8.0], requires_grad=True)
    (slope,) = torch.autograd.grad(decay_factors(tau_ms, 2.0).sum(), tau_ms)
    assert slope.tolist() == pytest.approx([2.0 / 16.0, 2.0 / 64.0])  # ∂α/∂τ = dt/τ²


def test_a_step_longer_than_a_bucket_is_an_error_that_names_it() -> None:
    with pytest.raises(SpikingGammaError, match=r"`dt_ms`: got 6.0; expected at most 5 ms, .*bucket 1, .*of 3"):
        decay_factors(torch.tensor([8.0, 5.0, 7.0]), 6.0)


@pytest.mark.parametrize("dt_ms", [0.0, -1.0, math.nan, math.inf])
def test_a_step_that_is_no_step_is_an_error(dt_ms: float) -> None:
    with pytest.raises(SpikingGammaError, match="`dt_ms`"):
        decay_factors(torch.tensor([8.0]), dt_ms)
