"""The membrane: its places in order, and the fast filter against the published chain to the letter."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma.cochlea import positions_cm, transfer, velocity

N_CHANNELS = 24


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


def test_letter_of_the_chain_answers_a_tone_with_its_transfer_function() -> None:
    # Bins of the published grid are not quite those of the transform, so a tone in the middle of one is taken.
    n_samples, place = 48_000, positions_cm(N_CHANNELS)[6:7]
    bins, at = n_samples // 2 + 1, 1000
    sound = 2.0 * np.cos(2 * np.pi * at * np.arange(n_samples) / n_samples)
    moved = velocity(sound, place, c0=1e9)
    gain = transfer(2 * np.pi * np.linspace(1.0, 24_000.0, bins)[at : at + 1], place, c0=1e9)[0, 0]
    expected = n_samples / bins * (gain * np.exp(2j * np.pi * at * np.arange(bins) / bins)).real
    np.testing.assert_allclose(moved[0], expected, atol=1e-9 * np.abs(expected).max())
