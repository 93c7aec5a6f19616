"""The inner hair cell: membrane velocity in, probability of a nerve spike out.

Three pools of transmitter: free `q`, in the cleft `c`, and being taken back `w`; the velocity s opens the membrane:

    k = g (s + A) / (s + A + B) where s + A > 0, else 0
    dq/dt = y [M - q]+ - k q + x w
    dc/dt = k q - (l + r) c
    dw/dt = r c - x w
    P(spike in a sample) = h c Δt

Meddis (1986), J. Acoust. Soc. Am. 79, 702, and (1988), 83, 1056; parameters as in Cramer, Stradmann, Schemmel, Zenke
(2020), arXiv 1910.07407. Forward Euler, pools never below zero, started at rest (the equilibrium at s = 0).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numba import njit

__all__ = ["resting_probability", "spike_probability"]

A, B, G = 5.0, 300.0, 2000.0
Y, L, R, X = 5.05, 2500.0, 6580.0, 66.3
H, M = 50000.0, 1.0


def resting_probability(step_s: float) -> float:
    """Probability of a spike per sample in silence, from the equilibrium of the pools."""
    return H * _rest()[1] * step_s


def spike_probability(velocity: Float[np.ndarray, "C S"], step_s: float) -> Float[np.ndarray, "C S"]:
    """Probability of a spike of one nerve fibre in each sample.

    Shapes:
        velocity [C, S]; result float32 [C, S], sample length `step_s`.

    Example:
        >>> spike_probability(np.zeros((2, 3), np.float32), 1 / 24000).shape
        (2, 3)
    """
    return np.asarray(_run(np.ascontiguousarray(velocity, dtype=np.float32), step_s, *_rest()))


def _rest() -> tuple[float, float, float]:
    k = G * A / (A + B)
    cleft = M * Y * k / (L * k + Y * (L + R))
    return cleft * (L + R) / k, cleft, cleft * R / X


_LANES, _SPAN = 16, 64


@njit(cache=True, nogil=True, error_model="numpy")
def _run(velocity, step, free_0, cleft_0, store_0):  # type: ignore[no-untyped-def]
    # Sixteen channels side by side, in spans of time small enough for the nearest cache: the pools' recursion is a
    # chain of dependent sums, so only neighbouring channels can fill a processor's lanes.
    n_channels, n_samples = velocity.shape
    out = np.empty((n_channels, n_samples), dtype=np.float32)
    drive = np.zeros((_SPAN, _LANES), dtype=np.float32)
    answer = np.zeros((_SPAN, _LANES), dtype=np.float32)
    free, cleft, store = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
    for first in range(0, n_channels, _LANES):
        lanes = min(_LANES, n_channels - first)
        free[:], cleft[:], store[:] = free_0, cleft_0, store_0
        for start in range(0, n_samples, _SPAN):
            span = min(_SPAN, n_samples - start)
            for j in range(lanes):
                for t in range(span):
                    drive[t, j] = velocity[first + j, start + t]
            for t in range(span):
                for j in range(_LANES):
                    s = max(np.float64(drive[t, j]) + A, 0.0)
                    k = G * s / (s + B)
                    q, c, w = free[j], cleft[j], store[j]
                    free[j] = max(q + step * (Y * max(M - q, 0.0) - k * q + X * w), 0.0)
                    cleft[j] = max(c + step * (k * q - (L + R) * c), 0.0)
                    store[j] = max(w + step * (R * c - X * w), 0.0)
                    answer[t, j] = H * cleft[j] * step
            for j in range(lanes):
                for t in range(span):
                    out[first + j, start + t] = answer[t, j]
    return out
