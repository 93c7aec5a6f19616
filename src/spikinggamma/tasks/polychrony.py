"""Polychrony: how long after one neuron does another spike, and how often?

Neurons come in pairs (a, b) of neighbouring channels. a spikes at n times t, b at t + δ, the same n and δ in all pairs of
neurons, at times of their own. Long intervals and many spikes are one class, short and few the other;
`interval_rate_plane` says how, and what counts or intervals tell of it.

Starts t are drawn one after the other, uniformly from 0 to duration - δ; one within d of an earlier start of its pair is drawn
again.

    d = min(2δ, (0.65 (duration - δ) - n) / (n - 0.65))

The first of these is the paper's rule, and all there is at its settings up to 100 ms. At longer intervals n pairs, each alone
for 2δ on both sides, do not fit into the duration: ten seconds hold some seven of 500 ms, where up to 30 are asked for. The
published generator drops what it cannot place, and counts then tell of the interval. The second makes room for n in any
case; spikes of different pairs may then interleave. Counts stay exact, and tell of δ what the plane says, no more.

Whatever interleaves, δ is how much later the first spike of b is than the first of a, so that `ceiling` is that of knowing
it.

**Polychrony is not the only way to know it.** The paper's rule keeps the spikes of one neuron more than 2δ apart, so that the
smallest gap within neurons, looked for in all of them, is close to 2δ where there are many spikes: who takes half of it for δ
and counts spikes is right in more than 90 % of recordings without comparing two neurons. And b is silent for the first δ, a
for the last. So a net above `floor` has used timing, but not surely that between a and b. Two controls: move all spikes of
each neuron together (`events.perturb.jitter_channels`), or let pairs be anywhere:

    placing = "anywhere"    starts are any n different milliseconds; b spikes at t + δ modulo the duration

Then the times of one neuron, whichever, are n places drawn evenly from all, whatever δ is: only who compares neurons can beat
`floor`. That is ours, not the paper's.

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
    """Recordings with both classes equally often (to within one), in random order; all times are whole milliseconds.

    Args:
        n_samples: How many.
        seed: Of everything random.
        n_channels: Neurons a at even, their partners b at odd places; an even number.
        duration_ms: Length of a recording, whole ms. A shorter one needs higher rates.
        rates_hz: Lowest and highest rate; there are 30 levels.
        max_interval_ms: Longest interval, whole ms; the shortest is 1 ms. The paper varies it from 50 to 500 ms.
        placing: Where pairs are: as far apart as above, or anywhere.

    Raises:
        SpikingGammaError: Rates that give a neuron no spike, or more than the duration holds.

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
    """Three independent draws of `make`, which takes the other options; as large as the paper's 60, 15 and 15 % of 3600.

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
    """What the task is with these options of `make`."""
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
