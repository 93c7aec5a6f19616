"""Counts are exact: at every step length, for every sum of channels, and when steps are split."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from event_strategies import recordings
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, bin_events, bin_recording, gather, n_steps

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
