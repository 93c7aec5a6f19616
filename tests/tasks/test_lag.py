"""b repeats a after the lag in one pair, single channels tell nothing, and the ceiling is that of drawn recordings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.tasks import lag
from spikinggamma.tasks.lag import make


def trains(recording: Recording) -> list[np.ndarray]:
    return [recording.times_us[recording.channels == c] // 1000 for c in range(recording.n_channels)]


@given(st.integers(2, 5), st.integers(5, 300), st.integers(1, 5), st.integers(0, 299), st.integers(0, 99))
def test_the_pair_of_the_class_repeats_itself_after_the_lag(
    n_pairs: int, duration_ms: int, n_spikes: int, lag_ms: int, seed: int
) -> None:
    lag_ms %= duration_ms
    options = {"n_pairs": n_pairs, "duration_ms": duration_ms, "n_spikes": n_spikes, "lag_ms": lag_ms}
    found = make(n_samples=2 * n_pairs, seed=seed, **options)
    assert np.bincount([recording.label for recording in found]).tolist() == [2] * n_pairs
    for recording in found:
        times = trains(recording)
        assert all(len(set(train.tolist())) == n_spikes for train in times)
        a, b = times[2 * recording.label], times[2 * recording.label + 1]
        assert sorted(((a + lag_ms) % duration_ms).tolist()) == b.tolist()


def test_a_single_channel_is_uniform_in_every_class() -> None:
    found = make(n_samples=4000, seed=1, n_pairs=2, duration_ms=50, n_spikes=5, lag_ms=12)
    for label in (0, 1):
        for channel in range(4):
            times = np.concatenate([trains(recording)[channel] for recording in found if recording.label == label])
            assert chisquare(np.bincount(times, minlength=50)).pvalue > 1e-4


def test_an_observer_of_the_lag_reaches_the_ceiling() -> None:
    options = {"n_pairs": 3, "duration_ms": 4, "n_spikes": 1}
    rng = np.random.default_rng(0)
    right = []
    for recording in make(n_samples=6000, seed=2, lag_ms=1, **options):
        times = trains(recording)
        match = [pair for pair in range(3) if (times[2 * pair] + 1) % 4 == times[2 * pair + 1]]
        right.append(rng.choice(match) == recording.label)
    known = lag.ceiling(**options)
    assert abs(np.mean(right) - known) < 4.0 * np.sqrt(known * (1.0 - known) / len(right))


def test_it_says_what_it_is() -> None:
    said = lag.describe(n_pairs=5, lag_ms=30)
    assert (said.title, said.n_channels, len(said.class_names)) == ("Lag of 30 ms", 10, 5)
    assert said.floors[0].accuracy == 0.2
    assert said.ceiling is not None
    assert said.ceiling.accuracy == pytest.approx(1.0, abs=1e-12)
    assert lag.ceiling(n_pairs=4, duration_ms=3, n_spikes=3) == 0.25


@pytest.mark.parametrize(
    ("options", "argument"),
    [({"n_spikes": 11, "duration_ms": 10, "lag_ms": 2}, "n_spikes"), ({"lag_ms": 500}, "lag_ms")],
)
def test_impossible_options_are_named(options: dict[str, int], argument: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{argument}`"):
        make(n_samples=2, seed=0, **options)
    with pytest.raises(SpikingGammaError, match=f"`{argument}`"):
        lag.describe(**options)
