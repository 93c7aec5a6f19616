"""Confidence intervals of accuracies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

__all__ = ["accuracy_interval", "wilson_interval"]

_DRAWS = 2000


def accuracy_interval(right: Bool[np.ndarray, " decisions"], decisions: Sequence[int]) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy.

    Where each recording is one decision, it is Wilson's interval. Decisions on the steps of one recording are correlated, so
    for these it is the percentile bootstrap over recordings (2000 draws from a fixed seed).

    Args:
        right: Whether each decision is right, recording by recording.
        decisions: Number of decisions of each recording.
    """
    if max(decisions) == 1:
        return wilson_interval(int(right.sum()), len(right))
    counts = np.array(decisions)
    by_recording = np.array([part.sum() for part in np.split(right, np.cumsum(counts)[:-1])])
    draws = np.random.default_rng(0).integers(0, len(counts), size=(_DRAWS, len(counts)))
    accuracies = by_recording[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(accuracies, [0.025, 0.975])
    return float(low), float(high)


def wilson_interval(correct: int, count: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % confidence interval of a proportion (Wilson 1927), which is also sound at 0 and at 1.

    Example:
        >>> [round(bound, 3) for bound in wilson_interval(95, 100)]
        [0.888, 0.978]
    """
    share = correct / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
