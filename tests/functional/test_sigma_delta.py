"""The sigma-delta code: what the listeners decode, how far it may stray from the signal, and when a spike is sent.

The bound, with ϑ(t) the threshold that judged step t, no cap on n(t), and d = y(t) - ŷ⁻(t), what is missing:

1. y(t) - ŷ(t) < ϑ(t), always: n rounds d / 2ϑ to the nearest integer, halves upwards.
2. |y(t) - ŷ(t)| <= ϑ(t) wherever d >= 0, so at every spike. Where d < 0 nothing can be sent, and ŷ(t) = α_0 ŷ(t-1).
3. If y falls no faster than the listeners forget, y(t) >= α_0 y(t-1), and τ_a >= τ_0, then |y(t) - ŷ(t)| <= ϑ(t)
   always: where d < 0, ŷ(t) - y(t) <= α_0 (ŷ(t-1) - y(t-1)) <= α_0 ϑ(t-1) <= ϑ(t), the last by
   1 - dt/τ_0 <= e^{-dt/τ_0} <= e^{-dt/τ_a}.
4. With a cap of M spikes, 3 holds if also y(t) - α_0 y(t-1) <= 2M ϑ_0: then d < 2M ϑ_0 + α_0 ϑ(t-1) <= (2M + 1) ϑ(t),
   and the cap never binds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, gamma_step, sigma_delta_step

often = settings(deadline=None, max_examples=40, derandomize=True)
ROUNDING = 1e-12
TAU_MS = 8.0  # of bucket 0, by which the listeners decode

codes = st.builds(
    SigmaDelta,
    threshold=st.floats(0.01, 1.0),
    adaptation=st.floats(0.0, 1.0),
    adaptation_tau_ms=st.floats(TAU_MS, 100.0),
    max_spikes=st.none(),
)
steps_ms = st.floats(0.1, TAU_MS)
signals = st.lists(st.floats(-2.0, 5.0), min_size=1, max_size=40)
messages = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60)


class Course(NamedTuple):
    """A run of the code, each [T]."""

    signal: Tensor
    sent: Tensor
    before: Tensor
    estimate: Tensor
    threshold: Tensor


def follow(code: SigmaDelta, dt_ms: float, signal: list[float]) -> Course:
    alpha_0 = 1.0 - dt_ms / TAU_MS
    zero = torch.zeros(1, dtype=torch.float64)
    state = SigmaDeltaState(zero, zero)
    rows = []
    for y in signal:
        decayed, threshold = alpha_0 * state.estimate, code.threshold + state.adaptation
        sent, state = sigma_delta_step(code, alpha_0, dt_ms, state, torch.tensor([y], dtype=torch.float64))
        rows.append(torch.cat([sent, decayed, state.estimate, threshold]))
    return Course(torch.tensor(signal, dtype=torch.float64), *torch.stack(rows).unbind(1))


def slow(message: list[float], dt_ms: float, *, height: float) -> list[float]:
    """A signal with 0 <= y(t) - α_0 y(t-1) <= height: it falls no faster than it is forgotten."""
    values, alpha_0 = [0.0], 1.0 - dt_ms / TAU_MS
    for part in message:
        values.append(alpha_0 * values[-1] + height * part)
    return values[1:]


@often
@given(codes, steps_ms, signals, st.sampled_from([None, 1, 3]))
def test_listeners_bucket_0_is_the_senders_estimate(
    code: SigmaDelta, dt_ms: float, signal: list[float], cap: int | None
) -> None:
    course = follow(code._replace(max_spikes=cap), dt_ms, signal)
    alpha = torch.tensor([1.0 - dt_ms / TAU_MS, 0.7, 0.2], dtype=torch.float64)
    buckets = torch.zeros(3, 1, dtype=torch.float64)
    for sent, estimate in zip(course.sent, course.estimate, strict=True):
        buckets = gamma_step(alpha, buckets, sent.view(1))
        assert float(buckets[0]) == pytest.approx(float(estimate), rel=1e-14, abs=1e-15)


@often
@given(codes, steps_ms, signals)
def test_a_spike_is_sent_when_the_threshold_is_missing_and_only_then(
    code: SigmaDelta, dt_ms: float, signal: list[float]
) -> None:
    course = follow(code, dt_ms, signal)
    missing = course.signal - course.before
    decided = (missing - course.threshold).abs() > ROUNDING
    assert torch.equal((course.sent > 0)[decided], (missing >= course.threshold)[decided])
    count = course.sent / (2.0 * course.threshold)
    torch.testing.assert_close(count, count.round(), rtol=0.0, atol=1e-9)


@often
@given(codes, steps_ms, signals)
def test_any_signal_is_followed_upwards_and_at_every_spike(code: SigmaDelta, dt_ms: float, signal: list[float]) -> None:
    course = follow(code, dt_ms, signal)
    error = course.signal - course.estimate
    assert bool((error < course.threshold + ROUNDING).all())
    spoken = course.sent > 0
    assert bool((error.abs() <= course.threshold + ROUNDING)[spoken].all())
    silent = course.signal < course.before
    assert torch.equal(course.estimate[silent], course.before[silent])


@often
@given(codes, steps_ms, messages, st.floats(0.1, 10.0))
def test_a_signal_that_falls_no_faster_than_it_is_forgotten_is_known_within_the_threshold(
    code: SigmaDelta, dt_ms: float, message: list[float], height: float
) -> None:
    course = follow(code, dt_ms, slow(message, dt_ms, height=height))
    error = course.signal - course.estimate
    assert bool((error.abs() <= course.threshold + ROUNDING).all())


@often
@given(codes, steps_ms, messages, st.integers(1, 3))
def test_so_it_is_with_capped_spikes_if_it_rises_slowly_too(
    code: SigmaDelta, dt_ms: float, message: list[float], cap: int
) -> None:
    signal = slow(message, dt_ms, height=2.0 * cap * code.threshold)
    course = follow(code._replace(max_spikes=cap), dt_ms, signal)
    error = course.signal - course.estimate
    assert bool((error.abs() <= course.threshold + ROUNDING).all())
    assert torch.equal(course.sent, follow(code, dt_ms, signal).sent)


def test_a_signal_that_drops_faster_is_not_known_within_the_threshold() -> None:
    course = follow(SigmaDelta(threshold=0.1, adaptation=0.0), 1.0, [2.0] * 5 + [0.0] * 40)
    error = (course.estimate - course.signal)[5:]
    assert float(error[0]) > 10 * 0.1
    # What is left of it is forgotten as bucket 0 forgets.
    torch.testing.assert_close(error[1:], error[:-1] * (1.0 - 1.0 / TAU_MS), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dt_ms", [0.25, 1.0, 4.0])
def test_a_held_signal_costs_the_same_spikes_at_every_step_length(dt_ms: float) -> None:
    code, held, seconds = SigmaDelta(threshold=0.1, adaptation=0.0), 1.3, 0.5
    course = follow(code, dt_ms, [held] * int(1000 * seconds / dt_ms))
    spikes_per_s = float(course.sent.sum()) / 0.2 / seconds
    # A held estimate leaks ŷ/τ_0 per ms, and each spike gives back 2ϑ: y / (2ϑ τ_0), with ŷ within ϑ of y.
    expected = 1000.0 * held / (0.2 * TAU_MS)
    assert abs(spikes_per_s - expected) <= 1000.0 * 0.1 / (0.2 * TAU_MS) + 20


@often
@given(steps_ms, signals, st.floats(0.01, 1.0))
def test_without_adaptation_the_threshold_is_constant(dt_ms: float, signal: list[float], threshold: float) -> None:
    course = follow(SigmaDelta(threshold=threshold, adaptation=0.0), dt_ms, signal)
    assert torch.equal(course.threshold, torch.full_like(course.threshold, threshold))


@often
@given(codes, steps_ms, signals, st.integers(1, 4))
def test_the_cap_caps(code: SigmaDelta, dt_ms: float, signal: list[float], cap: int) -> None:
    course = follow(code._replace(max_spikes=cap), dt_ms, signal)
    count = course.sent / (2.0 * course.threshold)
    assert float(count.max()) <= cap + 1e-9
    first = follow(code, dt_ms, signal).sent[:1] / (2.0 * code.threshold)
    assert float(count[0]) == pytest.approx(min(float(first), cap))


@often
@given(st.floats(0.01, 1.0), st.floats(0.0, 5.0))
def test_spikes_are_the_missing_signal_in_units_of_their_height(threshold: float, signal: float) -> None:
    whole = signal / (2.0 * threshold) + 0.5
    assume(abs(whole - round(whole)) > 1e-9)
    course = follow(SigmaDelta(threshold=threshold), 1.0, [signal])
    assert float(course.sent[0]) == pytest.approx(2.0 * threshold * math.floor(whole))


def test_a_course_worked_by_hand() -> None:
    # α_0 = ½ by dt = 4 of τ_0 = 8; e^{-dt/τ_a} = ½ by τ_a = 4 / ln 2.
    code = SigmaDelta(threshold=0.5, adaptation=0.5, adaptation_tau_ms=4.0 / math.log(2.0))
    course = follow(code, 4.0, [1.0, 1.0, 0.0, 2.0, 2.0])
    assert course.threshold.tolist() == pytest.approx([0.5, 0.625, 0.5625, 0.53125, 0.78125])
    assert course.sent.tolist() == pytest.approx([1.0, 0.0, 0.0, 2.125, 1.5625])
    assert course.estimate.tolist() == pytest.approx([1.0, 0.5, 0.25, 2.25, 2.6875])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (SigmaDelta(threshold=0.0), "threshold"),
        (SigmaDelta(threshold=math.nan), "threshold"),
        (SigmaDelta(adaptation=-0.1), "adaptation"),
        (SigmaDelta(adaptation_tau_ms=0.0), "adaptation_tau_ms"),
        (SigmaDelta(max_spikes=0), "max_spikes"),
    ],
)
def test_values_out_of_range_are_named(wrong: SigmaDelta, named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        wrong.validate()
