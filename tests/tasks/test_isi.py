"""Pairs are exact, counts say what they are meant to say, and the best guess from them reaches the floor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.tasks import isi
from spikinggamma.tasks.isi import make

# The paper's counts, 1 to 30, and intervals of 1 to 10 ms, in a tenth of its time, give or take.
SHORT = {"duration_ms": 1200, "rates_hz": (1.0, 25.0), "max_interval_ms": 10}


def trains(recording: Recording) -> list[np.ndarray]:
    """Times of each channel in ms."""
    assert (recording.times_us % 1000 == 0).all()
    return [recording.times_us[recording.channels == c] // 1000 for c in range(recording.n_channels)]


def pairs_of(recording: Recording) -> tuple[int, int]:
    """Pairs of every neuron and their interval, if all its spikes pair up at that interval, in every neuron."""
    counts, intervals = set(), set()
    for times in trains(recording):
        gaps = np.diff(times)
        # A pair is never closer to another than its own interval, so its spikes are neighbours.
        assert len(times) % 2 == 0
        assert (gaps[1::2] > gaps[::2].max()).all()
        counts.add(len(times) // 2)
        intervals |= set(gaps[::2].tolist())
    assert len(counts) == len(intervals) == 1
    return counts.pop(), intervals.pop()


def test_every_spike_has_its_partner_and_every_neuron_the_same_pairs() -> None:
    found = [(*pairs_of(recording), recording.label) for recording in make(n_samples=300, seed=1)]
    for n, interval_ms, label in found:
        # Centre of the cell of the plane: r = n / 10 Hz, and nothing lies within 2.5 of the line, half a cell aside.
        x, y = (n - 1) / 29 * 20 - 10, (interval_ms - 1) / 99 * 20 - 10
        assert (y > -x / 2) == (label == 0)
        assert abs(x + 2 * y) / np.sqrt(5) > 2.5 - np.hypot(10 / 29, 10 / 99)
    counts, intervals = np.array(found).T[:2]
    assert set(counts) == set(range(1, 31))
    assert intervals.min() < 5
    assert intervals.max() > 95


@given(
    st.integers(1, 4),
    st.integers(400, 2000),
    st.integers(2, 12),
    st.floats(2.0, 6.0),
    st.floats(0.5, 10.0),
    st.integers(0, 2**31),
)
@settings(max_examples=30)
def test_whatever_the_options(
    n_channels: int, duration_ms: int, max_interval_ms: int, lowest_hz: float, more_hz: float, seed: int
) -> None:
    rates_hz = (lowest_hz, lowest_hz + more_hz)
    levels = {round(round(float(rate) * duration_ms / 1000, 9)) for rate in np.linspace(*rates_hz, 30)}
    for index, recording in enumerate(
        make(
            n_samples=6,
            seed=seed,
            n_channels=n_channels,
            duration_ms=duration_ms,
            rates_hz=rates_hz,
            max_interval_ms=max_interval_ms,
        )
    ):
        n, interval_ms = pairs_of(recording)
        assert n in levels
        assert 1 <= interval_ms <= max_interval_ms
        assert (recording.n_channels, recording.duration_us) == (n_channels, duration_ms * 1000)
        assert recording.source == f"isi {seed}/{index}"


def test_the_best_guess_from_counts_reaches_the_floor_and_that_from_both_the_ceiling() -> None:
    recordings = make(n_samples=4000, seed=2, n_channels=1, **SHORT)
    labels = np.array([recording.label for recording in recordings])
    floor, intervals, ceiling = (f(**SHORT) for f in (isi.floor, isi.intervals_alone, isi.ceiling))
    counts, gaps = np.array([pairs_of(recording) for recording in recordings]).T
    # By symmetry of the plane about its centre, where the classes are equally frequent.
    middle = np.median([round(rate * 1.2) for rate in np.linspace(1.0, 25.0, 30)])
    by_count = np.where(counts > middle, 0, 1)
    by_interval = np.where(gaps > 5.5, 0, 1)
    by_both = np.where((gaps - 1) / 9 - 0.5 > -((counts - 1.2) / 28.8 - 0.5) / 2, 0, 1)
    for guess, accuracy in ((by_count, floor), (by_interval, intervals), (by_both, ceiling)):
        error = np.sqrt(accuracy * (1 - accuracy) / len(labels))
        assert abs((guess == labels).mean() - accuracy) <= 4 * error + 1e-9
    assert ceiling == pytest.approx(1.0, abs=1e-12)


def test_classes_are_equally_frequent_and_out_of_order() -> None:
    labels = [recording.label for recording in make(n_samples=101, seed=3, **SHORT)]
    assert sorted(np.bincount(labels)) == [50, 51]
    assert labels[:8] != sorted(labels[:8])


def test_neurons_are_independent() -> None:
    # Two neurons of a recording share a start by chance only: n² / 900 of n pairs each, in the mean.
    shared, expected = 0, 0.0
    for recording in make(n_samples=200, seed=4, n_channels=2, **SHORT):
        n, interval_ms = pairs_of(recording)
        one, two = (set(times[::2].tolist()) for times in trains(recording))
        shared += len(one & two)
        expected += n * n / (1200 - interval_ms)
    assert shared == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_seed_decides_and_splits_differ() -> None:
    options = {"n_train": 10, "n_validation": 10, "n_test": 10, **SHORT}
    first, again = (isi.splits(seed=1, **options) for _ in range(2))
    other = isi.splits(seed=2, **options)

    def times(part: list[Recording]) -> list[int]:
        return np.concatenate([recording.times_us for recording in part]).tolist()

    assert [times(part) for part in first] == [times(part) for part in again]
    assert len({tuple(times(part)) for splits in (first, other) for part in splits}) == 6


def test_it_says_what_it_is() -> None:
    said = isi.describe(n_channels=3, **SHORT)
    assert (said.n_channels, len(said.class_names)) == (3, 2)
    assert [bound.accuracy for bound in said.floors] == [isi.floor(**SHORT), isi.intervals_alone(**SHORT)]
    assert said.ceiling is not None
    assert said.ceiling.accuracy == isi.ceiling(**SHORT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_samples": 0},
        {"seed": -1},
        {"n_channels": 0},
        {"max_interval_ms": 1},
        {"duration_ms": 0},
        {"rates_hz": (0.04, 3.0)},
        {"rates_hz": (0.1, 4.0)},  # 40 pairs, each alone for 201 ms: not in ten seconds
    ],
)
def test_refused_options(wrong: dict[str, object]) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{next(iter(wrong))}`"):
        make(**({"n_samples": 4, "seed": 0} | wrong))  # type: ignore[arg-type]


def test_a_refused_seed_of_splits() -> None:
    with pytest.raises(SpikingGammaError, match="`seed`"):
        isi.splits(seed=-1)
