"""Polychrony task: how long after one neuron does another one spike, and how often?

Neurons come in pairs (a, b) of neighbouring channels. Neuron a spikes at n times t, neuron b at t + δ, with the same n and δ
in all pairs, at times of their own. Long intervals and many spikes are one class, short and few the other;
`interval_rate_plane` defines them, with the information in counts and intervals.

Starts t are drawn one after the other, uniformly from 0 to duration - δ; one within d of an earlier start of its pair is drawn
again.

    d = min(2δ, (0.65 (duration - δ) - n) / (n - 0.65))

The first of these is the paper's rule, and all there is at its settings up to 100 ms. At longer intervals n pairs, each alone
for 2δ on both sides, do not fit into the duration: ten seconds hold some seven of 500 ms, where up to 30 are needed. The
published generator drops the pairs that it cannot place, and counts then depend on the interval. The second makes room for n
in any case; spikes of different pairs may then interleave. Counts stay exact, and depend on δ only through the plane.

Even where pairs interleave, δ is the time from the first spike of a to the first spike of b, so `ceiling` assumes that it is
known.

**Other cues than polychrony reveal δ too.** The paper's rule keeps the spikes of one neuron more than 2δ apart, so that the
smallest gap within neurons, over all of them, is close to 2δ where there are many spikes: an observer that takes half of it
for δ and counts spikes is right in more than 90 % of recordings without comparing two neurons. Also, b is silent for the
first δ, and a for the last. So a net above `floor` has used timing, but not necessarily that between a and b. There are two
controls: move all spikes of each neuron together (`events.perturb.jitter_channels`), or place pairs anywhere:

    placing = "anywhere"    starts are any n different milliseconds; b spikes at t + δ modulo the duration

Then the times of any single neuron are n places drawn uniformly, independent of δ, and only a comparison of neurons can beat
`floor`. This option is this library's, not the paper's.

    counts      n in every neuron: floor() = 67.3 %
    intervals   intervals_alone() = 96.6 %
    both        ceiling() = 100 %

Source: "Beyond Rate Coding" (arXiv 2507.16043), there also CCISI, cross-channel inter-spike intervals.
"""

from __future__ import annotations

from typing import Any, Literal

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
    "PolychronyOptions",
    "PolychronyParts",
    "ceiling",
    "describe",
    "floor",
    "intervals_alone",
    "make",
    "splits",
]

_SALT = 0xCC151


class PolychronyOptions(Options):
    """Options of the recordings of this task."""

    n_channels: int = Field(
        default=20, ge=2, description="neurons, a at even, their partners b at odd places; an even number"
    )
    duration_ms: int = Field(
        default=10_000, ge=2, description="length of a recording, whole [ms]; a shorter one needs higher rates"
    )
    rates_hz: tuple[float, ...] = Field(
        default=RATES_HZ, description="lowest and highest rate of pairs; there are 30 levels [Hz]"
    )
    max_interval_ms: int = Field(default=100, ge=2, description="longest interval, whole [ms]; the shortest is 1 ms")
    placing: Literal["apart", "anywhere"] = Field(
        default="apart", description="where pairs are: as far apart as the paper has them, or anywhere"
    )


class PolychronyParts(PolychronyOptions, Parts):
    """Options of the recordings, and the sizes of the parts, which are the paper's 60, 15 and 15 % of 3600."""

    n_train: int = part_size(2160, "training")
    n_validation: int = part_size(540, "validation")
    n_test: int = part_size(540, "test")


def make(*, n_samples: int, seed: int, **given: Any) -> list[Recording]:
    """Generate recordings with both classes equally often (to within one), in random order; all times are whole milliseconds.

    Args:
        n_samples: Number of recordings.
        seed: Seed of all random numbers.
        **given: Options of `PolychronyOptions`.

    Raises:
        SpikingGammaError: The rates give a neuron no spike, or more than the duration holds.

    Example:
        >>> one = make(n_samples=1, seed=0, max_interval_ms=500)[0]
        >>> one.n_channels, one.n_events % 20
        (20, 0)
    """
    check_draw(n_samples, seed)
    options = check_options(PolychronyOptions, given, name="polychrony")
    _check(options)
    rng = np.random.default_rng([seed, _SALT])
    senders = np.arange(0, options.n_channels, 2)
    return pair_recordings(
        rng,
        n_samples,
        (senders, senders + 1),
        duration_ms=options.duration_ms,
        rates_hz=options.rates_hz,
        max_interval_ms=options.max_interval_ms,
        anywhere=options.placing == "anywhere",
        source=f"polychrony {seed}",
    )


def describe(**given: Any) -> Description:
    """Describe the task with these options of `PolychronyOptions`."""
    options = check_options(PolychronyOptions, given, name="polychrony")
    _check(options)
    title = "Polychrony" if options.placing == "apart" else "Polychrony, pairs anywhere"
    return described(title, options.n_channels, options.duration_ms, options.rates_hz, options.max_interval_ms)


@register_task(
    "polychrony",
    options=PolychronyParts,
    describe=describe,
    summary="How long after one neuron does another spike, and how often?",
    citations=(BEYOND_RATE,),
)
def splits(*, seed: int, **given: Any) -> Splits:
    """Generate three independent parts by `make`, with these options of `PolychronyParts`.

    Example:
        >>> [len(part) for part in splits(n_train=8, n_validation=4, n_test=2, seed=0)]
        [8, 4, 2]
    """
    return three_parts(make, check_options(PolychronyParts, given, name="polychrony"), seed, _SALT)


def _check(options: PolychronyOptions) -> None:
    duration_ms, rates_hz, max_interval_ms = options.duration_ms, options.rates_hz, options.max_interval_ms
    if options.n_channels % 2:
        raise SpikingGammaError("n_channels", options.n_channels, "an even number, two for each pair of neurons")
    check_plane(duration_ms, rates_hz, max_interval_ms)
    most = int(pair_counts(duration_ms, rates_hz)[-1])
    if options.placing == "anywhere":
        if most > duration_ms:
            raise SpikingGammaError(
                "rates_hz", tuple(rates_hz), f"at most {duration_ms} spikes, one in each millisecond"
            )
    elif furthest_apart(np.array(most), np.array(max_interval_ms), duration_ms) < 0:
        expected = (
            f"fewer than {most} spikes, more than {duration_ms} ms hold beside an interval of {max_interval_ms} ms"
        )
        raise SpikingGammaError("rates_hz", tuple(rates_hz), expected, "Lower the highest rate or `max_interval_ms`.")
