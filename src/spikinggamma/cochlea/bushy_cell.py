"""Bushy cells: many unreliable nerve fibres in, one reliable spike train out.

Forty fibres of a place each spike with probability P in a sample and are then silent for 1 ms; they converge on one
leaky integrate-and-fire cell (s spikes of the fibres in this sample, weight w per fibre):

    I <- I exp(-Δt/τ_syn) + s
    V <- V exp(-Δt/τ_m) + w Δt I          a spike at V >= 1, then V is held at 0 for 1 ms

Parameters as in Cramer, Stradmann, Schemmel, Zenke (2020), arXiv 1910.07407.

Fibres of a place are alike, so only how many of them are ready matters: their spikes in a sample are one binomial draw
Bin(ready, P), and those that fired are ready again 1 ms later. This is the same distribution as forty separate draws.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numba import njit

__all__ = ["N_FIBRES", "bushy_spikes"]

N_FIBRES = 40
_TAU_MEMBRANE_S = 1e-3
_TAU_SYNAPSE_S = 0.5e-3
_DEAD_S = 1e-3
_WEIGHT = 13_000.0


def bushy_spikes(
    probability: Float[np.ndarray, "C S"], step_s: float, *, seed: int, first_channel: int = 0, n_fibres: int = N_FIBRES
) -> Int[np.ndarray, "E 2"]:
    """Spikes of one bushy cell per channel.

    A channel's draws depend on `seed` and its own number only, so channels can be run in any grouping.

    Args:
        probability: P(spike) of a fibre per channel and sample.
        step_s: Length of a sample in seconds.
        seed: Of this sound, any integer from 0 to 2**64 - 1.
        first_channel: Number of the first channel given, where only some are run.
        n_fibres: Fibres per cell; the total weight stays the same.

    Shapes:
        probability [C, S]; result int64 [E, 2] of (channel counted from 0 here, sample), ordered by channel, then time.
    """
    # The dead time counts whole samples after the one with the spike.
    dead = round(_DEAD_S / step_s)
    keep_current = float(np.exp(-step_s / _TAU_SYNAPSE_S))
    keep_voltage = float(np.exp(-step_s / _TAU_MEMBRANE_S))
    gain = _WEIGHT / n_fibres * step_s
    times, counts = _run(
        np.ascontiguousarray(probability, dtype=np.float32),
        np.uint64(seed),
        np.uint64(first_channel),
        n_fibres,
        dead,
        keep_current,
        keep_voltage,
        gain,
    )
    samples = np.concatenate([row[:count] for row, count in zip(times, counts, strict=True)])
    return np.stack([np.repeat(np.arange(len(counts)), counts), samples], axis=1)


@njit(cache=True, nogil=True)
def _scramble(x):  # type: ignore[no-untyped-def]
    # SplitMix64's output function (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True, error_model="numpy")
def _binomial(n, p, u):  # type: ignore[no-untyped-def]
    # By inversion of one uniform number u in [0, 1): exact, and fast as n p is small.
    if p >= 1.0:
        return n
    mass = (1.0 - p) ** n
    odds = p / (1.0 - p)
    k = 0
    while u >= mass and k < n:
        u -= mass
        mass *= odds * (n - k) / (k + 1.0)
        k += 1
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def _run(probability, seed, first_channel, n_fibres, dead, keep_current, keep_voltage, gain):  # type: ignore[no-untyped-def]
    golden = np.uint64(0x9E3779B97F4A7C15)
    unit = 1.0 / 9007199254740992.0  # 2^-53
    channels, samples = probability.shape
    times = np.empty((channels, samples // (dead + 1) + 1), dtype=np.int64)
    counts = np.zeros(channels, dtype=np.int64)
    resting = np.zeros(dead, dtype=np.int64)  # a ring: how many fibres fired `dead` samples ago
    for channel in range(channels):
        state = _scramble(_scramble(seed) + golden * (first_channel + np.uint64(channel) + np.uint64(1)))
        resting[:] = 0
        ready = n_fibres
        slot = 0
        current = 0.0
        voltage = 0.0
        wait = 0
        for t in range(samples):
            state += golden
            u = np.float64(_scramble(state) >> np.uint64(11)) * unit
            p = np.float64(probability[channel, t])
            # (1 - p)^n >= 1 - n p, so most samples need no more than this comparison.
            fired = 0 if u < 1.0 - ready * p else _binomial(ready, p, u)
            # Those that fired `dead` samples ago may fire again from the next sample on.
            ready += resting[slot] - fired
            resting[slot] = fired
            slot += 1
            if slot == dead:
                slot = 0
            current = current * keep_current + fired
            if wait > 0:
                wait -= 1
                voltage = 0.0
                continue
            voltage = voltage * keep_voltage + gain * current
            if voltage >= 1.0:
                voltage = 0.0
                wait = dead
                times[channel, counts[channel]] = t
                counts[channel] += 1
    return times, counts
