"""The membrane: its places in order, and the fast filter against the published chain to the letter."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma.cochlea import positions_cm, prepare, spike_probability, transfer, velocity
from spikinggamma.cochlea.membrane import BLOCK, filter_bank, spectra_of_blocks, velocity_of_blocks

N_CHANNELS = 24


def fast(sound: np.ndarray, c0: float) -> np.ndarray:
    return velocity_of_blocks(spectra_of_blocks(sound), filter_bank(N_CHANNELS, c0).values, len(sound) // 2)


def burst(n_samples: int) -> np.ndarray:
    """Noise between 100 and 4000 Hz, prepared as the chain does."""
    rng = np.random.default_rng(n_samples)
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    hz = np.fft.rfftfreq(n_samples, 1 / 48_000)
    spectrum[(hz < 100) | (hz > 4000)] = 0.0
    return prepare(np.fft.irfft(spectrum, n_samples), 48_000)


@pytest.mark.parametrize("c0", [1e8, 1e9])
def test_best_frequency_falls_from_base_to_apex(c0: float) -> None:
    hz = np.linspace(1.0, 24_000.0, 8000)
    gain = np.abs(transfer(2 * np.pi * hz, positions_cm(N_CHANNELS), c0=c0))
    best = hz[gain.argmax(axis=1)]
    assert (np.diff(best) < 0).all()
    # Undamped, a place of stiffness S and mass m resonates at sqrt(S/m); damping and loading pull it down by up to 0.8.
    places = positions_cm(N_CHANNELS)[3:12]
    undamped = np.sqrt((c0 * np.exp(-3.0 * places) - 3500) / 0.05) / (2 * np.pi)
    assert (best[3:12] < undamped).all()
    assert (best[3:12] > 0.8 * undamped).all()


@pytest.mark.parametrize(("n_samples", "tolerance"), [(101, 1e-5), (6000, 1e-5), (22_208, 1e-5), (30_000, 3e-3)])
def test_blocks_equal_one_long_transform(n_samples: int, tolerance: float) -> None:
    # Silence all around, so that the transform's circle does not matter. Accuracy: 1e-5 of the root mean square within
    # one block; where blocks meet, 3e-3, from the ringing of the most basal places that is cut there.
    c0, sound, long = 1e9, burst(n_samples), 4 * BLOCK
    padded = np.zeros(long)
    padded[long // 2 : long // 2 + n_samples] = sound
    omega = 2 * np.pi * np.linspace(1.0, 24_000.0, long // 2 + 1)[:-1]
    spectrum = np.fft.fft(padded)[: long // 2]
    found = fast(sound, c0)
    for channel in range(0, N_CHANNELS, 5):
        place = positions_cm(N_CHANNELS)[channel : channel + 1]
        expected = np.fft.ifft(transfer(omega, place, c0=c0)[0] * spectrum).real
        expected = expected[long // 4 : long // 4 + n_samples // 2]
        error = np.sqrt(np.mean((found[channel] - expected) ** 2))
        assert error <= tolerance * np.sqrt(np.mean(expected**2)) + 1e-4, channel


@pytest.mark.parametrize("c0", [1e8, 1e9])
def test_blocks_answer_as_the_published_chain_does(c0: float) -> None:
    # The chain to the letter has one sample more over the same time, so velocities are compared by what follows from
    # them: the probability of a spike, on average within 1 % (speech: 0.1 to 0.35 %).
    sound = burst(20_000)
    letter = velocity(sound, positions_cm(N_CHANNELS), c0=c0)
    times = np.arange(10_000) / 24_000
    own_times = np.arange(letter.shape[1]) * (20_000 / 48_000 / letter.shape[1])
    letter = np.stack([np.interp(times, own_times, row) for row in letter])
    expected = spike_probability(letter, 1 / 24_000)
    found = spike_probability(fast(sound, c0), 1 / 24_000)
    assert np.abs(found - expected).mean() < 0.01 * expected.mean()


def test_filters_are_made_once() -> None:
    assert filter_bank(N_CHANNELS, 1e9).values is filter_bank(N_CHANNELS, 1e9).values
