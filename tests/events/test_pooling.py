"""Pooled channels and pixels hold the events of what they were made of, in the same order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from event_strategies import recordings
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, bin_recording, pictures, pool_channels, pool_pixels


@given(recordings(), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_pooling_before_binning_is_binning_into_fewer(recording: Recording, n_channels: int) -> None:
    pooled = bin_recording(pool_channels(recording, n_channels), dt_ms=3.0)
    assert torch.equal(pooled, bin_recording(recording, dt_ms=3.0, n_channels=n_channels))


@st.composite
def pictured(draw: st.DrawFn) -> Recording:
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 80))
    n_channels = int(np.prod(shape))
    times, channels = np.sort(rng.integers(0, 9000, count)), rng.integers(0, n_channels, count)
    return Recording(times, channels, n_channels, 9000, label=0, shape=shape)


@given(pictured(), st.integers(1, 9), st.booleans())
def test_squares_of_pixels_are_summed(recording: Recording, side: int, polarities: bool) -> None:
    kinds, height, width = recording.shape
    if side > min(height, width):
        with pytest.raises(SpikingGammaError, match="side"):
            pool_pixels(recording, side)
        return
    pooled = pool_pixels(recording, side, polarities=polarities)
    fine = pictures(bin_recording(recording, dt_ms=2.0).unsqueeze(1), recording.shape)
    expected = torch.nn.functional.avg_pool2d(fine.flatten(0, 1), side) * side**2
    expected = expected if polarities else expected.sum(1, keepdim=True)
    found = pictures(bin_recording(pooled, dt_ms=2.0).unsqueeze(1), pooled.shape)
    assert torch.allclose(found.flatten(0, 1), expected)
    assert (np.diff(pooled.times_us) >= 0).all()
    assert pooled.shape == (kinds if polarities else 1, height // side, width // side)


def test_a_list_and_a_camera_are_not_taken_for_each_other() -> None:
    flat = Recording(np.array([0]), np.array([0]), n_channels=8, duration_us=5, label=0)
    camera = Recording(np.array([0]), np.array([7]), n_channels=8, duration_us=5, label=0, shape=(2, 2, 2))
    with pytest.raises(SpikingGammaError, match="pool_pixels"):
        pool_channels(camera, 4)
    with pytest.raises(SpikingGammaError, match="camera"):
        pool_pixels(flat, 2)
    for wrong in (0, 3, 16):
        with pytest.raises(SpikingGammaError, match="divisor of 8"):
            pool_channels(flat, wrong)
    assert [part.tolist() for part in camera.pixels] == [[1], [1], [1]]
