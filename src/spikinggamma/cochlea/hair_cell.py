"""The inner hair cell, which maps membrane velocity to the probability of a nerve spike.

There are three pools of transmitter: free `q`, in the cleft `c`, and in reuptake `w`. The velocity s opens the
membrane:

    k = g (s + A) / (s + A + B) where s + A > 0, else 0
    dq/dt = y [M - q]+ - k q + x w
    dc/dt = k q - (l + r) c
    dw/dt = r c - x w
    P(spike in a sample) = h c Δt

Integration is by forward Euler in single precision, which changes probabilities by at most 2e-4. Pools never fall below
zero, and start at rest (the equilibrium at s = 0).

Source: Meddis (1986), J. Acoust. Soc. Am. 79, 702, and (1988), 83, 1056; parameters of Cramer, Stradmann, Schemmel,
Zenke (2020), arXiv 1910.07407.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikinggamma.cochlea.compiled import A, B, G, H, L, M, R, X, Y, release

__all__ = ["resting_pools", "resting_probability", "spike_probability"]


def resting_probability(step_s: float) -> float:
    """Return the probability of a spike per sample in silence, from the equilibrium of the pools."""
    return H * _rest()[1] * step_s


def spike_probability(velocity: Float[np.ndarray, "C S"], step_s: float) -> Float[np.ndarray, "C S"]:
    """Return the spike probability of one nerve fibre in each sample.

    Args:
        velocity: Velocity of the membrane, [C, S].
        step_s: Length of a sample in seconds.

    Returns:
        Probabilities, float32 [C, S].

    Example:
        >>> spike_probability(np.zeros((2, 3), np.float32), 1 / 24000).shape
        (2, 3)
    """
    drive = np.ascontiguousarray(velocity.T, dtype=np.float32)
    probability = np.empty_like(drive)
    release(drive, len(drive), step_s, resting_pools(drive.shape[1]), probability)
    return np.ascontiguousarray(probability.T)


def resting_pools(n_channels: int) -> Float[np.ndarray, "3 {n_channels}"]:
    """Return the pools `q`, `c` and `w` of every channel at rest: float32 [3, n_channels]."""
    return np.tile(np.array(_rest(), dtype=np.float32)[:, None], (1, n_channels))


def _rest() -> tuple[float, float, float]:
    k = G * A / (A + B)
    cleft = M * Y * k / (L * k + Y * (L + R))
    return cleft * (L + R) / k, cleft, cleft * R / X
