"""Intervals against binomial quantiles, against each other, and by how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from spikinggamma import SpikingGammaError
from spikinggamma.bench.bootstrap import crossed_interval, nested_interval
from spikinggamma.evaluation import wilson_interval


def answers(correct: int, count: int) -> np.ndarray:
    return np.repeat([0.0, 1.0], [count - correct, correct])


@pytest.mark.parametrize(("correct", "count"), [(90, 100), (11, 99), (270, 540)])
def test_one_seed_gives_the_quantiles_of_a_binomial(correct: int, count: int) -> None:
    expected = binom.ppf([0.025, 0.975], count, correct / count) / count
    one = answers(correct, count)
    # 4000 draws know a quantile to about a tenth of the distribution's own width.
    near = pytest.approx(expected, abs=0.2 * np.std(one) / np.sqrt(count) + 1 / count)
    assert nested_interval([one]) == near
    assert crossed_interval(one[None]) == near


def test_seeds_that_are_all_right_or_all_wrong_give_the_quantiles_of_drawing_seeds() -> None:
    right = [np.full(20, float(seed < 6)) for seed in range(10)]
    expected = tuple(binom.ppf([0.025, 0.975], 10, 0.6) / 10)
    assert nested_interval(right) == pytest.approx(expected)
    assert crossed_interval(np.stack(right)) == pytest.approx(expected)


def test_seeds_that_agree_add_recordings_only_where_they_have_their_own() -> None:
    one = answers(150, 200)
    width = {}
    for n_seeds in (1, 4):
        nested, crossed = nested_interval([one] * n_seeds), crossed_interval(np.stack([one] * n_seeds))
        width[n_seeds] = nested[1] - nested[0], crossed[1] - crossed[0]
    assert width[4][0] == pytest.approx(width[1][0] / 2, rel=0.1)
    assert width[4][1] == pytest.approx(width[1][1], rel=0.1)


def test_three_draws_of_a_perturbation_are_averaged_before_recordings_are_drawn() -> None:
    """Var = (mean of squares - square of mean) / N, of values between 0 and 1 as of any others."""
    values = np.random.default_rng(0).integers(0, 4, size=300) / 3
    half = 1.96 * values.std() / np.sqrt(len(values))
    for low, high in (nested_interval([values]), crossed_interval(values[None])):
        assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
        assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


@pytest.mark.long
@pytest.mark.parametrize("same_recordings", [False, True])
def test_it_holds_the_truth_about_as_often_as_it_says(same_recordings: bool) -> None:
    """Ten seeds of different skill and recordings of different difficulty, with a mean of exactly 0.7."""
    rng, held, trials = np.random.default_rng(1), 0, 120
    for _ in range(trials):
        skill = rng.choice([-0.1, 0.1], size=(10, 1))
        difficulty = rng.choice([-0.2, 0.2], size=(1 if same_recordings else 10, 60))
        right = (rng.random((10, 60)) < 0.7 + skill + difficulty).astype(float)
        low, high = crossed_interval(right) if same_recordings else nested_interval(list(right))
        held += low <= 0.7 <= high
    assert 0.9 <= held / trials <= 0.99


def test_taken_for_independent_the_same_recordings_would_give_too_narrow_an_interval() -> None:
    hard = np.tile(answers(100, 200), (8, 1))
    nested, crossed = nested_interval(list(hard)), crossed_interval(hard)
    assert crossed[1] - crossed[0] > 2.5 * (nested[1] - nested[0])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_all_agree_wilson_stands_in(share: float) -> None:
    right = np.full((3, 50), share)
    assert nested_interval(list(right)) == wilson_interval(round(150 * share), 150)
    assert crossed_interval(right) == wilson_interval(round(50 * share), 50)


@pytest.mark.long
@given(st.lists(st.lists(st.sampled_from([0.0, 1 / 3, 2 / 3, 1.0]), min_size=4, max_size=4), min_size=1, max_size=4))
def test_it_lies_within_0_and_1_around_the_mean_and_is_the_same_every_time(values: list[list[float]]) -> None:
    right = np.array(values)
    for interval in (nested_interval(list(right)), crossed_interval(right)):
        low, high = interval
        assert 0.0 <= low <= right.mean() + 1e-9
        assert right.mean() - 1e-9 <= high <= 1.0
    assert nested_interval(list(right)) == nested_interval(list(right))


@pytest.mark.parametrize("right", [[], [np.array([])], [np.array([0.0, 2.0])]])
def test_what_is_no_accuracy_is_named(right: list[np.ndarray]) -> None:
    with pytest.raises(SpikingGammaError, match="right"):
        nested_interval(right)
