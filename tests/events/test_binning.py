"""Counts are exact: at every step length, for every sum of channels, and when steps are split."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from event_strategies import recordings
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, bin_events, bin_events_sparse, bin_recording, gather, n_steps, pictures

STEPS_MS = st.one_of(st.sampled_from([0.1, 0.3, 0.5, 0.7, 1.0, 1.1, 2.0, 4.0, 50.0]), st.floats(0.01, 60.0))


@given(recordings(), STEPS_MS, st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_no_event_is_lost_or_moved(recording: Recording, dt_ms: float, n_channels: int) -> None:
    counts = bin_recording(recording, dt_ms=dt_ms, n_channels=n_channels)
    step_ns = round(dt_ms * 1e6)
    expected = torch.zeros(-(-recording.duration_us * 1000 // step_ns), n_channels)
    for time_us, channel in zip(recording.times_us, recording.channels, strict=True):
        expected[int(time_us) * 1000 // step_ns, int(channel) * n_channels // 12] += 1
    assert counts.dtype == torch.float32
    assert torch.equal(counts, expected)
    assert counts.sum() == recording.n_events


@given(recordings(), st.integers(1, 5000), st.integers(2, 8))
def test_split_steps_sum_to_the_coarse_one(recording: Recording, step_us: int, split: int) -> None:
    fine = bin_recording(recording, dt_ms=step_us / 1000)
    coarse = bin_recording(recording, dt_ms=split * step_us / 1000)
    padding = torch.zeros(len(coarse) * split - len(fine), fine.shape[1])
    assert torch.equal(torch.cat([fine, padding]).unflatten(0, (-1, split)).sum(1), coarse)


@pytest.mark.long
@given(st.lists(recordings(), min_size=1, max_size=5), STEPS_MS)
def test_a_batch_is_its_recordings_side_by_side(members: list[Recording], dt_ms: float) -> None:
    counts, lengths = bin_events(gather(members), dt_ms=dt_ms, n_channels=4)
    assert len(counts) == lengths.max()
    for place, recording in enumerate(members):
        alone = bin_recording(recording, dt_ms=dt_ms, n_channels=4)
        assert lengths[place] == len(alone)
        assert torch.equal(counts[: len(alone), place], alone)
        assert not counts[len(alone) :, place].any()


def test_decimal_steps_are_exact() -> None:
    # 0.3 ms is no binary fraction: 2.1 ms / 0.3 ms is 7 and not a little less.
    assert n_steps(np.array([2099, 2100, 2101]), 0.3).tolist() == [7, 7, 8]
    recording = Recording(np.array([2100]), np.array([0]), n_channels=1, duration_us=2101, label=0)
    assert bin_recording(recording, dt_ms=0.3)[7, 0] == 1


def test_different_sensors_can_share_a_batch() -> None:
    wide = Recording(np.array([0, 1]), np.array([699, 350]), n_channels=700, duration_us=10, label=0)
    narrow = Recording(np.array([0, 1]), np.array([69, 35]), n_channels=70, duration_us=10, label=0)
    counts, _ = bin_events(gather([wide, narrow]), dt_ms=1.0, n_channels=10)
    assert torch.equal(counts[:, 0], counts[:, 1])
    assert counts[0, 0].nonzero().flatten().tolist() == [5, 9]


@pytest.mark.parametrize("dt_ms", [0.0, -1.0, float("nan"), float("inf"), 1e-9])
def test_refused_steps(dt_ms: float) -> None:
    recording = Recording(np.array([0]), np.array([0]), n_channels=4, duration_us=10, label=0)
    with pytest.raises(SpikingGammaError, match="`dt_ms`: got"):
        bin_recording(recording, dt_ms=dt_ms)


@pytest.mark.parametrize("n_channels", [0, -1, 3, 8])
def test_refused_channels(n_channels: int) -> None:
    recording = Recording(np.array([0]), np.array([0]), n_channels=4, duration_us=10, label=0)
    with pytest.raises(SpikingGammaError, match=f"`n_channels`: got {n_channels}; expected"):
        bin_recording(recording, dt_ms=1.0, n_channels=n_channels)


def test_refuses_more_counts_than_memory() -> None:
    recording = Recording(np.array([0]), np.array([0]), n_channels=700, duration_us=10**9, label=0)
    with pytest.raises(SpikingGammaError, match="Use a coarser step"):
        bin_recording(recording, dt_ms=0.001)


@pytest.mark.long
@given(st.lists(recordings(), min_size=1, max_size=4), STEPS_MS, st.one_of(st.none(), st.integers(1, 3)))
def test_sparse_counts_are_the_dense_ones(members: list[Recording], dt_ms: float, clip: int | None) -> None:
    events = gather(members)
    dense, lengths = bin_events(events, dt_ms=dt_ms, n_channels=4, clip=clip)
    sparse, same = bin_events_sparse(events, dt_ms=dt_ms, n_channels=4, clip=clip)
    assert sparse.is_coalesced()
    assert torch.equal(sparse.to_dense(), dense)
    assert torch.equal(same, lengths)


@given(recordings(), STEPS_MS, st.integers(1, 4))
def test_clipped_counts_say_no_more(recording: Recording, dt_ms: float, clip: int) -> None:
    counts = bin_recording(recording, dt_ms=dt_ms)
    assert torch.equal(bin_recording(recording, dt_ms=dt_ms, clip=clip), counts.clamp(max=clip))


def test_a_sparse_batch_may_be_longer_than_memory() -> None:
    recording = Recording(np.array([0, 10**9 - 1]), np.array([0, 699]), n_channels=700, duration_us=10**9, label=0)
    counts, lengths = bin_events_sparse(gather([recording]), dt_ms=0.001)
    assert counts.shape == (10**9, 1, 700)
    assert counts.indices().tolist() == [[0, 10**9 - 1], [0, 0], [0, 699]]
    assert lengths.tolist() == [10**9]


def test_pictures_have_rows_and_columns() -> None:
    recording = Recording(np.array([0]), np.array([1 * 12 + 2 * 4 + 3]), 24, 10, label=0, shape=(2, 3, 4))
    counts = bin_recording(recording, dt_ms=1.0).unsqueeze(1)
    assert pictures(counts, recording.shape).nonzero().tolist() == [[0, 0, 1, 2, 3]]
    with pytest.raises(SpikingGammaError, match="shape"):
        pictures(counts, (2, 3, 5))


def test_refused_clip() -> None:
    recording = Recording(np.array([0]), np.array([0]), n_channels=4, duration_us=10, label=0)
    with pytest.raises(SpikingGammaError, match="`clip`: got 0"):
        bin_recording(recording, dt_ms=1.0, clip=0)
