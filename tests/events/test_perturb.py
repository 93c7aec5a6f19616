"""What each perturbation leaves alone, on any recordings, and how much it changes, on many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from event_strategies import recordings
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Gathered, Recording, gather
from spikinggamma.events.perturb import delete, jitter_channels, jitter_spikes, replace, reverse

MANY = gather(
    [
        Recording(np.arange(0, 100_000, 50), np.arange(2000) % 4, n_channels=4, duration_us=100_000, label=0)
        for _ in range(100)
    ]
)
Perturbation = Callable[[Gathered, np.random.Generator], Gathered]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def counts(events: Gathered) -> Counter[tuple[int, int]]:
    return Counter(zip(events.samples.tolist(), events.channels.tolist(), strict=True))


def intervals(events: Gathered) -> list[int]:
    """All intervals between neighbouring spikes of one channel of one recording, sorted."""
    order = np.lexsort((events.times_us, events.channels, events.samples))
    times, channels, samples = events.times_us[order], events.channels[order], events.samples[order]
    same = (np.diff(channels) == 0) & (np.diff(samples) == 0)
    return sorted(np.diff(times)[same].tolist())


def inside(events: Gathered) -> bool:
    return bool(((events.times_us >= 0) & (events.times_us < events.durations_us[events.samples])).all())


KEEPS_COUNTS: dict[str, Perturbation] = {
    "jitter_spikes": lambda events, chance: jitter_spikes(events, 5.0, chance),
    "jitter_channels": lambda events, chance: jitter_channels(events, 5.0, chance),
    "replace": lambda events, chance: replace(events, 0.6, chance),
    "replace exactly": lambda events, chance: replace(events, 0.6, chance, exact=True),
    "reverse": lambda events, _: reverse(events),
}


@pytest.mark.parametrize("name", KEEPS_COUNTS)
@given(st.lists(recordings(), min_size=1, max_size=3), st.integers(0, 9))
def test_counts_and_range_stay(name: str, given_recordings: list[Recording], seed: int) -> None:
    events = gather(given_recordings)
    found = KEEPS_COUNTS[name](events, rng(seed))
    assert counts(found) == counts(events)
    assert inside(found)
    np.testing.assert_array_equal(gather(given_recordings).times_us, events.times_us)  # what was given is as it was


@given(st.lists(recordings(), min_size=1, max_size=3), st.integers(0, 9))
def test_intervals_within_a_channel_stay(given_recordings: list[Recording], seed: int) -> None:
    events = gather(given_recordings)
    assert intervals(jitter_channels(events, 5.0, rng(seed))) == intervals(events)
    assert intervals(reverse(events)) == intervals(events)


@given(st.lists(recordings(), min_size=1, max_size=3))
def test_twice_reversed_is_as_before(given_recordings: list[Recording]) -> None:
    events = gather(given_recordings)
    once = reverse(events)
    np.testing.assert_array_equal(reverse(once).times_us, events.times_us)
    for sample in range(len(given_recordings)):
        before, after = events.times_us[events.samples == sample], once.times_us[events.samples == sample]
        if len(before):
            assert (before.min(), before.max()) == (after.min(), after.max())


@given(st.lists(recordings(), min_size=1, max_size=3), st.floats(0.0, 1.0), st.integers(0, 9))
def test_deleted_spikes_are_a_part(given_recordings: list[Recording], probability: float, seed: int) -> None:
    events = gather(given_recordings)
    before = Counter(zip(events.samples.tolist(), events.channels.tolist(), events.times_us.tolist(), strict=True))
    found = delete(events, probability, rng(seed))
    after = Counter(zip(found.samples.tolist(), found.channels.tolist(), found.times_us.tolist(), strict=True))
    assert after <= before


@pytest.mark.long
@given(st.lists(recordings(), min_size=1, max_size=3), st.integers(0, 9))
def test_none_of_it_is_nothing_and_all_of_a_deletion_is_all(given_recordings: list[Recording], seed: int) -> None:
    events = gather(given_recordings)
    for same in (
        jitter_spikes(events, 0.0, rng(seed)),
        jitter_channels(events, 0.0, rng(seed)),
        delete(events, 0.0, rng(seed)),
        replace(events, 0.0, rng(seed)),
        replace(events, 0.0, rng(seed), exact=True),
    ):
        np.testing.assert_array_equal(same.times_us, events.times_us)
        np.testing.assert_array_equal(same.durations_us, events.durations_us)
    assert len(delete(events, 1.0, rng(seed)).times_us) == 0


def test_jitter_has_the_spread_asked_for() -> None:
    middle = (MANY.times_us > 30_000) & (MANY.times_us < 70_000)
    moves = (jitter_spikes(MANY, 2.0, rng()).times_us - MANY.times_us)[middle]
    assert moves.std() == pytest.approx(2000.0, rel=0.02)
    assert abs(moves.mean()) < 30.0


def test_channel_jitter_moves_a_channel_as_one_and_by_the_spread_asked_for() -> None:
    found = jitter_channels(MANY, 2.0, rng())
    assert (found.durations_us == MANY.durations_us + 12_000).all()
    moves = (found.times_us - MANY.times_us - 6000).reshape(100, 500, 4)
    assert (moves == moves[:, :1]).all()
    assert moves[:, 0].std() == pytest.approx(2000.0, rel=0.1)
    assert np.abs(moves).max() <= 6000


def test_an_exact_share_is_re_placed_in_every_channel() -> None:
    moved = (replace(MANY, 0.333, rng(), exact=True).times_us != MANY.times_us).reshape(100, 500, 4).sum(1)
    # floor(0.333 x 500) = 166, but for the rare spike that is put where it was (a chance of 1e-5 each).
    assert moved.max() == 166
    assert moved.min() >= 164
    loose = (replace(MANY, 0.333, rng()).times_us != MANY.times_us).reshape(100, 500, 4).sum(1)
    assert loose.mean() == pytest.approx(166.5, abs=2.0)
    assert loose.std() == pytest.approx(np.sqrt(500 * 0.333 * 0.667), rel=0.2)


def test_re_placed_spikes_lie_anywhere() -> None:
    early = MANY._replace(times_us=MANY.times_us // 10)
    found = np.sort(replace(early, 1.0, rng()).times_us)
    assert np.abs(found / 100_000 - (np.arange(len(found)) + 0.5) / len(found)).max() < 0.01


def test_deletion_takes_the_share_asked_for() -> None:
    assert len(delete(MANY, 0.3, rng()).times_us) == pytest.approx(0.7 * 200_000, rel=0.01)


@pytest.mark.parametrize("name", [*KEEPS_COUNTS, "delete"])
def test_the_same_seed_gives_the_same_events(name: str) -> None:
    call: Perturbation = KEEPS_COUNTS.get(name, lambda events, chance: delete(events, 0.5, chance))
    np.testing.assert_array_equal(call(MANY, rng(3)).times_us, call(MANY, rng(3)).times_us)


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_what_makes_no_sense_is_named(wrong: float) -> None:
    for named, call in (
        ("std_ms", lambda: jitter_spikes(MANY, wrong, rng())),
        ("std_ms", lambda: jitter_channels(MANY, wrong, rng())),
        ("probability", lambda: delete(MANY, wrong, rng())),
        ("fraction", lambda: replace(MANY, wrong, rng())),
    ):
        with pytest.raises(SpikingGammaError, match=f"`{named}`"):
            call()
