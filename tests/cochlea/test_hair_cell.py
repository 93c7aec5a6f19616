"""The hair cell against its equations in plain Python, and against their fixed points in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma.cochlea import resting_probability, spike_probability

STEP_S = 1 / 24_000
A, B, G, Y, L, R, X, H, M = 5.0, 300.0, 2000.0, 5.05, 2500.0, 6580.0, 66.3, 50000.0, 1.0


def euler(velocity: np.ndarray) -> np.ndarray:
    k = G * A / (A + B)
    c = M * Y * k / (L * k + Y * (L + R))
    q, w = c * (L + R) / k, c * R / X
    out = []
    for s in velocity:
        k = G * (s + A) / (s + A + B) if s + A > 0 else 0.0
        dq = Y * max(M - q, 0.0) - k * q + X * w
        dc = k * q - (L + R) * c
        dw = R * c - X * w
        q, c, w = max(q + STEP_S * dq, 0.0), max(c + STEP_S * dc, 0.0), max(w + STEP_S * dw, 0.0)
        out.append(H * c * STEP_S)
    return np.array(out)


@pytest.mark.parametrize("n_channels", [1, 15, 16, 17, 37])
@pytest.mark.parametrize("n_samples", [1, 63, 64, 65, 500])
def test_equals_the_equations_channel_by_channel(n_channels: int, n_samples: int) -> None:
    velocity = np.random.default_rng(0).normal(0.0, 50.0, (n_channels, n_samples)).astype(np.float32)
    expected = np.stack([euler(row.astype(np.float64)) for row in velocity])
    np.testing.assert_allclose(spike_probability(velocity, STEP_S), expected, rtol=1e-5)  # single precision


def test_silence_stays_at_rest() -> None:
    found = spike_probability(np.zeros((3, 5000), np.float32), STEP_S)
    np.testing.assert_allclose(found, resting_probability(STEP_S), rtol=1e-6)


@pytest.mark.parametrize("drive", [-4.0, 0.0, 10.0, 300.0])
def test_constant_drive_settles_where_the_pools_balance(drive: float) -> None:
    k = G * (drive + A) / (drive + A + B)
    balanced = H * M * Y * k / (L * k + Y * (L + R)) * STEP_S
    found = spike_probability(np.full((1, 48_000), drive, np.float32), STEP_S)
    # Single precision: a pool near 1 stops where its relaxation, at least Y Δt of what is left, is lost in rounding.
    assert found[0, -1] == pytest.approx(balanced, rel=2.0**-25 / (Y * STEP_S) + 1e-5)


def test_answers_an_onset_with_a_peak_and_adapts() -> None:
    velocity = np.zeros((1, 6000), np.float32)
    velocity[0, 1000:] = 100.0
    found = spike_probability(velocity, STEP_S)[0]
    assert found[1000:1100].max() > 3 * found[-1] > 3 * found[999]


def test_no_drive_below_the_opening_gives_none() -> None:
    found = spike_probability(np.full((1, 2000), -1000.0, np.float32), STEP_S)
    assert found[0, -1] < 1e-9
    assert (found >= 0).all()
