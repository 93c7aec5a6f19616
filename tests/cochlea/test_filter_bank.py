"""The fast filter against the published chain to the letter, at every place and rate that it interpolates."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma.cochlea import positions_cm, prepare, spike_probability, transfer, velocity
from spikinggamma.cochlea.filter_bank import BLOCK, filter_bank, velocity_by_blocks

N_CHANNELS = 24


def burst(n_samples: int) -> np.ndarray:
    """Noise between 100 and 4000 Hz, prepared as the chain does."""
    rng = np.random.default_rng(n_samples)
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    hz = np.fft.rfftfreq(n_samples, 1 / 48_000)
    spectrum[(hz < 100) | (hz > 4000)] = 0.0
    return prepare(np.fft.irfft(spectrum, n_samples), 48_000)


def one_long_transform(sound: np.ndarray, place_cm: float, c0: float) -> np.ndarray:
    """Velocity of one place with silence all around the sound, so that the transform's circle does not matter."""
    long = 4 * BLOCK
    padded = np.zeros(long)
    padded[long // 2 : long // 2 + len(sound)] = sound
    omega = 2 * np.pi * np.linspace(1.0, 24_000.0, long // 2 + 1)[:-1]
    gain = transfer(omega, np.array([place_cm]), c0=c0)[0]
    moved = np.fft.ifft(gain * np.fft.fft(padded)[: long // 2]).real
    return moved[long // 4 : long // 4 + -(-len(sound) // 2)]


# Where blocks meet, 3e-3 of the root mean square, from the ringing of the most basal places that is cut there; within one, what
# interpolation in time loses. 11,000 samples fit into half a block, 28,000 into one and a half.
@pytest.mark.long
@pytest.mark.parametrize(
    ("n_samples", "tolerance"),
    [(101, 3e-4), (6000, 3e-4), (11_001, 3e-4), (22_208, 3e-4), (28_000, 3e-3), (30_000, 3e-3)],
)
def test_blocks_equal_one_long_transform(n_samples: int, tolerance: float) -> None:
    sound = burst(n_samples)
    found = velocity_by_blocks(sound, N_CHANNELS, 1e9)
    assert found.shape == (N_CHANNELS, -(-n_samples // 2))
    for channel in range(N_CHANNELS):
        expected = one_long_transform(sound, positions_cm(N_CHANNELS)[channel], 1e9)
        error = np.sqrt(np.mean((found[channel] - expected) ** 2))
        assert error <= tolerance * np.sqrt(np.mean(expected**2)) + 1e-4, channel


@pytest.mark.long
@pytest.mark.parametrize("n_channels", [500, 700])
def test_places_between_are_interpolated(n_channels: int) -> None:
    sound = burst(8000)
    assert len(filter_bank(n_channels, 1e9).weights) > 1
    found = velocity_by_blocks(sound, n_channels, 1e9)
    for channel in (0, 1, 2, 3, 40, 100, 151, 202, 251, 300, n_channels - 2, n_channels - 1):
        expected = one_long_transform(sound, positions_cm(n_channels)[channel], 1e9)
        error = np.sqrt(np.mean((found[channel] - expected) ** 2))
        assert error <= 3e-3 * np.sqrt(np.mean(expected**2)) + 1e-4, channel


@pytest.mark.long
def test_every_place_is_filtered_where_neighbours_do_not_move_alike() -> None:
    assert len(filter_bank(N_CHANNELS, 1e9).weights) == 1
    # The first parameter set has jumps of phase between neighbouring places, which no interpolation reproduces.
    assert len(filter_bank(200, 1e8).weights) == 1


@pytest.mark.long
@pytest.mark.parametrize("c0", [1e8, 1e9])
@pytest.mark.parametrize("n_channels", [N_CHANNELS, 400])
def test_blocks_answer_as_the_published_chain_does(c0: float, n_channels: int) -> None:
    # The chain to the letter has one sample more over the same time, so velocities are compared by what follows from
    # them: the probability of a spike, on average within 1 % (speech: 0.1 to 0.35 %).
    sound = burst(20_000)
    channels = np.arange(0, n_channels, max(n_channels // N_CHANNELS - 1, 1))
    letter = velocity(sound, positions_cm(n_channels)[channels], c0=c0)
    times = np.arange(10_000) / 24_000
    own_times = np.arange(letter.shape[1]) * (20_000 / 48_000 / letter.shape[1])
    letter = np.stack([np.interp(times, own_times, row) for row in letter])
    expected = spike_probability(letter, 1 / 24_000)
    found = spike_probability(velocity_by_blocks(sound, n_channels, c0)[channels], 1 / 24_000)
    assert np.abs(found - expected).mean() < 0.01 * expected.mean()


def test_filters_are_made_once() -> None:
    assert filter_bank(N_CHANNELS, 1e9) is filter_bank(N_CHANNELS, 1e9)
