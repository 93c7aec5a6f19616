"""Confidence intervals of accuracies over seeds, by a percentile bootstrap in two levels.

A net's accuracy varies with the recordings of the test and with the seed of the training. Both are resampled: S seeds with
replacement, then N recordings of each with replacement. The interval is from the 2.5th to the 97.5th
percentile of the mean over 4000 such draws (Davison & Hinkley 1997, Bootstrap Methods and Their Application, section 3.8).

- `nested_interval`: every seed has its own recordings, resampled independently.
- `crossed_interval`: all seeds are tested on the same recordings. A hard one is hard for every seed, so one draw of recordings
  is used for all seeds (Owen 2007, Ann. Appl. Stat. 1, 386); independent draws would make the interval too narrow.

With few seeds, the spread over seeds is underestimated: with S seeds, the variance of the mean over seeds comes out as
(S - 1) / S of its value, and with one seed only that of the recordings remains. If all decisions are correct, or all wrong,
the bootstrap has no spread, and Wilson's interval is used instead.

The averaged values are the correctness of each recording: 0 or 1, or the mean over several perturbations of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation import wilson_interval

__all__ = ["crossed_interval", "nested_interval"]

_DRAWS = 4000
_SEED = 0xB007


def nested_interval(right: Sequence[Float[np.ndarray, "_"]], *, coverage: float = 0.95) -> tuple[float, float]:
    """Return the interval of the mean over seeds, each with its own recordings.

    Args:
        right: For each seed, the correctness of each of its recordings, 0 to 1.
        coverage: Probability with which the interval should contain the true value.

    Raises:
        SpikingGammaError: There is no seed, a seed has no recordings, or values are outside 0 to 1.

    Example:
        >>> low, high = nested_interval([np.repeat([0.0, 1.0], [10, 90])])
        >>> round(low, 2), round(high, 2)
        (0.84, 0.96)
    """
    _check(right)
    if _constant(right):
        return wilson_interval(round(float(sum(part.sum() for part in right))), sum(map(len, right)))
    rng = np.random.default_rng(_SEED)
    seeds = rng.integers(0, len(right), size=(_DRAWS, len(right)))
    means = np.empty(seeds.shape)
    for seed, part in enumerate(right):
        # Resampling N values is equal to drawing multinomial counts of their few distinct values.
        values, counts = np.unique(part, return_counts=True)
        places = seeds == seed
        means[places] = rng.multinomial(len(part), counts / len(part), size=int(places.sum())) @ values / len(part)
    return _percentiles(means.mean(axis=1), coverage)


def crossed_interval(right: Float[np.ndarray, "seeds samples"], *, coverage: float = 0.95) -> tuple[float, float]:
    """Return the interval of the mean over seeds that were tested on the same recordings.

    Args:
        right: Correctness of each recording for each seed, 0 to 1.
        coverage: Probability with which the interval should contain the true value.

    Raises:
        SpikingGammaError: There is no seed or no recording, or values are outside 0 to 1.

    Example:
        >>> alone, twice = np.repeat([[0.0, 1.0]], [50, 50], axis=1), np.repeat([[0.0, 1.0]] * 2, [50, 50], axis=1)
        >>> [round(high - low, 2) for low, high in (crossed_interval(alone), crossed_interval(twice))]
        [0.2, 0.2]
    """
    _check(right)
    if _constant(right):
        return wilson_interval(round(float(right[0].sum())), right.shape[1])
    rng = np.random.default_rng(_SEED)
    n_seeds, n_samples = right.shape
    seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=_DRAWS) / n_seeds
    samples = rng.multinomial(n_samples, np.full(n_samples, 1 / n_samples), size=_DRAWS) / n_samples
    return _percentiles(np.einsum("ds,ds->d", seeds, samples @ right.T), coverage)


def _check(right: Sequence[Float[np.ndarray, "_"]] | Float[np.ndarray, "seeds samples"]) -> None:
    if not len(right) or not all(part.ndim == 1 and len(part) for part in right):
        raise SpikingGammaError("right", [len(part) for part in right], "at least one recording of at least one seed")
    if not all(((part >= 0.0) & (part <= 1.0)).all() for part in right):
        raise SpikingGammaError("right", "values outside that range", "the correctness of each recording, from 0 to 1")


def _constant(right: Sequence[Float[np.ndarray, "_"]] | Float[np.ndarray, "seeds samples"]) -> bool:
    values = np.unique(np.concatenate(list(right)))
    return len(values) == 1 and float(values[0]) in (0.0, 1.0)


def _percentiles(means: Float[np.ndarray, "draws"], coverage: float) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)
