"""b follows a at exactly δ, counts stay exact at every interval, and the best guesses reach what is claimed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.tasks import polychrony
from spikinggamma.tasks.polychrony import make

SHORT = {"duration_ms": 1200, "rates_hz": (1.0, 25.0), "max_interval_ms": 30}


def couples(recording: Recording) -> list[tuple[np.ndarray, np.ndarray]]:
    """Times of a and of b of each pair of neurons, in ms."""
    assert (recording.times_us % 1000 == 0).all()
    trains = [recording.times_us[recording.channels == c] // 1000 for c in range(recording.n_channels)]
    return list(zip(trains[::2], trains[1::2], strict=True))


def spikes_of(recording: Recording) -> tuple[int, int]:
    """Spikes of every neuron and the interval from a to b, if that is the same for every spike and pair of neurons."""
    counts, intervals = set(), set()
    for a, b in couples(recording):
        assert len(a) == len(b)
        assert (np.diff(a) > 0).all()
        counts.add(len(a))
        intervals |= set((b - a).tolist())
    assert len(counts) == len(intervals) == 1
    return counts.pop(), intervals.pop()


@pytest.mark.parametrize("max_interval_ms", [50, 100, 200, 500])
def test_b_follows_a_and_counts_are_exact_at_every_interval(max_interval_ms: int) -> None:
    found = []
    for recording in make(n_samples=150, seed=1, max_interval_ms=max_interval_ms):
        n, interval_ms = spikes_of(recording)
        x, y = (n - 1) / 29 * 20 - 10, (interval_ms - 1) / (max_interval_ms - 1) * 20 - 10
        assert (y > -x / 2) == (recording.label == 0)
        found.append((n, interval_ms))
        # The paper's rule wherever thirty could keep it.
        if interval_ms <= 100:
            assert all((np.diff(a) > 2 * interval_ms).all() for a, _ in couples(recording))
    counts, intervals = np.array(found).T
    assert set(counts) <= set(range(1, 31))
    assert counts.max() >= 29
    assert intervals.max() > 0.9 * max_interval_ms


@given(
    st.integers(1, 3),
    st.integers(400, 2000),
    st.integers(2, 300),
    st.floats(2.0, 6.0),
    st.floats(0.5, 20.0),
    st.integers(0, 2**31),
)
@settings(max_examples=30)
def test_whatever_the_options(
    n_couples: int, duration_ms: int, max_interval_ms: int, lowest_hz: float, more_hz: float, seed: int
) -> None:
    rates_hz = (lowest_hz, lowest_hz + more_hz)
    levels = {round(round(float(rate) * duration_ms / 1000, 9)) for rate in np.linspace(*rates_hz, 30)}
    for index, recording in enumerate(
        make(
            n_samples=6,
            seed=seed,
            n_channels=2 * n_couples,
            duration_ms=duration_ms,
            rates_hz=rates_hz,
            max_interval_ms=max_interval_ms,
        )
    ):
        n, interval_ms = spikes_of(recording)
        assert n in levels
        assert 1 <= interval_ms <= max_interval_ms
        assert (recording.n_channels, recording.duration_us) == (2 * n_couples, duration_ms * 1000)
        assert recording.source == f"polychrony {seed}/{index}"


def test_the_best_guess_from_counts_reaches_the_floor_and_that_from_both_the_ceiling() -> None:
    recordings = make(n_samples=4000, seed=2, n_channels=2, **SHORT)
    labels = np.array([recording.label for recording in recordings])
    counts, gaps = np.array([spikes_of(recording) for recording in recordings]).T
    middle = np.median([round(rate * 1.2) for rate in np.linspace(1.0, 25.0, 30)])
    by_count = np.where(counts > middle, 0, 1)
    by_interval = np.where(gaps > 15.5, 0, 1)
    by_both = np.where((gaps - 1) / 29 - 0.5 > -((counts - 1.2) / 28.8 - 0.5) / 2, 0, 1)
    bounds = (polychrony.floor(**SHORT), polychrony.intervals_alone(**SHORT), polychrony.ceiling(**SHORT))
    for guess, accuracy in zip((by_count, by_interval, by_both), bounds, strict=True):
        error = np.sqrt(accuracy * (1 - accuracy) / len(labels))
        assert abs((guess == labels).mean() - accuracy) <= 4 * error + 1e-9
    assert bounds[2] == pytest.approx(1.0, abs=1e-12)


def test_smallest_gaps_tell_of_the_interval_too() -> None:
    """The caveat of the task: intervals within neurons, and counts, give most of the classes away."""
    recordings = make(n_samples=800, seed=6)
    right = 0
    for recording in recordings:
        n = recording.n_events // 20
        gap = min((int(np.diff(train).min()) for pair in couples(recording) for train in pair if n > 1), default=201)
        interval_ms = min(100, gap // 2)
        x, y = (n - 1) / 29 * 20 - 10, (interval_ms - 1) / 99 * 20 - 10
        right += (y > -x / 2) == (recording.label == 0)
    assert right / len(recordings) > 0.9


def trains_told_by_interval(placing: str) -> list[float]:
    """p-values: do the ends and gaps of single trains of eight spikes differ between short and long intervals?"""
    few = {"n_channels": 2, "duration_ms": 400, "rates_hz": (20.0, 20.01), "max_interval_ms": 30}
    told: dict[bool, list[list[int]]] = {False: [], True: []}
    for recording in make(n_samples=3000, seed=4, placing=placing, **few):
        ((a, b),) = couples(recording)
        assert len(a) == len(b) == 8
        (interval_ms,) = (lag for lag in range(1, 31) if set((a + lag) % 400) == set(b.tolist()))
        told[interval_ms > 15].append([a[-1], b[0], b[-1], np.diff(a).min(), np.diff(b).min()])
    return [float(ks_2samp(short, long).pvalue) for short, long in zip(*map(np.transpose, told.values()), strict=True)]


@pytest.mark.long
def test_pairs_anywhere_leave_no_trace_within_a_neuron() -> None:
    assert min(trains_told_by_interval("anywhere")) > 1e-3
    assert max(trains_told_by_interval("apart")) < 1e-3


def test_classes_are_equally_frequent_and_out_of_order() -> None:
    labels = [recording.label for recording in make(n_samples=101, seed=3, **SHORT)]
    assert sorted(np.bincount(labels)) == [50, 51]
    assert labels[:8] != sorted(labels[:8])


def test_seed_decides_and_splits_differ() -> None:
    options = {"n_train": 10, "n_validation": 10, "n_test": 10, **SHORT}
    first, again = (polychrony.splits(seed=1, **options) for _ in range(2))
    other = polychrony.splits(seed=2, **options)

    def times(part: list[Recording]) -> list[int]:
        return np.concatenate([recording.times_us for recording in part]).tolist()

    assert [times(part) for part in first] == [times(part) for part in again]
    assert len({tuple(times(part)) for splits in (first, other) for part in splits}) == 6


def test_it_says_what_it_is() -> None:
    said = polychrony.describe(n_channels=4, **SHORT)
    assert (said.n_channels, len(said.class_names)) == (4, 2)
    assert [bound.accuracy for bound in said.floors] == [
        polychrony.floor(**SHORT),
        polychrony.intervals_alone(**SHORT),
    ]
    assert said.ceiling is not None
    assert said.ceiling.accuracy == polychrony.ceiling(**SHORT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_samples": 0},
        {"seed": -1},
        {"n_channels": 0},
        {"n_channels": 7},
        {"placing": "nowhere"},
        {"rates_hz": (100.0, 2000.0), "placing": "anywhere", "duration_ms": 20, "max_interval_ms": 5},
        {"max_interval_ms": 1},
        {"max_interval_ms": 10_000},
        {"duration_ms": 0},
        {"rates_hz": (3.0, 0.1)},
        {"rates_hz": (0.1, 700.0)},
    ],
)
def test_refused_options(wrong: dict[str, object]) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{next(iter(wrong))}`"):
        make(**({"n_samples": 4, "seed": 0} | wrong))  # type: ignore[arg-type]


def test_a_refused_seed_of_splits() -> None:
    with pytest.raises(SpikingGammaError, match="`seed`"):
        polychrony.splits(seed=-1)
