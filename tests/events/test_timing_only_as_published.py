"""The published steps, against a dense and literal account of them."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.events import (
    BIN_MS,
    N_BINS,
    Recording,
    bin_recording,
    channel_counts,
    from_bins,
    published_parts,
    timing_only_as_published,
)  # fmt: skip

EDGES_S = np.linspace(0.0, 1.4, 100)
RATES = np.array([40.0, 14.0, 9.0, 0.5, 25.0])


def recordings(count: int, seed: int) -> list[Recording]:
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        label = int(rng.integers(0, 3))
        channels = np.repeat(np.arange(5), rng.poisson(RATES * (1.0 + 0.2 * label)))
        times = np.sort(rng.integers(0, 1_700_000, len(channels)))  # some later than 1.4 s
        made.append(Recording(times, rng.permutation(channels), 5, 1_700_000, label, source=f"{seed}/{index}"))
    return made


FILES = [recordings(300, 1), recordings(110, 2)]


def dense(recording: Recording) -> np.ndarray:
    """One or none for each channel and bin, [N, 100]."""
    table = np.zeros((recording.n_channels, N_BINS), dtype=np.int64)
    bins = np.digitize(recording.times_us / 1e6, EDGES_S)
    table[recording.channels, np.minimum(bins, N_BINS - 1)] = 1
    return table


def table(recording: Recording) -> np.ndarray:
    """What was made, binned again at the published step, [N, 100]."""
    return bin_recording(recording, dt_ms=BIN_MS).numpy().T.astype(np.int64)


def everything(splits: object) -> list[Recording]:
    return [recording for part in splits for recording in part]  # type: ignore[attr-defined]


@pytest.mark.long
def test_bins_are_those_of_digitize() -> None:
    made = timing_only_as_published(FILES, seed=0, batch_size=10)
    given = {recording.source: recording for file in FILES for recording in file}
    for recording in everything(made.whole):
        np.testing.assert_array_equal(table(recording), dense(given[recording.source]))
        assert not table(recording)[:, 0].any()


@pytest.mark.parametrize("time_us", [0, 14141, 14142, 1_399_999, 1_400_000, 1_699_999])
def test_edges_fall_as_digitize_lets_them(time_us: int) -> None:
    one = Recording(np.array([time_us]), np.array([0]), 1, 1_700_000, 0)
    (wanted,) = np.flatnonzero(dense(one)[0])
    made = timing_only_as_published([[one] * 10], seed=0, batch_size=1, rare=0.0)
    assert table(made.whole.train[0])[0].argmax() == wanted


def test_only_full_batches_are_kept() -> None:
    made = timing_only_as_published(FILES, seed=0, batch_size=64)
    assert made.unbatched == 300 % 64 + 110 % 64
    late = {f"1/{index}" for index in range(256, 300)}
    assert not late & {recording.source for recording in everything(made.whole)}
    with pytest.raises(SpikingGammaError, match="at most 300 recordings in one; expected at least a batch of 301"):
        timing_only_as_published(FILES, seed=0, batch_size=301)


@pytest.mark.long
def test_channels_counts_and_removals_follow_the_published_rule() -> None:
    counts = np.stack([dense(recording).sum(axis=1) for file in FILES for recording in file])
    for rare in (0.01, 0.05):
        gone: set[int] = set()
        for channel in range(5):
            poor = np.flatnonzero(counts[:, channel] < 2)
            if len(poor) / len(counts) <= rare:
                gone.update(poor.tolist())
        kept = np.delete(counts, sorted(gone), axis=0)
        made = timing_only_as_published(FILES, seed=0, batch_size=1, rare=rare)
        assert made.removed == len(gone)
        np.testing.assert_array_equal(made.channels, np.flatnonzero(kept.min(axis=0)))
        np.testing.assert_array_equal(made.counts, kept.min(axis=0)[made.channels])
    assert timing_only_as_published(FILES, seed=0, batch_size=1, rare=0.05, removable=1).removed == 0


@pytest.mark.long
def test_norm_has_the_same_counts_everywhere_and_part_all_spikes() -> None:
    made = timing_only_as_published(FILES, seed=0, batch_size=10)
    whole = {recording.source: recording for recording in everything(made.whole)}
    lost = 0
    for norm, part in zip(everything(made.norm), everything(made.part), strict=True):
        np.testing.assert_array_equal(table(norm).sum(axis=1), made.counts)
        assert (table(norm) <= table(part)).all()
        assert (norm.label, norm.source) == (part.label, part.source)
        if part.source in whole:
            np.testing.assert_array_equal(table(part), table(whole[part.source])[made.channels])
        else:
            lost += 1  # in the last tenth of the other shuffle
    assert lost < 0.2 * len(everything(made.part))
    assert channel_counts(everything(made.part)).std(axis=0).min() > 0.5


def test_parts_are_60_15_15_of_balanced_classes() -> None:
    made = timing_only_as_published(FILES, seed=0, batch_size=1)
    sizes = [len(part) for part in made.norm]
    total = sizes[0] / 0.6
    assert sizes[1] == pytest.approx(0.15 * total, abs=1.5)
    assert sizes[2] == pytest.approx(0.15 * total, abs=1.5)
    # The numbers that were printed for the released files.
    released = [Recording(np.array([1]), np.array([0]), 1, 10, 0)] * 40390
    assert [len(part) for part in published_parts(released[:5460])] == [3276, 819, 819]
    assert [len(part) for part in published_parts(released)] == [24234, 6058, 6059]


@pytest.mark.long
def test_the_same_seed_gives_the_same_spikes() -> None:
    one, same, other = (timing_only_as_published(FILES, seed=seed, batch_size=10).norm.train for seed in (4, 4, 5))
    assert all(np.array_equal(a.times_us, b.times_us) for a, b in zip(one, same, strict=True))
    assert [recording.source for recording in one] != [recording.source for recording in other]


def test_what_cannot_be_is_named() -> None:
    silent = [Recording(np.array([], np.int64), np.array([], np.int32), 5, 10, 0)] * 20
    with pytest.raises(SpikingGammaError, match="no channel with a spike in every recording"):
        timing_only_as_published([silent], seed=0, batch_size=1)
    with pytest.raises(SpikingGammaError, match="`rare`: got 1"):
        timing_only_as_published(FILES, seed=0, rare=1.0)
    with pytest.raises(SpikingGammaError, match="`batch_size`: got 0"):
        timing_only_as_published(FILES, seed=0, batch_size=0)
    with pytest.raises(SpikingGammaError, match="enough for three parts"):
        published_parts(FILES[0][:3])


def test_an_event_lies_in_the_middle_of_its_bin() -> None:
    made = from_bins(np.array([99, 0, 5]), np.array([1, 0, 2]), n_channels=3, label=1, source="x")
    np.testing.assert_allclose(made.times_us / 1000.0, (np.array([0, 5, 99]) + 0.5) * BIN_MS, atol=0.001)
    assert table(made).shape == (3, N_BINS)
