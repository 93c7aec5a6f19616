"""The compiled loops of the model: hair cells and bushy cells of all channels in parallel, some samples at a time.

Within a channel each sample depends on the one before, so only different channels can fill the vector lanes of a
processor. Arrays are [samples, lanes] with one lane per channel, and every inner loop runs over lanes without a branch.
The equations are given where the loops are called: `hair_cell`, `bushy_cell`, `filter_bank`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["cells_of_places", "cells_of_probability", "interpolate", "origins", "release"]

# The hair cell's parameters, in the symbols of its equations.
A, B, G = 5.0, 300.0, 2000.0
Y, L, R, X = 5.05, 2500.0, 6580.0, 66.3
H, M = 50000.0, 1.0

_SPAN = 8  # samples at once: a span's arrays for 700 channels fit into a core's own cache
_A, _B, _M = np.float32(A), np.float32(B), np.float32(M)
_ZERO, _HALF, _ONE, _TWO = np.float32(0.0), np.float32(0.5), np.float32(1.0), np.float32(2.0)
_STEP_OF_UNIFORM = np.float32(2.0**-24)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def interpolate(kept, first, span, weights, n_rows, drive):  # type: ignore[no-untyped-def]
    # Lane `phase * n_rows + r` is channel `stride * r + phase`; those of phase 0 are filtered places themselves.
    """Write the velocity of all channels to `drive`, interpolated from filtered places `kept`, for `span` samples."""
    stride, before = weights.shape[0], weights.shape[1] // 2 - 1
    for t in range(span):
        row = kept[first + t]
        drive[t, :n_rows] = row[before : before + n_rows]
        for phase in range(1, stride):
            w0, w1, w2, w3 = weights[phase, 0], weights[phase, 1], weights[phase, 2], weights[phase, 3]
            w4, w5, w6, w7 = weights[phase, 4], weights[phase, 5], weights[phase, 6], weights[phase, 7]
            out = drive[t, phase * n_rows : (phase + 1) * n_rows]
            for r in range(n_rows):
                near = w0 * row[r] + w1 * row[r + 1] + w2 * row[r + 2] + w3 * row[r + 3]
                out[r] = near + (w4 * row[r + 4] + w5 * row[r + 5] + w6 * row[r + 6] + w7 * row[r + 7])


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def release(drive, span, step, pools, probability):  # type: ignore[no-untyped-def]
    # In single precision some steps are too small to be added, which changes a pool by at most 2e-4.
    """Advance the pools of transmitter by `span` samples, and write spike probabilities; see `hair_cell`."""
    g, y, x, r = np.float32(G * step), np.float32(Y * step), np.float32(X * step), np.float32(R * step)
    lost, heard = np.float32((L + R) * step), np.float32(H * step)
    for t in range(span):
        for j in range(drive.shape[1]):
            s = max(drive[t, j] + _A, _ZERO)
            k = g * s / (s + _B)
            free, cleft, store = pools[0, j], pools[1, j], pools[2, j]
            pools[0, j] = max(free + (y * max(_M - free, _ZERO) - k * free + x * store), _ZERO)
            cleft_next = max(cleft + (k * free - lost * cleft), _ZERO)
            pools[1, j] = cleft_next
            pools[2, j] = max(store + (r * cleft - x * store), _ZERO)
            probability[t, j] = heard * cleft_next


@njit(cache=True, nogil=True)
def _scramble(x):  # type: ignore[no-untyped-def]
    # SplitMix64's output function (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def origins(seed, channels):  # type: ignore[no-untyped-def]
    """Return the start of each channel's random numbers, which depends only on the seed and the channel's number."""
    out = np.empty(len(channels), dtype=np.uint64)
    for j in range(len(channels)):
        out[j] = _scramble(_scramble(seed) + _GOLDEN * np.uint64(channels[j] + 1))
    return out


@njit(cache=True, nogil=True)
def _draw_uniform(origin, first, span, uniform):  # type: ignore[no-untyped-def]
    # The counter is the index of the sample, so there is no state between samples. 24 bits fill a float32.
    for t in range(span):
        ahead = _GOLDEN * np.uint64(first + t + 1)
        for j in range(len(origin)):
            uniform[t, j] = np.float32(np.int32(_scramble(origin[j] + ahead) >> np.uint64(40))) * _STEP_OF_UNIFORM


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_fired(probability, uniform, t, ready, fired, flag, words):  # type: ignore[no-untyped-def]
    # A binomial draw Bin(ready, p) inverts one uniform number u: it is the number of cumulative probabilities not above u.
    # The first two are compared in all lanes, others only in the few lanes that need them. If p > 1/2, the number that do
    # not spike is drawn with 1 - p, since powers of the larger of the two do not underflow in single precision.
    for j in range(len(fired)):
        p, n, u = min(probability[t, j], _ONE - probability[t, j]), ready[j], uniform[t, j]
        # (1 - p)^(n - 1), by the binary digits of n - 1, which is at most 63.
        rest, none = n - _ONE, _ONE - p
        digits = np.int32(rest)
        power2 = none * none
        power4 = power2 * power2
        power8 = power4 * power4
        power16 = power8 * power8
        power32 = power16 * power16
        power = none if digits & 1 else _ONE
        power = power * power2 if digits & 2 else power
        power = power * power4 if digits & 4 else power
        power = power * power8 if digits & 8 else power
        power = power * power16 if digits & 16 else power
        power = power * power32 if digits & 32 else power
        of_none, of_one = power * none, n * p * power
        fired[j] = min((_ONE if u >= of_none else _ZERO) + (_ONE if u >= of_none + of_one else _ZERO), n)
        flag[j] = (u >= of_none + of_one) & (n > _TWO)
    for i in range(len(words)):
        if words[i] != 0:
            for j in range(8 * i, 8 * i + 8):
                if flag[j]:
                    p = min(probability[t, j], _ONE - probability[t, j])
                    fired[j] = _binomial(np.float64(ready[j]), np.float64(p), np.float64(uniform[t, j]))


@njit(cache=True, nogil=True, error_model="numpy")
def _binomial(n, p, u):  # type: ignore[no-untyped-def]
    mass, odds, k = (1.0 - p) ** n, p / (1.0 - p), 0.0
    while u >= mass and k < n:
        u -= mass
        mass *= odds * (n - k) / (k + 1.0)
        k += 1.0
    return np.float32(k)


@njit(cache=True, nogil=True, error_model="numpy")
def _run_cells(probability, uniform, first, span, cells, resting, constants, fired, flag, found, n_found):  # type: ignore[no-untyped-def]
    # cells: ready fibres, current, voltage, samples still to be held. resting: a ring with the number of fibres that spiked
    # at each sample of a dead time. found: sample * lanes + lane of each spike.
    lanes, dead = resting.shape[1], resting.shape[0]
    keep_current, keep_voltage, gain = constants
    held = np.float32(dead)
    slot = first % dead
    words = flag.view(np.uint64)
    ready, current, voltage, wait = cells[0], cells[1], cells[2], cells[3]
    for t in range(span):
        _draw_fired(probability, uniform, t, ready, fired, flag, words)
        for j in range(lanes):
            drawn, others = fired[j], ready[j] - fired[j]
            spiking = drawn if probability[t, j] <= _HALF else others
            # Fibres that spiked `dead` samples ago may spike again from the next sample on.
            ready[j] += resting[slot, j] - spiking
            resting[slot, j] = spiking
            current[j] = current[j] * keep_current + spiking
            reached = voltage[j] * keep_voltage + gain * current[j]
            reached = _ZERO if wait[j] > _ZERO else reached
            spikes = reached >= _ONE
            voltage[j] = _ZERO if spikes else reached
            wait[j] = held if spikes else max(wait[j] - _ONE, _ZERO)
            flag[j] = spikes
        slot = slot + 1 if slot + 1 < dead else 0
        for i in range(len(words)):
            if words[i] != 0:
                for j in range(8 * i, 8 * i + 8):
                    if flag[j]:
                        found[n_found] = (first + t) * lanes + j
                        n_found += 1
    return n_found


@njit(cache=True, nogil=True)
def cells_of_probability(probability, origin, cells, resting, constants, found):  # type: ignore[no-untyped-def]
    """Run bushy cells on spike probabilities [samples, lanes]; write `found`, and return the number of spikes."""
    lanes, n_found = probability.shape[1], 0
    uniform, fired = np.empty((_SPAN, lanes), np.float32), np.empty(lanes, np.float32)
    flag = np.zeros(lanes, np.bool_)
    for first in range(0, len(probability), _SPAN):
        span = min(_SPAN, len(probability) - first)
        _draw_uniform(origin, first, span, uniform)
        part = probability[first : first + span]
        n_found = _run_cells(part, uniform, first, span, cells, resting, constants, fired, flag, found, n_found)
    return n_found


@njit(cache=True, nogil=True)
def cells_of_places(kept, first, weights, n_rows, step, pools, origin, cells, resting, constants, found):  # type: ignore[no-untyped-def]
    """Run hair cells and bushy cells on the velocity of places [samples, places], from sample `first` of the sound on.

    Write `found`, and return the number of spikes.
    """
    lanes, n_found = len(origin), 0
    drive, probability = np.zeros((_SPAN, lanes), np.float32), np.empty((_SPAN, lanes), np.float32)
    uniform, fired = np.empty((_SPAN, lanes), np.float32), np.empty(lanes, np.float32)
    flag = np.zeros(lanes, np.bool_)
    for start in range(0, len(kept), _SPAN):
        span = min(_SPAN, len(kept) - start)
        interpolate(kept, start, span, weights, n_rows, drive)
        release(drive, span, step, pools, probability)
        _draw_uniform(origin, first + start, span, uniform)
        n_found = _run_cells(
            probability, uniform, first + start, span, cells, resting, constants, fired, flag, found, n_found
        )
    return n_found
