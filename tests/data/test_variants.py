"""*whole*, *part* and *norm* for training: counts constant in norm, and every channel under its own number."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from spikinggamma import SpikingGammaError, datasets
from spikinggamma.data import data_info, load_splits
from spikinggamma.data.variants import variant_of
from spikinggamma.datasets import Removal
from spikinggamma.events import Recording, Splits, channel_counts
from spikinggamma.events.timing_only_as_published import published_bins
from spikinggamma.recipes import load_recipe

RATES = np.array([9.0, 14.0, 0.0, 0.2, 8.0, 7.0])


def recordings(count: int, seed: int) -> list[Recording]:
    """Channel 2 is silent and channel 3 nearly; the higher a recording's class, the more it spikes."""
    rng, made = np.random.default_rng(seed), []
    for index in range(count):
        label = index % 2
        channels = rng.permutation(np.repeat(np.arange(6), rng.poisson(RATES * (1.0 + 0.4 * label))))
        times = np.sort(rng.integers(0, 50_000, len(channels)))
        made.append(Recording(times, channels, 6, 50_000, label, source=f"{seed}/{index}"))
    return made


SPLITS = Splits(recordings(60, 1), recordings(20, 2), recordings(20, 3))
GIVEN = {recording.source: recording for part in SPLITS for recording in part}


def events(recording: Recording) -> Counter[tuple[int, int]]:
    return Counter(zip(recording.times_us.tolist(), recording.channels.tolist(), strict=True))


def test_norm_has_the_same_count_of_each_channel_in_every_recording() -> None:
    made = variant_of(SPLITS, "norm", n_channels=0, seed=0)
    counts = channel_counts([recording for part in made for recording in part])
    assert (counts == counts[0]).all()
    assert (counts[0] > 0).tolist() == [True, True, False, False, True, True]
    for part in made:
        assert all(recording.n_channels == 6 for recording in part)
        # Each spike is one of the recording's, at its time and on its channel.
        assert all(events(recording) <= events(GIVEN[recording.source]) for recording in part)


def test_part_is_the_same_recordings_with_all_spikes_of_those_channels() -> None:
    norm, part = (variant_of(SPLITS, name, n_channels=0, seed=0) for name in ("norm", "part"))
    for one, other in zip(norm, part, strict=True):
        assert [recording.source for recording in one] == [recording.source for recording in other]
    for recording in part.test:
        kept = {event: n for event, n in events(GIVEN[recording.source]).items() if event[1] not in (2, 3)}
        assert events(recording) == kept


def test_whole_is_what_was_given() -> None:
    made = variant_of(SPLITS, "whole", n_channels=0, seed=0)
    assert [[recording.source for recording in part] for part in made] == [[r.source for r in part] for part in SPLITS]
    assert all(events(recording) == events(GIVEN[recording.source]) for part in made for recording in part)


def test_neighbours_are_summed_before() -> None:
    whole, norm = (variant_of(SPLITS, name, n_channels=3, seed=0) for name in ("whole", "norm"))
    assert channel_counts(whole.train).tolist() == channel_counts(SPLITS.train).reshape(-1, 3, 2).sum(2).tolist()
    counts = channel_counts(norm.train)
    assert counts.shape[1] == 3
    assert (counts == counts[0]).all()


def test_the_seed_chooses_the_spikes() -> None:
    one, again, other = (variant_of(SPLITS, "norm", n_channels=0, seed=seed) for seed in (0, 0, 1))
    assert [events(r) for r in one.test] == [events(r) for r in again.test]
    assert [events(r) for r in one.test] != [events(r) for r in other.test]


def test_a_camera_keeps_its_shape() -> None:
    rng = np.random.default_rng(0)
    parts = []
    for count in (20, 6, 6):
        part = []
        for index in range(count):
            channels = rng.permutation(np.repeat(np.arange(8), 3 + rng.poisson(1.0, 8) * (np.arange(8) != 5)))
            times = np.sort(rng.integers(0, 1000, len(channels)))
            part.append(Recording(times, channels, 8, 1000, index % 2, shape=(2, 2, 2)))
        parts.append(part)
    for name in ("whole", "part", "norm"):
        made = variant_of(Splits(*parts), name, n_channels=0, seed=0)
        assert all(recording.shape == (2, 2, 2) for part in made for recording in part)


def test_a_recipe_loads_its_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(datasets, "load", lambda name, **options: asked.append((name, options)) or SPLITS)
    loaded = load_splits(load_recipe("fsdd", ["data.variant=norm", "data.n_channels=0", "data.seed=5"]))
    assert asked[0][0] == "fsdd"
    expected = variant_of(SPLITS, "norm", n_channels=0, seed=5)
    assert [[events(r) for r in part] for part in loaded] == [[events(r) for r in part] for part in expected]


def test_what_is_known_of_a_variant() -> None:
    info = data_info(load_recipe("fsdd", ["data.variant=norm"]))
    assert [bound.accuracy for bound in info.floors] == [0.1]
    assert "counts" in info.floors[0].why
    # Recordings with all their spikes: what counts tell is not known beforehand.
    assert [bound.accuracy for bound in data_info(load_recipe("fsdd", ["data.variant=part"])).floors] == [0.1]


def test_what_has_no_variants_is_named() -> None:
    with pytest.raises(SpikingGammaError, match=r"`data\.variant`: got 'norm'.*of recorded data"):
        data_info(load_recipe("localisation", ["data.variant=norm"]))
    by_step = Recording(np.array([3]), np.array([0]), 1, 10, -1, step_labels=np.array([0]), step_us=10)
    with pytest.raises(SpikingGammaError, match=r"`data\.variant`.*no single class"):
        variant_of(Splits([by_step], [by_step], [by_step]), "norm", n_channels=0, seed=0)
    with pytest.raises(SpikingGammaError, match=r"`data\.variant`"):
        load_recipe("fsdd", ["data.variant=normal"])


@pytest.mark.long
@pytest.mark.parametrize("variant", ["whole", "part", "norm"])
def test_as_published_is_the_published_procedure_with_every_channel_under_its_number(variant: str) -> None:
    """Training and validation part are one file of 300, the test part another of 260: one batch of each."""
    given = Splits(recordings(250, 4), recordings(50, 5), recordings(260, 6))
    by_source = {recording.source: recording for part in given for recording in part}
    made = variant_of(given, f"{variant}_as_published", n_channels=0, seed=0, removal=Removal(0.01, 2000))
    everything = [recording for part in made for recording in part]
    assert {recording.n_channels for recording in everything} == {6}
    assert {recording.source for recording in everything} <= set(by_source)
    counts = channel_counts(everything)
    whole = channel_counts([published_bins(by_source[recording.source]) for recording in everything])
    if variant == "whole":
        assert [len(part) for part in made] == [307, 77, 76]
        np.testing.assert_array_equal(counts, whole)
    else:
        kept = counts.any(axis=0)
        assert 3 <= kept.sum() < 6
        if variant == "part":
            np.testing.assert_array_equal(counts[:, kept], whole[:, kept])
        else:
            assert (counts == counts[0]).all()
            assert (counts <= whole).all()
    one, other = (variant_of(given, f"{variant}_as_published", n_channels=0, seed=seed) for seed in (0, 1))
    assert [r.source for r in one.test] == [r.source for r in made.test]
    assert [r.source for r in other.test] != [r.source for r in made.test]
