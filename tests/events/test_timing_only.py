"""Counts that say nothing: equal in every recording of *norm*, and everything else as it was."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, Splits, channel_counts, timing_only

RATES = np.array([30.0, 12.0, 8.0, 0.3, 20.0])


def recordings(count: int, seed: int, *, duration_us: int = 50_000) -> list[Recording]:
    """Channel 3 is nearly silent; the higher a recording's class, the more it spikes."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        label = int(rng.integers(0, 3))
        channels = np.repeat(np.arange(5), rng.poisson(RATES * (1.0 + 0.3 * label)))
        times = np.sort(rng.integers(0, duration_us, len(channels)))
        made.append(Recording(times, rng.permutation(channels), 5, duration_us, label, source=f"{seed}/{index}"))
    return made


SPLITS = Splits(recordings(300, 1), recordings(60, 2), recordings(80, 3))


def events(recording: Recording) -> set[tuple[int, int]]:
    return set(zip(recording.times_us.tolist(), recording.channels.tolist(), strict=True))


def test_norm_has_the_same_counts_in_every_recording_of_every_part() -> None:
    made = timing_only(SPLITS, seed=0)
    assert made.channels.tolist() == [0, 1, 2, 4]  # the nearly silent one is dropped
    for norm, part in zip(made.norm, made.part, strict=True):
        assert (channel_counts(norm) == made.counts).all()
        assert channel_counts(part).std(axis=0).min() > 1.0
        for one, other in zip(norm, part, strict=True):
            assert events(one) <= events(other)
            assert (one.label, one.source, one.duration_us) == (other.label, other.source, other.duration_us)
    assert made.whole is SPLITS


def test_part_is_the_kept_channels_of_what_was_given() -> None:
    made = timing_only(SPLITS, seed=0)
    given = {recording.source: recording for part in SPLITS for recording in part}
    for recording in made.part.test:
        old = given[recording.source]
        kept = [(time, channel) for time, channel in events(old) if channel != 3]
        assert {(time, int(made.channels[channel])) for time, channel in events(recording)} == set(kept)


def test_statistics_come_from_training_recordings_only() -> None:
    made = timing_only(SPLITS, seed=0, rare=0.0)
    fewest = channel_counts(SPLITS.train).min(axis=0)
    np.testing.assert_array_equal(made.counts, fewest[fewest > 0])
    should_stop = (channel_counts(SPLITS.test)[:, made.channels] >= made.counts).all(axis=1)
    assert made.left_out == (0, made.left_out[1], int((~should_stop).sum()))
    everything = channel_counts([recording for part in SPLITS for recording in part]).min(axis=0)
    authors = timing_only(SPLITS, seed=0, rare=0.0, statistics="all")
    np.testing.assert_array_equal(authors.counts, everything[everything > 0])
    assert authors.left_out == (0, 0, 0)


@pytest.mark.long
def test_a_rare_recording_does_not_cost_a_channel() -> None:
    poor = Recording(np.arange(20), np.zeros(20, np.int32), 5, 50_000, 0)
    splits = SPLITS._replace(train=[*SPLITS.train, poor])
    assert timing_only(splits, seed=0, rare=0.0).channels.tolist() == [0]
    made = timing_only(splits, seed=0, rare=0.01)
    assert made.channels.tolist() == [0, 1, 2, 4]
    assert made.left_out[0] >= 1
    assert timing_only(splits, seed=0, rare=0.01, most_removed=0.0).channels.tolist() == [0]


def test_classes_have_one_size() -> None:
    for balanced in timing_only(SPLITS, seed=0).norm:
        assert len(set(np.bincount([recording.label for recording in balanced]).tolist())) == 1
    loose = timing_only(SPLITS, seed=0, balance=False)
    assert len(loose.norm.train) + loose.left_out[0] == 300


def test_the_same_seed_gives_the_same_spikes() -> None:
    one, same, other = (timing_only(SPLITS, seed=seed).norm.train for seed in (4, 4, 5))
    assert [events(a) for a in one] == [events(b) for b in same]
    assert [events(a) for a in one] != [events(b) for b in other]


@pytest.mark.long
def test_every_spike_of_a_channel_is_as_likely_to_stay() -> None:
    times = np.repeat(np.arange(20), 2)
    many = [Recording(times, np.tile([0, 1], 20), 2, 20, 0, source=str(index)) for index in range(2000)]
    few = Recording(np.arange(5), np.zeros(5, np.int32), 2, 20, 0)
    made = timing_only(Splits([*many, few], many[:1], many[:1]), seed=0, rare=0.0, balance=False)
    assert (made.channels.tolist(), made.counts.tolist()) == ([0], [5])
    kept = np.bincount(np.concatenate([recording.times_us for recording in made.norm.train[:-1]]), minlength=20)
    assert np.abs(kept - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)


def test_what_cannot_be_is_named() -> None:
    silent = [Recording(np.array([], np.int64), np.array([], np.int32), 5, 10, 0)]
    with pytest.raises(SpikingGammaError, match="no channel with a spike in every recording"):
        timing_only(SPLITS._replace(train=silent), seed=0)
    with pytest.raises(SpikingGammaError, match="no recording with enough spikes"):
        timing_only(SPLITS._replace(test=silent), seed=0)
    with pytest.raises(SpikingGammaError, match="different numbers of channels"):
        channel_counts([SPLITS.train[0], Recording(np.array([1]), np.array([1]), 6, 10, 0)])
    for wrong in ({"rare": 1.0}, {"most_removed": -0.1}):
        with pytest.raises(SpikingGammaError, match=next(iter(wrong))):
            timing_only(SPLITS, seed=0, **wrong)  # type: ignore[arg-type]
