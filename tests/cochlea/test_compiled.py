"""The compiled chain against each stage written out in plain Python: the same random numbers give the same spikes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spikinggamma.cochlea import Cochlea, bushy_spikes, convert, prepare, spike_probability
from spikinggamma.cochlea.filter_bank import velocity_by_blocks

STEP_S = 1 / 24_000
DEAD = 24  # samples in 1 ms
MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def scramble(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def uniform(seed: int, channel: int, t: int) -> float:
    """The upper 24 bits of SplitMix64, started at a place of the channel's own."""
    origin = scramble(seed) + GOLDEN * (channel + 1) & MASK
    return (scramble(scramble(origin) + GOLDEN * (t + 1) & MASK) >> 40) * 2.0**-24


def fired(ready: int, p: float, u: float) -> int:
    """How many of the cumulative probabilities of Bin(ready, p) are not above u."""
    if p > 0.5:
        return ready - fired(ready, 1.0 - p, u)
    cumulative, k = 0.0, 0
    while k < ready:
        cumulative += math.comb(ready, k) * p**k * (1.0 - p) ** (ready - k)
        if u < cumulative:
            break
        k += 1
    return k


def plain_cell(probability: np.ndarray, *, seed: int, channel: int, n_fibres: int = 40) -> list[int]:
    """Samples at which one bushy cell spikes."""
    spikes: list[int] = []
    history: list[int] = []
    current = voltage = 0.0
    wait = 0
    for t, p in enumerate(probability.tolist()):
        ready = n_fibres - sum(history[-DEAD:])
        history.append(fired(ready, p, uniform(seed, channel, t)))
        current = current * math.exp(-STEP_S / 0.5e-3) + history[-1]
        if wait:
            wait, voltage = wait - 1, 0.0
            continue
        voltage = voltage * math.exp(-STEP_S / 1e-3) + 13_000 / n_fibres * STEP_S * current
        if voltage >= 1.0:
            voltage, wait = 0.0, DEAD
            spikes.append(t)
    return spikes


def by_channel(channels: np.ndarray, samples: np.ndarray, n_channels: int) -> list[list[int]]:
    return [samples[channels == channel].tolist() for channel in range(n_channels)]


@pytest.mark.parametrize("n_channels", [1, 16, 19])
@pytest.mark.parametrize("level", [0.0, 0.003, 0.03, 0.3, 0.9])
def test_cells_equal_plain_ones(n_channels: int, level: float) -> None:
    rng = np.random.default_rng(n_channels)
    probability = np.minimum(level * rng.uniform(0.0, 1.5, (n_channels, 333)), 1.0).astype(np.float32)
    found = bushy_spikes(probability, STEP_S, seed=11, first_channel=5)
    expected = [plain_cell(row, seed=11, channel=5 + i) for i, row in enumerate(probability)]
    assert by_channel(found[:, 0], found[:, 1], n_channels) == expected


@pytest.mark.parametrize("n_fibres", [1, 2, 33, 64])
def test_any_number_of_fibres(n_fibres: int) -> None:
    probability = np.full((3, 400), 0.1, np.float32)
    found = bushy_spikes(probability, STEP_S, seed=2, n_fibres=n_fibres)
    expected = [plain_cell(row, seed=2, channel=i, n_fibres=n_fibres) for i, row in enumerate(probability)]
    assert by_channel(found[:, 0], found[:, 1], 3) == expected


@pytest.mark.long
@pytest.mark.parametrize("n_channels", [5, 13, 250])
def test_chain_equals_its_stages(n_channels: int) -> None:
    # One and a half blocks: what is carried from one to the next is what a stage alone carries within one.
    sound = np.random.default_rng(0).normal(size=26_000).cumsum()
    sound -= np.linspace(sound[0], sound[-1], len(sound))
    train = convert(sound, 48_000, Cochlea(n_channels), seed=9)
    probability = spike_probability(velocity_by_blocks(prepare(sound, 48_000), n_channels, 1e9), STEP_S)
    expected = bushy_spikes(probability, STEP_S, seed=9)
    expected = expected[np.lexsort((expected[:, 0], expected[:, 1]))]
    assert len(expected) > 5
    np.testing.assert_array_equal(train.channels, expected[:, 0])
    np.testing.assert_array_equal(train.times_us, expected[:, 1] * 125 // 3)


def test_chain_equals_plain_cells_behind_its_membrane() -> None:
    sound = np.sin(2 * np.pi * 600 * np.arange(4800) / 48_000)
    train = convert(sound, 48_000, Cochlea(6), seed=4)
    probability = spike_probability(velocity_by_blocks(prepare(sound, 48_000), 6, 1e9), STEP_S)
    for channel, row in enumerate(probability):
        expected = np.array(plain_cell(row, seed=4, channel=channel), dtype=np.int64) * 125 // 3
        np.testing.assert_array_equal(train.times_us[train.channels == channel], expected)
