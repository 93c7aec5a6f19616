"""The task's ceiling and floors, each shown by the classifier that they are about."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.tasks import localisation
from spikinggamma.tasks.localisation import LAGS_MS, make


def ears(recordings: list[Recording], dt_ms: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    batch = make_batch(recordings, dt_ms=dt_ms)
    spikes = batch.spikes.numpy()
    return spikes[..., :8], spikes[..., 8:], batch.labels.numpy()


@pytest.mark.parametrize("dt_ms", [0.5, 1.0, 2.0, 4.0])
def test_delay_lines_reach_the_ceiling(dt_ms: float) -> None:
    left, right, labels = ears(make(n_samples=900, seed=1), dt_ms)
    matches = [(np.roll(left, round(lag / dt_ms), axis=0) * right).sum((0, 2)) for lag in LAGS_MS]
    assert (np.argmax(matches, axis=0) == labels).mean() == localisation.ceiling() == 1.0


def test_exactly_one_lag_maps_one_ear_onto_the_other() -> None:
    for recording in make(n_samples=200, seed=2):
        left, right = ([], [])
        for time_us, channel in zip(recording.times_us, recording.channels, strict=True):
            (left if channel < 8 else right).append((int(channel) % 8, int(time_us)))
        fits = [{(c, (t + round(lag * 1000)) % 240_000) for c, t in left} == set(right) for lag in LAGS_MS]
        assert fits.index(True) == recording.label
        assert sum(fits) == 1


def test_counts_tell_nothing() -> None:
    left, right, _ = ears(make(n_samples=300, seed=3), 1.0)
    assert (left.sum(0) == 5).all()
    assert (right.sum(0) == 5).all()
    assert localisation.floor() == pytest.approx(1 / 9)


@pytest.mark.long
@pytest.mark.parametrize("ear", [0, 1])
def test_one_ear_is_spread_evenly_at_every_lag(ear: int) -> None:
    # 9 lags x 24 bins of 10 ms, some 1700 spikes in each: chi-square with 9 x 23 degrees of freedom, as spikes are
    # nearly independent.
    sides = ears(make(n_samples=9000, seed=4), 10.0)
    counts = np.stack([sides[ear][:, sides[2] == label].sum((1, 2)) for label in range(9)])
    chi_square = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
    assert abs(chi_square - 9 * 23) < 4 * np.sqrt(2 * 9 * 23)


@pytest.mark.long
@pytest.mark.parametrize("dt_ms", [1.0, 4.0])
def test_simultaneity_tells_lag_zero_only(dt_ms: float) -> None:
    left, right, labels = ears(make(n_samples=9000, seed=5), dt_ms)
    together = (left * right).sum((0, 2))
    means = np.array([together[labels == label].mean() for label in range(9)])
    others = np.delete(means, 4)
    error = together[labels != 4].std() / np.sqrt(1000)
    assert means[4] > 10 * others.max()
    assert np.ptp(others) < 5 * error
    # The best guess from this count, learnt on one half and tried on the other.
    bins = together.astype(int)
    votes = np.zeros((bins.max() + 1, 9))
    np.add.at(votes, (bins[::2], labels[::2]), 1)
    accuracy = (votes.argmax(1)[bins[1::2]] == labels[1::2]).mean()
    assert accuracy == pytest.approx(localisation.memoryless_bound(), abs=0.025)


def test_pairs_of_clicks_are_equally_frequent_at_all_lags() -> None:
    # The pair correlation of n points on a circle of length D with dead time s, in closed form (hard rods): as frequent
    # at every distance from (n - 1) s on, so at all lags; and within 0.03 % from 4 ms, half a lag, on.
    circle, n, dead = 240.0, 5, 2.0

    def density(distance: float) -> float:
        total = 0.0
        for k in range(1, n):
            before, after = distance - k * dead, circle - distance - (n - k) * dead
            if before >= 0 and after >= 0:
                ways = factorial(n - 1) / (factorial(k - 1) * factorial(n - k - 1))
                total += ways * before ** (k - 1) * after ** (n - k - 1) / (circle - n * dead) ** (n - 1)
        return total

    at_lags = [density(distance) for distance in (8.0, 16.0, 24.0, 32.0, 36.0)]
    assert max(at_lags) == pytest.approx(min(at_lags), rel=1e-12)
    assert all(density(distance) == pytest.approx(at_lags[0], rel=3e-4) for distance in np.arange(4.0, 8.0, 0.1))


def test_clicks_of_a_channel_keep_their_distance() -> None:
    for recording in make(n_samples=100, seed=6, n_clicks=30):
        for channel in range(16):
            times = recording.times_us[recording.channels == channel]
            gaps = np.diff(np.append(times, times[0] + 240_000))
            assert gaps.min() >= 2000


def test_lags_are_equally_frequent_and_out_of_order() -> None:
    labels = [recording.label for recording in make(n_samples=100, seed=7)]
    assert set(np.bincount(labels)) == {11, 12}
    assert labels[:9] != sorted(labels[:9])


def test_seed_decides_and_splits_differ() -> None:
    options = {"n_train": 30, "n_validation": 30, "n_test": 30}
    first, again = (localisation.splits(seed=1, **options) for _ in range(2))
    other = localisation.splits(seed=2, **options)

    def times(part: list[Recording]) -> list[int]:
        return np.concatenate([recording.times_us for recording in part]).tolist()

    assert [times(part) for part in first] == [times(part) for part in again]
    distinct = {tuple(times(part)) for splits in (first, other) for part in splits}
    assert len(distinct) == 6


def test_jitter_moves_spikes_by_its_width() -> None:
    still, moved = (make(n_samples=400, seed=8, jitter_ms=jitter_ms) for jitter_ms in (0.0, 1.0))
    left, right, _ = ears(moved, 1.0)
    matches = [(np.roll(left, round(lag), axis=0) * right).sum((0, 2)) for lag in LAGS_MS]
    # Two normal moves of 1 ms each: their difference stays within a step of 1 ms in some 28 % of cases.
    assert np.max(matches, axis=0).mean() == pytest.approx(0.28 * 40, rel=0.15)
    assert [r.n_events for r in moved] == [r.n_events for r in still]


def test_other_lags_and_sizes() -> None:
    recordings = make(n_samples=8, seed=0, n_channels=4, n_clicks=3, duration_ms=100.0, lags_ms=(-1.5, 2.5))
    assert {recording.label for recording in recordings} == {0, 1}
    assert recordings[0].n_events == 12
    for recording in recordings:
        left, right = (recording.times_us[recording.channels == channel] for channel in (0, 2))
        shifted = np.sort((left + (-1500, 2500)[recording.label]) % 100_000)
        np.testing.assert_array_equal(shifted, right)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_samples": 0},
        {"n_channels": 7},
        {"n_channels": 0},
        {"n_clicks": 0},
        {"n_clicks": 61},
        {"duration_ms": 0.0},
        {"duration_ms": float("nan")},
        {"lags_ms": (1.0,)},
        {"lags_ms": (1.0, 1.0)},
        {"lags_ms": (0.0, 240.0)},
        {"lags_ms": (0.0, float("inf"))},
        {"jitter_ms": -1.0},
    ],
)
def test_refused_options(wrong: dict[str, object]) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{next(iter(wrong))}`"):
        make(**({"n_samples": 4, "seed": 0} | wrong))  # type: ignore[arg-type]


def test_refused_seeds() -> None:
    for call in (lambda: make(n_samples=1, seed=-1), lambda: localisation.splits(seed=-1)):
        with pytest.raises(SpikingGammaError, match="`seed`"):
            call()
