"""What classes have in common and what not, and the best guesses from counts and from windows, written out on their own."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, poisson

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.tasks import coincidence
from spikinggamma.tasks.coincidence import make

N_SAMPLES = 3000
# λ for overlaps of 0.1 to 1.0, as published.
PUBLISHED = (0.208, 0.387, 0.509, 0.605, 0.686, 0.758, 0.823, 0.884, 0.943, 1.0)


def windows_of(recordings: list[Recording]) -> tuple[np.ndarray, np.ndarray]:
    """Spikes of each group in each window, [S, W, 3], and labels."""
    shape = (recordings[0].duration_us // 200_000, 3)
    counts = [
        np.bincount(r.times_us // 200_000 * 3 + r.channels // 20, minlength=shape[0] * 3).reshape(shape)
        for r in recordings
    ]
    return np.stack(counts), np.array([r.label for r in recordings])


@pytest.fixture(scope="module")
def middling() -> list[Recording]:
    return make(n_samples=N_SAMPLES, seed=1, overlap=0.4)


def truncated_poisson(mean: float) -> np.ndarray:
    weights = poisson.pmf(np.arange(21), mean)
    return np.asarray(weights / weights.sum())


def states_of(label: int) -> tuple[list[bool], list[bool]]:
    """The two ways in which groups of a class can be busy."""
    apart = 2 - label
    return [group != apart for group in range(3)], [group == apart for group in range(3)]


def accept(statistic: float, freedom: float) -> None:
    assert statistic < chi2.ppf(1 - 1e-5, freedom)


def close(guesses: np.ndarray, labels: np.ndarray, accuracy: float) -> None:
    error = np.sqrt(accuracy * (1 - accuracy) / len(labels))
    assert abs((guesses == labels).mean() - accuracy) <= 4 * error + 1e-3


@pytest.mark.parametrize(("tenths", "mixed"), list(enumerate(PUBLISHED, 1)))
def test_mixing_is_the_published_one(tenths: int, mixed: float) -> None:
    overlap = tenths / 10
    # Published to three places, from a grid of steps of 0.001.
    assert coincidence.mixing(overlap) == pytest.approx(mixed, abs=1.1e-3)
    busy, quiet = coincidence.spike_probabilities(overlap)
    own = coincidence.mixing(overlap)
    np.testing.assert_allclose(busy, truncated_poisson(12 - 7 * own), atol=1e-12)
    np.testing.assert_allclose(quiet, truncated_poisson(2 + 3 * own), atol=1e-12)
    assert np.minimum(busy, quiet).sum() == pytest.approx(overlap, abs=1e-9)


def test_the_smallest_overlap() -> None:
    assert coincidence.mixing(0.0) == pytest.approx(0.0, abs=1e-12)
    assert coincidence.mixing(0.03) == pytest.approx(0.0, abs=1e-12)
    assert np.minimum(*coincidence.spike_probabilities(0.0)).sum() == pytest.approx(0.037, abs=5e-4)


def test_spikes_fall_into_the_middle_of_windows_and_on_different_neurons(middling: list[Recording]) -> None:
    inside = np.zeros(100)
    neurons = np.zeros(60)
    for recording in middling:
        times_ms = recording.times_us // 1000
        assert (recording.times_us % 1000 == 0).all()
        assert (recording.n_channels, recording.duration_us) == (60, 4_000_000)
        slots = times_ms // 200 * 60 + recording.channels
        assert len(np.unique(slots)) == recording.n_events
        within = times_ms % 200
        assert ((within >= 50) & (within < 150)).all()
        inside += np.bincount(within - 50, minlength=100)
        neurons += np.bincount(recording.channels, minlength=60)
    accept(((inside - inside.mean()) ** 2 / inside.mean()).sum(), 99)
    # Windows put each neuron to a coin at most once, so counts are less spread than Poisson's but for the groups' states.
    for group in neurons.reshape(3, 20):
        accept(((group - group.mean()) ** 2 / group.mean()).sum(), 19)


def test_a_group_by_itself_is_alike_in_every_class(middling: list[Recording]) -> None:
    counts, labels = windows_of(middling)
    busy, quiet = coincidence.spike_probabilities(0.4)
    either = (busy + quiet) / 2
    # Numbers of all windows with a lot of spikes, 15 and more, are counted together.
    expected = np.append(either[:15], either[15:].sum())
    for label in range(3):
        for group in range(3):
            ks = np.minimum(counts[labels == label][..., group], 15).ravel()
            seen = np.bincount(ks, minlength=16)
            accept(((seen - expected * len(ks)) ** 2 / (expected * len(ks))).sum(), 15)


@pytest.mark.parametrize("of", ["total", "group 1", "group 2", "group 3"])
def test_totals_that_are_matched(middling: list[Recording], of: str) -> None:
    counts, labels = windows_of(middling)
    totals = counts.sum(1)
    values = totals.sum(1) if of == "total" else totals[:, int(of[-1]) - 1]
    edges = np.quantile(values, np.linspace(0, 1, 11)[1:-1])
    bins = np.searchsorted(edges, values)
    table = np.zeros((3, 10))
    np.add.at(table, (labels, bins), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    accept(((table - expected) ** 2 / expected)[:, table.sum(0) > 0].sum(), 2 * 9)


def test_two_groups_covary_as_their_states_do(middling: list[Recording]) -> None:
    counts, labels = windows_of(middling)
    busy, quiet = coincidence.spike_probabilities(0.4)
    k = np.arange(21)
    own = ((busy - quiet) @ k) ** 2 / 4  # of a window
    for label in range(3):
        totals = counts[labels == label].sum(1)
        covariance = np.cov(totals.T)
        same = states_of(label)[0]
        for one, two in ((0, 1), (0, 2), (1, 2)):
            expected = 20 * own * (1 if same[one] == same[two] else -1)
            error = np.sqrt((covariance[one, one] * covariance[two, two] + expected**2) / len(totals))
            assert covariance[one, two] == pytest.approx(expected, abs=5 * error)


@pytest.mark.long
@pytest.mark.parametrize("overlap", [0.0, 0.4, 0.7])
def test_the_best_guess_from_totals_reaches_the_floor(overlap: float) -> None:
    counts, labels = windows_of(make(n_samples=N_SAMPLES, seed=2, overlap=overlap))
    totals = counts.sum(1)
    busy, quiet = coincidence.spike_probabilities(overlap)
    # Total of a group with K busy windows, by Fourier transform on 512 places, more than the 401 there are.
    spectrum = [np.fft.rfft(np.pad(p, (0, 512 - 21))) for p in (busy, quiet)]
    given = [np.fft.irfft(spectrum[0] ** K * spectrum[1] ** (20 - K), 512).clip(1e-300) for K in range(21)]
    scores = np.zeros((len(labels), 3))
    for label in range(3):
        same = states_of(label)[0]
        for K in range(21):
            chances = [given[K if same[group] else 20 - K][totals[:, group]] for group in range(3)]
            scores[:, label] += comb(20, K) * np.prod(chances, axis=0)
    close(scores.argmax(1), labels, coincidence.floor(overlap))


@pytest.mark.long
@pytest.mark.parametrize("overlap", [0.3, 0.6, 0.8])
def test_the_best_guess_from_windows_reaches_the_ceiling(overlap: float) -> None:
    counts, labels = windows_of(make(n_samples=N_SAMPLES, seed=3, overlap=overlap))
    both = coincidence.spike_probabilities(overlap)[::-1]  # quiet, busy
    scores = np.zeros((len(labels), 3))
    for label in range(3):
        ways = [np.prod([both[int(s)][counts[..., g]] for g, s in enumerate(way)], axis=0) for way in states_of(label)]
        scores[:, label] = np.log(ways[0] + ways[1]).sum(1)
    close(scores.argmax(1), labels, coincidence.ceiling(overlap))


@pytest.mark.parametrize("n_windows", [1, 2])
def test_the_ceiling_is_a_sum_over_all_recordings_of_one_window_or_two(n_windows: int) -> None:
    # One window holds no order and no more than its counts: there, floor and ceiling are one. All 9261 triples, or pairs of
    # them with equal likelihoods put together.
    overlap = 0.5
    both = coincidence.spike_probabilities(overlap)[::-1]
    one = np.stack(
        [
            sum(np.einsum("i,j,k->ijk", *(both[int(s)] for s in way)) for way in states_of(label)) / 2
            for label in range(3)
        ]
    ).reshape(3, -1)
    if n_windows == 1:
        best = one.max(0).sum() / 3
        assert coincidence.floor(overlap, 1) == pytest.approx(best, abs=1e-6)
    else:
        likely = one[:, one.max(0) > 1e-6]
        likely = likely / likely.sum(axis=1, keepdims=True)
        best = 0.0
        for place, first in enumerate(likely.T):  # a pair and the same pair the other way round at once
            pairs = np.maximum(np.maximum(*(first[:2, None] * likely[:2, place:])), first[2] * likely[2, place:])
            best += (2 * pairs.sum() - pairs[0]) / 3
    assert coincidence.ceiling(overlap, n_windows) == pytest.approx(best, abs=2e-3)


@pytest.mark.long
def test_the_ceiling_does_not_depend_on_its_lattice() -> None:
    for overlap in (0.5, 0.7):
        coarse, fine = (coincidence.ceiling(overlap, n_cells=n) for n in (1024, 2048))
        assert coarse == pytest.approx(fine, abs=1e-4)


@pytest.mark.long
def test_bounds_are_in_order() -> None:
    overlaps = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    floors, ceilings = ([f(overlap) for overlap in overlaps] for f in (coincidence.floor, coincidence.ceiling))
    assert (np.diff(floors) < 0).all()
    assert (np.diff(ceilings) <= 0).all()
    assert all(1 / 3 - 1e-6 <= low <= high <= 1 for low, high in zip(floors, ceilings, strict=True))
    assert floors[0] < coincidence.counts_bound()
    assert floors[-1] == pytest.approx(1 / 3)
    assert ceilings[-1] == pytest.approx(1 / 3)
    assert ceilings[0] == pytest.approx(1.0, abs=1e-9)


def test_who_knows_the_busy_windows_of_every_group_errs_where_half_are() -> None:
    for n_windows in (1, 2, 5, 6):
        found = 0.0
        for first in range(n_windows + 1):
            chance = comb(n_windows, first) / 2**n_windows
            for label in range(3):
                triple = [first if same else n_windows - first for same in states_of(label)[0]]
                fits = sum(
                    any(triple == [k if same else n_windows - k for same in states_of(other)[0]]
                        for k in range(n_windows + 1))
                    for other in range(3)
                )  # fmt: skip
                found += chance / fits / 3
        assert coincidence.counts_bound(n_windows) == pytest.approx(found)


def test_classes_are_equally_frequent_and_out_of_order() -> None:
    labels = [recording.label for recording in make(n_samples=100, seed=3, n_windows=1)]
    assert sorted(np.bincount(labels)) == [33, 33, 34]
    assert labels[:9] != sorted(labels[:9])


@given(st.floats(0.0, 1.0), st.integers(1, 6), st.integers(0, 2**31))
@settings(max_examples=25)
def test_whatever_the_options(overlap: float, n_windows: int, seed: int) -> None:
    recordings = make(n_samples=7, seed=seed, overlap=overlap, n_windows=n_windows)
    again = make(n_samples=7, seed=seed, overlap=overlap, n_windows=n_windows)
    for index, (one, same) in enumerate(zip(recordings, again, strict=True)):
        assert one.duration_us == n_windows * 200_000
        assert one.source == f"coincidence {seed}/{index}"
        assert ((one.times_us // 1000 % 200 >= 50) & (one.times_us // 1000 % 200 < 150)).all()
        np.testing.assert_array_equal(one.times_us, same.times_us)
        np.testing.assert_array_equal(one.channels, same.channels)
        assert one.label == same.label


def test_splits_differ() -> None:
    options = {"n_train": 5, "n_validation": 5, "n_test": 5, "n_windows": 2}
    parts = [part for seed in (1, 2) for part in coincidence.splits(seed=seed, **options)]
    assert len({tuple(np.concatenate([r.times_us for r in part]).tolist()) for part in parts}) == 6


@pytest.mark.long
def test_it_says_what_it_is() -> None:
    said = coincidence.describe(overlap=0.5, n_windows=20)
    assert (said.n_channels, len(said.class_names)) == (60, 3)
    assert [bound.accuracy for bound in said.floors] == [1 / 3, coincidence.floor(0.5)]
    assert said.ceiling is not None
    assert said.ceiling.accuracy == coincidence.ceiling(0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_samples": 0},
        {"seed": -1},
        {"overlap": -0.1},
        {"overlap": 1.1},
        {"overlap": float("nan")},
        {"n_windows": 0},
    ],
)
def test_refused_options(wrong: dict[str, object]) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{next(iter(wrong))}`"):
        make(**({"n_samples": 4, "seed": 0} | wrong))  # type: ignore[arg-type]


def test_a_refused_seed_of_splits() -> None:
    with pytest.raises(SpikingGammaError, match="`seed`"):
        coincidence.splits(seed=-1)
