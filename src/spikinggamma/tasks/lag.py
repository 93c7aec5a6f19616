"""Lag task: which of several pairs of neurons spike together, one of the two a fixed time after the other?

Channels come in pairs (a, b) of neighbours, a pair for each class. All of them spike n times, at different milliseconds. In the
pair of the class, b repeats a after the lag L; in the other pairs b is independent of a.

    b(class) = a(class) + L   modulo the duration

Each single channel is n places drawn uniformly, whatever the class. So neither counts nor the intervals within a channel tell
anything, and a net must compare the spikes of two channels across the lag: it needs a memory of L, or a delay of L.

    counts, and single neurons  1 / P
    both neurons of each pair   ceiling(): another pair matches in all n spikes with probability q = 1 / C(duration, n); a guess
                                among the pairs that match is right with probability (1 - (1 - q)^P) / (P q)

The task is this library's own: the smallest one that a delay of the right length solves, and weights alone do not if membranes
forget within less than L. Published claims about learnt delays and delayed skip connections are tested on it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pydantic import Field

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.option_words import check_options
from spikinggamma.options import Options
from spikinggamma.tasks.drawing import balanced_labels, check_draw, recordings_of, three_parts
from spikinggamma.tasks.pair_placing import separate_starts
from spikinggamma.tasks.registry import Bound, Description, Parts, register_task

__all__ = ["LagOptions", "LagParts", "ceiling", "describe", "make", "splits"]

_SALT = 0x1A6


class LagOptions(Options):
    """Options of the recordings of this task."""

    n_pairs: int = Field(default=4, ge=2, le=1000, description="pairs of neurons, one for each class")
    duration_ms: int = Field(default=500, ge=2, le=600_000, description="length of a recording, whole [ms]")
    n_spikes: int = Field(default=10, ge=1, description="spikes of every neuron")
    lag_ms: int = Field(
        default=40, ge=0, description="time from a spike of a to that of b in the pair of the class [ms]"
    )


class LagParts(LagOptions, Parts):
    """Options of the recordings, and the sizes of the parts."""


def make(*, n_samples: int, seed: int, **given: Any) -> list[Recording]:
    """Generate recordings with all classes equally often (to within one), in random order; all times are whole milliseconds.

    Args:
        n_samples: Number of recordings.
        seed: Seed of all random numbers.
        **given: Options of `LagOptions`.

    Raises:
        SpikingGammaError: More spikes than milliseconds, or a lag as long as the recording.

    Example:
        >>> one = make(n_samples=1, seed=0)[0]
        >>> one.n_channels, one.n_events
        (8, 80)
    """
    check_draw(n_samples, seed)
    options = check_options(LagOptions, given, name="lag")
    _check(options)
    rng = np.random.default_rng([seed, _SALT])
    labels = balanced_labels(rng, n_samples, options.n_pairs)
    trains = n_samples * options.n_pairs * 2
    numbers, places = np.full(trains, options.n_spikes), np.full(trains, options.duration_ms)
    drawn = separate_starts(rng, numbers, places, np.zeros(trains, dtype=np.int64))
    times = drawn.reshape(n_samples, options.n_pairs, 2, options.n_spikes)
    each = np.arange(n_samples)
    times[each, labels, 1] = (times[each, labels, 0] + options.lag_ms) % options.duration_ms
    samples, pairs, places_in_pair, _ = np.indices(times.shape).reshape(4, -1)
    return recordings_of(
        samples,
        times.reshape(-1),
        2 * pairs + places_in_pair,
        labels=labels,
        n_channels=2 * options.n_pairs,
        duration_ms=options.duration_ms,
        source=f"lag {seed}",
    )


def ceiling(*, n_pairs: int, duration_ms: int, n_spikes: int) -> float:
    """Return the accuracy of an observer that knows the lag and guesses among the pairs that match in all spikes.

    Example:
        >>> ceiling(n_pairs=2, duration_ms=2, n_spikes=1)  # the other pair matches half of the time
        0.75
    """
    q = 1.0 / math.comb(duration_ms, n_spikes)
    return -math.expm1(n_pairs * math.log1p(-q)) / (n_pairs * q) if q < 1.0 else 1.0 / n_pairs


def describe(**given: Any) -> Description:
    """Describe the task with these options of `LagOptions`."""
    options = check_options(LagOptions, given, name="lag")
    _check(options)
    known = ceiling(n_pairs=options.n_pairs, duration_ms=options.duration_ms, n_spikes=options.n_spikes)
    return Description(
        title=f"Lag of {options.lag_ms} ms",
        n_channels=2 * options.n_pairs,
        class_names=tuple(f"pair {pair + 1}" for pair in range(options.n_pairs)),
        floors=(Bound(1.0 / options.n_pairs, "counts and single neurons are the same in all classes"),),
        ceiling=Bound(known, "the lag is known, and spikes of the pair of the class all match"),
    )


@register_task(
    "lag",
    options=LagParts,
    describe=describe,
    summary="In which pair does one neuron repeat the other after a fixed time?",
)
def splits(*, seed: int, **given: Any) -> Splits:
    """Generate three independent parts by `make`, with these options of `LagParts`.

    Example:
        >>> [len(part) for part in splits(n_train=8, n_validation=4, n_test=2, seed=0)]
        [8, 4, 2]
    """
    return three_parts(make, check_options(LagParts, given, name="lag"), seed, _SALT)


def _check(options: LagOptions) -> None:
    if options.n_spikes > options.duration_ms:
        expected = f"at most {options.duration_ms}, one in each millisecond of the recording"
        raise SpikingGammaError("n_spikes", options.n_spikes, expected)
    if options.lag_ms >= options.duration_ms:
        raise SpikingGammaError("lag_ms", options.lag_ms, f"less than the duration, {options.duration_ms} ms")
