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

from collections.abc import Sequence
from typing import Any

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.tasks.description import Description
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

__all__ = ["RATES_HZ", "ceiling", "describe", "floor", "intervals_alone", "make", "splits"]

_PLACINGS = ("apart", "anywhere")
_SALT = 0xCC151


def make(
    *,
    n_samples: int,
    seed: int,
    n_channels: int = 20,
    duration_ms: int = 10_000,
    rates_hz: Sequence[float] = RATES_HZ,
    max_interval_ms: int = 100,
    placing: str = "apart",
) -> list[Recording]:
    """Generate recordings with both classes equally often (to within one), in random order; times are whole milliseconds.

    Args:
        n_samples: Number of recordings.
        seed: Seed of all random numbers.
        n_channels: Number of neurons, an even one; neurons a have even numbers, their partners b odd ones.
        duration_ms: Length of a recording, whole ms. A shorter one needs higher rates.
        rates_hz: Lowest and highest rate; there are 30 levels.
        max_interval_ms: Longest interval, whole ms; the shortest is 1 ms. The paper varies it from 50 to 500 ms.
        placing: "apart" separates the pairs as above, "anywhere" does not.

    Raises:
        SpikingGammaError: The rates give a neuron no spike, or more than the duration holds.

    Example:
        >>> one = make(n_samples=1, seed=0, max_interval_ms=500)[0]
        >>> one.n_channels, one.n_events % 20
        (20, 0)
    """
    check_draw(n_samples, seed)
    _check(n_channels, duration_ms, rates_hz, max_interval_ms, placing)
    rng = np.random.default_rng([seed, _SALT])
    senders = np.arange(0, n_channels, 2)
    return pair_recordings(
        rng,
        n_samples,
        (senders, senders + 1),
        duration_ms=duration_ms,
        rates_hz=rates_hz,
        max_interval_ms=max_interval_ms,
        anywhere=placing == "anywhere",
        source=f"polychrony {seed}",
    )


def splits(*, n_train: int = 2160, n_validation: int = 540, n_test: int = 540, seed: int, **options: Any) -> Splits:
    """Generate three independent parts by `make`, as large as the paper's 60, 15 and 15 % of 3600; `options` go to `make`.

    Example:
        >>> [len(part) for part in splits(n_train=8, n_validation=4, n_test=2, seed=0)]
        [8, 4, 2]
    """
    return three_parts(make, (n_train, n_validation, n_test), seed, _SALT, options)


def describe(
    *,
    n_channels: int,
    duration_ms: int,
    rates_hz: Sequence[float],
    max_interval_ms: int,
    placing: str = "apart",
) -> Description:
    """Describe the task with these options of `make`."""
    _check(n_channels, duration_ms, rates_hz, max_interval_ms, placing)
    title = "Polychrony" if placing == "apart" else "Polychrony, pairs anywhere"
    return described(title, n_channels, duration_ms, rates_hz, max_interval_ms)


def _check(n_channels: int, duration_ms: int, rates_hz: Sequence[float], max_interval_ms: int, placing: str) -> None:
    if n_channels < 2 or n_channels % 2:
        raise SpikingGammaError("n_channels", n_channels, "an even number, two for each pair of neurons")
    check_plane(duration_ms, rates_hz, max_interval_ms)
    if placing not in _PLACINGS:
        raise SpikingGammaError("placing", repr(placing), " or ".join(_PLACINGS))
    most = int(pair_counts(duration_ms, rates_hz)[-1])
    if placing == "anywhere":
        if most > duration_ms:
            raise SpikingGammaError(
                "rates_hz", tuple(rates_hz), f"at most {duration_ms} spikes, one in each millisecond"
            )
    elif furthest_apart(np.array(most), np.array(max_interval_ms), duration_ms) < 0:
        expected = (
            f"fewer than {most} spikes, more than {duration_ms} ms hold beside an interval of {max_interval_ms} ms"
        )
        raise SpikingGammaError("rates_hz", tuple(rates_hz), expected, "Lower the highest rate or `max_interval_ms`.")
