"""Orders of neurons for plots."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

__all__ = ["centre_of_mass", "order_by_peak", "smooth"]

_SMOOTH_MS = 20.0  # a few dozen recordings have too few spikes for finer times


def order_by_peak(rates: Float[np.ndarray, "T N"], dt_ms: float) -> Int[np.ndarray, " N"]:
    """Return the neurons in the order of the time of their highest rate; silent ones come last.

    Example:
        >>> order_by_peak(np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 1.0]]), 20.0)
        array([1, 2, 0])
    """
    return np.lexsort((smooth(rates, dt_ms).argmax(0), rates.sum(0) == 0))


def smooth(rates: Float[np.ndarray, "T N"], dt_ms: float) -> Float[np.ndarray, "T N"]:
    """Return the moving average of rates over 20 ms, with shorter windows at the edges."""
    width = max(1, min(len(rates), round(_SMOOTH_MS / dt_ms)))
    norm = np.convolve(np.ones(len(rates)), np.ones(width), mode="same")
    return np.stack([np.convolve(row, np.ones(width), mode="same") / norm for row in rates.T], axis=1)


def centre_of_mass(weights: Float[np.ndarray, "K ..."], places: Float[np.ndarray, " K"]) -> Float[np.ndarray, ...]:
    """Return the mean place, weighted by absolute weights; the plain mean where all of them are zero.

    Example:
        >>> centre_of_mass(np.array([[1.0], [-3.0]]), np.array([0.0, 8.0]))
        array([6.])
    """
    sizes = np.abs(weights)
    total = sizes.sum(0)
    sizes = np.where(total > 0, sizes, 1.0)
    return np.asarray(np.tensordot(places, sizes, axes=(0, 0)) / sizes.sum(0))
