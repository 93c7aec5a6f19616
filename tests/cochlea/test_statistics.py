"""The whole chain against its equations in double precision with forty separate fibres: same counts, same intervals.

Nothing is shared but the transfer function and the prepared sound: one Fourier transform for each channel, Euler's steps
written out, a random number for each fibre and sample. Seeds are independent, so only statistics can agree.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, ks_2samp

from spikinggamma.cochlea import Cochlea, convert, positions_cm, prepare, transfer

STEP_S = 1 / 24_000
DEAD, FIBRES, SEEDS = 24, 40, 20
N_CHANNELS = 700
CHANNELS = np.arange(20, 700, 45)  # compared; most of them are interpolated from their neighbours
A, B, G, Y, L, R, X, H, M = 5.0, 300.0, 2000.0, 5.05, 2500.0, 6580.0, 66.3, 50000.0, 1.0


def velocity(sound: np.ndarray) -> np.ndarray:
    """Of the channels compared, with silence all around the sound: [channels, samples]."""
    long = 1 << (len(sound) + 40_000).bit_length()
    padded = np.zeros(long)
    padded[20_000 : 20_000 + len(sound)] = sound
    spectrum = np.fft.fft(padded)[: long // 2]
    omega = 2 * np.pi * np.linspace(1.0, 24_000.0, long // 2 + 1)[:-1]
    n = -(-len(sound) // 2)
    rows = []
    for place in positions_cm(N_CHANNELS)[CHANNELS]:
        moved = np.fft.ifft(transfer(omega, np.array([place]), c0=1e9)[0] * spectrum).real
        rows.append(moved[10_000 : 10_000 + n])
    return np.stack(rows)


def plain_spikes(sound: np.ndarray, rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Samples of spikes by channel and repetition."""
    moved = velocity(sound)
    k = G * A / (A + B)
    cleft = np.full(len(CHANNELS), M * Y * k / (L * k + Y * (L + R)))
    free, store = cleft * (L + R) / k, cleft * R / X
    shape = (SEEDS, len(CHANNELS))
    last = np.full((*shape, FIBRES), -1000)
    current, voltage = np.zeros(shape), np.zeros(shape)
    quiet_until = np.full(shape, -1)
    found = []
    for t in range(moved.shape[1]):
        s = np.maximum(moved[:, t] + A, 0.0)
        k_now = G * s / (s + B)
        free, cleft, store = (
            np.maximum(free + STEP_S * (Y * np.maximum(M - free, 0.0) - k_now * free + X * store), 0.0),
            np.maximum(cleft + STEP_S * (k_now * free - (L + R) * cleft), 0.0),
            np.maximum(store + STEP_S * (R * cleft - X * store), 0.0),
        )
        fires = (rng.random(last.shape, dtype=np.float32) < (H * cleft * STEP_S)[:, None]) & (t - last > DEAD)
        last[fires] = t
        current = current * np.exp(-STEP_S / 0.5e-3) + fires.sum(2)
        voltage = voltage * np.exp(-STEP_S / 1e-3) + 13_000 / FIBRES * STEP_S * current
        voltage[t <= quiet_until] = 0.0
        spiking = voltage >= 1.0
        voltage[spiking] = 0.0
        quiet_until[spiking] = t + DEAD
        found += [(channel, seed, t) for seed, channel in zip(*np.nonzero(spiking), strict=True)]
    events = np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
    return [
        [events[(events[:, 0] == i) & (events[:, 1] == seed), 2] for seed in range(SEEDS)] for i in range(len(CHANNELS))
    ]


def own_spikes(sound: np.ndarray) -> list[list[np.ndarray]]:
    trains = [convert(sound, 48_000, Cochlea(N_CHANNELS), seed=seed) for seed in range(SEEDS)]
    samples = [(train.channels, -(-train.times_us * 3 // 125)) for train in trains]
    return [[times[channels == channel] for channels, times in samples] for channel in CHANNELS]


def noise(n_samples: int) -> np.ndarray:
    """As loud in every octave, as speech roughly is."""
    spectrum = np.fft.rfft(np.random.default_rng(n_samples).normal(size=n_samples))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0), n_samples)


def tones(n_samples: int) -> np.ndarray:
    time_s = np.arange(n_samples) / 48_000
    return np.sum([np.sin(2 * np.pi * hz * time_s) for hz in (200, 500, 1300, 3100, 7000)], axis=0)


SOUNDS = {
    "loud": tones(24_000),
    "quiet": 1e-6 * noise(24_000),
    "a click in silence": np.where(np.arange(24_000) // 200 == 60, noise(24_000), 1e-9 * noise(24_000)),
    "less than 5 ms": noise(220),
    "blocks meet": noise(50_000),
    "10 s": noise(480_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUNDS)
def test_counts_and_intervals_are_those_of_the_equations(name: str) -> None:
    sound = SOUNDS[name]
    expected = plain_spikes(prepare(sound, 48_000), np.random.default_rng(0))
    found = own_spikes(sound)
    counts = [np.array([[len(train) for train in trains] for trains in both]) for both in (expected, found)]
    variance = SEEDS * (counts[0].var(1, ddof=1) + counts[1].var(1, ddof=1))
    difference = counts[1].sum(1) - counts[0].sum(1)
    busy = variance > 5
    score = float((difference[busy] ** 2 / variance[busy]).sum())
    assert chi2.sf(score, max(busy.sum(), 1)) > 1e-3, (score, busy.sum())
    assert abs(difference.sum()) <= 4 * np.sqrt(variance.sum()) + 3
    gaps = [np.concatenate([np.diff(train) for trains in both for train in trains]) for both in (expected, found)]
    if name != "less than 5 ms":
        assert counts[0].sum() > 100
        assert min(len(one) for one in gaps) > 50
        assert ks_2samp(*gaps).pvalue > 1e-3
