"""Bushy cells against forty separate fibres drawn one by one, and in the cases where nothing is random."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.cochlea import bushy_spikes
from spikinggamma.cochlea.compiled import _binomial

STEP_S = 1 / 24_000
DEAD = 24  # samples in 1 ms


def separate_fibres(probability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spike counts per channel with every fibre, its dead time and the cell written out."""
    counts = np.zeros(len(probability), dtype=int)
    keep_current, keep_voltage = np.exp(-STEP_S / 0.5e-3), np.exp(-STEP_S / 1e-3)
    last = np.full((len(probability), 40), -1000)
    current, voltage = np.zeros(len(probability)), np.zeros(len(probability))
    silent_until = np.zeros(len(probability), dtype=int)
    for t in range(probability.shape[1]):
        fires = (t - last > DEAD) & (rng.random(last.shape) < probability[:, t, None])
        last[fires] = t
        current = current * keep_current + fires.sum(1)
        voltage = voltage * keep_voltage + 13_000 / 40 * STEP_S * current
        held = t <= silent_until
        voltage[held & (silent_until > 0)] = 0.0
        spiking = (voltage >= 1.0) & ~(held & (silent_until > 0))
        counts += spiking
        voltage[spiking] = 0.0
        silent_until[spiking] = t + DEAD
    return counts


@pytest.mark.long
@pytest.mark.parametrize("level", [0.006, 0.012, 0.05])
def test_rate_equals_that_of_separate_fibres(level: float) -> None:
    wave = level * (1.0 + np.sin(2 * np.pi * 150 * np.arange(12_000) * STEP_S))
    probability = np.tile(wave.astype(np.float32), (60, 1))
    expected = separate_fibres(probability, np.random.default_rng(0))
    found = np.bincount(bushy_spikes(probability, STEP_S, seed=1)[:, 0], minlength=60)
    error = np.sqrt((expected.var() + found.var()) / 60)
    assert abs(found.mean() - expected.mean()) < 4 * error + 0.01
    assert found.mean() > 1


@pytest.mark.parametrize(("n", "p"), [(40, 0.01), (40, 0.3), (3, 0.45), (1, 0.5)])
def test_binomial_draws_by_inversion(n: int, p: float) -> None:
    # Evenly spaced numbers instead of random ones: frequencies are the probabilities, to the spacing.
    draws = np.array([_binomial(float(n), p, (i + 0.5) / 20_000) for i in range(20_000)])
    assert draws.mean() == pytest.approx(n * p, abs=2e-3)
    assert draws.var() == pytest.approx(n * p * (1 - p), abs=2e-2)
    assert (np.diff(draws) >= 0).all()


@pytest.mark.parametrize("n_fibres", [0, 65])
def test_refused_numbers_of_fibres(n_fibres: int) -> None:
    with pytest.raises(SpikingGammaError, match="n_fibres"):
        bushy_spikes(np.zeros((1, 10), np.float32), STEP_S, seed=0, n_fibres=n_fibres)


def test_refused_step() -> None:
    with pytest.raises(SpikingGammaError, match="step_s"):
        bushy_spikes(np.zeros((1, 10), np.float32), 0.01, seed=0)


def test_no_probability_no_spikes() -> None:
    assert bushy_spikes(np.zeros((4, 1000), np.float32), STEP_S, seed=0).shape == (0, 2)


def test_certain_fibres_give_a_known_train() -> None:
    # All forty fire in samples 0, 25, 50 and so on; what is left is the cell's own recursion.
    current, voltage, held, expected = 0.0, 0.0, 0, []
    for t in range(400):
        current = current * np.exp(-1 / 12) + (40 if t % (DEAD + 1) == 0 else 0)
        voltage = 0.0 if held else voltage * np.exp(-1 / 24) + 13_000 / 40 * STEP_S * current
        held = max(held - 1, 0)
        if voltage >= 1.0:
            expected.append([0, t])
            voltage, held = 0.0, DEAD
    assert expected[0] == [0, 1]  # 0.54 after the first sample, 1.02 after the second
    assert bushy_spikes(np.ones((1, 400), np.float32), STEP_S, seed=0).tolist() == expected


def test_dead_time_separates_spikes() -> None:
    spikes = bushy_spikes(np.full((5, 20_000), 0.2, np.float32), STEP_S, seed=3)
    for channel in range(5):
        gaps = np.diff(spikes[spikes[:, 0] == channel, 1])
        assert gaps.min() > DEAD


def test_a_channel_does_not_depend_on_its_company() -> None:
    probability = np.full((7, 5000), 0.02, np.float32)
    together = bushy_spikes(probability, STEP_S, seed=5)
    alone = bushy_spikes(probability[4:5], STEP_S, seed=5, first_channel=4)
    np.testing.assert_array_equal(together[together[:, 0] == 4, 1], alone[:, 1])


def test_seed_decides() -> None:
    probability = np.full((3, 5000), 0.02, np.float32)
    first, again, other = (bushy_spikes(probability, STEP_S, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()
