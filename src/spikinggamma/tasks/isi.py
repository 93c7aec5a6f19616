"""Inter-spike interval task: how long after one spike does the next one follow, and how often?

Every neuron sends n pairs of spikes (t, t + δ), with the same n and δ in all neurons, at its own times. Long intervals and
many pairs are one class, short and few the other; `interval_rate_plane` defines them, with the information in counts and
intervals.

Starts t are drawn one after the other, uniformly from 0 to duration - δ; one within 2δ of an earlier start of its neuron is
drawn again. So pairs are never closer to each other than their own interval, and δ is the shortest interval of every neuron:
it can always be determined, and `ceiling` assumes that it is known.

    counts      2n in every neuron: floor() = 67.3 %
    intervals   intervals_alone() = 96.6 %
    both        ceiling() = 100 %

The published generator gives up on a pair after 500 attempts, which would leave counts that depend on δ. Here the neuron is
drawn again once no place is left, and counts are exact; in the paper's densest setting (30 pairs of 100 ms) this never
happened in 20 000 trains.

A net that is trained and tested on re-placed spikes (`events.perturb.replace` with fraction 1) keeps counts and loses the
rest, so `floor` is its bound; the 60.7 % reported there are what a net had learnt.

Source: "Beyond Rate Coding" (arXiv 2507.16043).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from spikinggamma.bibliography import BEYOND_RATE
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.option_words import check_options
from spikinggamma.options import Options
from spikinggamma.tasks.drawing import check_draw, three_parts
from spikinggamma.tasks.interval_rate_plane import (
    RATES_HZ,
    ceiling,
    check_plane,
    described,
    floor,
    intervals_alone,
    pair_counts,
)
from spikinggamma.tasks.pair_placing import furthest_apart, pair_recordings
from spikinggamma.tasks.registry import Description, Parts, part_size, register_task

__all__ = [
    "RATES_HZ",
    "ISIOptions",
    "ISIParts",
    "ceiling",
    "describe",
    "floor",
    "intervals_alone",
    "make",
    "splits",
]

_SALT = 0x151


class ISIOptions(Options):
    """Options of the recordings of this task."""

    n_channels: int = Field(default=10, ge=1, description="neurons")
    duration_ms: int = Field(
        default=10_000, ge=2, description="length of a recording, whole [ms]; a shorter one needs higher rates"
    )
    rates_hz: tuple[float, ...] = Field(
        default=RATES_HZ, description="lowest and highest rate of pairs; there are 30 levels [Hz]"
    )
    max_interval_ms: int = Field(default=100, ge=2, description="longest interval, whole [ms]; the shortest is 1 ms")


class ISIParts(ISIOptions, Parts):
    """Options of the recordings, and the sizes of the parts, which are the paper's 60, 15 and 15 % of 3600."""

    n_train: int = part_size(2160, "training")
    n_validation: int = part_size(540, "validation")
    n_test: int = part_size(540, "test")


def make(*, n_samples: int, seed: int, **given: Any) -> list[Recording]:
    """Generate recordings with both classes equally often (to within one), in random order; all times are whole milliseconds.

    Args:
        n_samples: Number of recordings.
        seed: Seed of all random numbers.
        **given: Options of `ISIOptions`.

    Raises:
        SpikingGammaError: The rates give a neuron no pair, or more than the duration holds at the longest interval.

    Example:
        >>> one = make(n_samples=1, seed=0, duration_ms=1000, rates_hz=(1.0, 30.0), max_interval_ms=10)[0]
        >>> one.n_channels, one.n_events % 20
        (10, 0)
    """
    check_draw(n_samples, seed)
    options = check_options(ISIOptions, given, name="isi")
    _check(options)
    rng = np.random.default_rng([seed, _SALT])
    neurons = np.arange(options.n_channels)
    return pair_recordings(
        rng,
        n_samples,
        (neurons, neurons),
        duration_ms=options.duration_ms,
        rates_hz=options.rates_hz,
        max_interval_ms=options.max_interval_ms,
        source=f"isi {seed}",
    )


def describe(**given: Any) -> Description:
    """Describe the task with these options of `ISIOptions`."""
    options = check_options(ISIOptions, given, name="isi")
    _check(options)
    title = "Inter-spike intervals"
    return described(title, options.n_channels, options.duration_ms, options.rates_hz, options.max_interval_ms)


@register_task(
    "isi",
    options=ISIParts,
    describe=describe,
    summary="How long after one spike comes the next, and how often?",
    citations=(BEYOND_RATE,),
)
def splits(*, seed: int, **given: Any) -> Splits:
    """Generate three independent parts by `make`, with these options of `ISIParts`.

    Example:
        >>> [len(part) for part in splits(n_train=8, n_validation=4, n_test=2, seed=0)]
        [8, 4, 2]
    """
    return three_parts(make, check_options(ISIParts, given, name="isi"), seed, _SALT)


def _check(options: ISIOptions) -> None:
    duration_ms, rates_hz, max_interval_ms = options.duration_ms, options.rates_hz, options.max_interval_ms
    check_plane(duration_ms, rates_hz, max_interval_ms)
    most = int(pair_counts(duration_ms, rates_hz)[-1])
    if furthest_apart(np.array(most), np.array(max_interval_ms), duration_ms) < 2 * max_interval_ms:
        raise SpikingGammaError(
            "rates_hz",
            tuple(rates_hz),
            f"fewer than {most} pairs, as {duration_ms} ms cannot hold so many of {max_interval_ms} ms apart from one another",
            "Lower the highest rate or `max_interval_ms`.",
        )
