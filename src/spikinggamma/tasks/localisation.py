"""Sound localisation task after the barn owl: find the direction of a sound from the delay between the two ears.

A random pattern of clicks reaches both ears, the right one `lag` later than the left (earlier where the lag is
negative). The class is the lag, one of nine, 8 ms apart.

    left  = (pattern - lag/2) mod duration
    right = (pattern + lag/2) mod duration

What cannot determine the lag, and why:

- Counts. Every channel has exactly `n_clicks` spikes in every recording, so a classifier of counts is at chance, 1/9:
  `floor()`.
- One ear. Patterns are drawn evenly on a circle as long as the recording, and a rotated circle is drawn just as often;
  so the spikes of one ear have the same distribution at every lag. There is no silent edge that would move with it.
- Simultaneity. A net without memory sees only the spikes of one step. Lag 0 puts equal spikes into equal steps and
  can be recognised; at every other lag, simultaneous spikes of both ears come from different clicks. Those of different
  channels are independent, and those of one channel are as often 8 ms apart as 16, 24 or 32: the pair correlation of
  five clicks with a dead time of 2 ms is constant beyond 8 ms, and within 0.03 % of that from 4 ms. So it can recognise
  lag 0 and guess among the other eight: 1/9 * 1 + 8/9 * 1/8 = 2/9: `memoryless_bound()`. This holds for steps up to
  half the distance of the lags, 4 ms.

What can determine it: without jitter, exactly one lag maps every spike of the left ear onto one of the right, so `ceiling()`
is 1.

After the delay lines of Jeffress (1948), J. Comp. Physiol. Psychol. 41, 35, with an owl's microseconds stretched to
milliseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spikinggamma.bibliography import LOCALISATION
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.option_words import check_options
from spikinggamma.options import Options
from spikinggamma.tasks.drawing import balanced_labels, check_draw, three_parts
from spikinggamma.tasks.registry import Bound, Description, Parts, register_task

__all__ = [
    "LAGS_MS",
    "LocalisationOptions",
    "LocalisationParts",
    "ceiling",
    "describe",
    "floor",
    "make",
    "memoryless_bound",
    "splits",
]

LAGS_MS = (-32.0, -24.0, -16.0, -8.0, 0.0, 8.0, 16.0, 24.0, 32.0)
_DEAD_US = 2000
_SALT = 0x0E1


class LocalisationOptions(Options):
    """Options of the recordings of this task."""

    n_channels: int = Field(default=16, ge=2, description="channels of both ears together, the left ear's first")
    n_clicks: int = Field(default=5, ge=1, description="spikes of every channel")
    duration_ms: float = Field(default=240.0, gt=0.0, description="length of a recording [ms]")
    lags_ms: tuple[float, ...] = Field(default=LAGS_MS, description="classes, in ascending order of label [ms]")
    jitter_ms: float = Field(
        default=0.0,
        ge=0.0,
        description="standard deviation by which every spike moves on its own [ms]; above 0, no ceiling is known",
    )


class LocalisationParts(LocalisationOptions, Parts):
    """Options of the recordings, and the sizes of the parts."""


def make(*, n_samples: int, seed: int, **given: Any) -> list[Recording]:
    """Generate recordings with every lag equally often (to within one), in random order.

    Args:
        n_samples: Number of recordings.
        seed: Seed of all random numbers.
        **given: Options of `LocalisationOptions`.

    Raises:
        SpikingGammaError: The number of channels is odd, or the duration is too short for the lags or the clicks.

    Example:
        >>> make(n_samples=3, seed=0)[0].n_events
        80
    """
    check_draw(n_samples, seed)
    options = check_options(LocalisationOptions, given, name="localisation")
    n_channels, n_clicks, lags_ms, jitter_ms = options.n_channels, options.n_clicks, options.lags_ms, options.jitter_ms
    duration_us = _check(options)
    rng = np.random.default_rng([seed, _SALT])
    labels = balanced_labels(rng, n_samples, len(lags_ms))
    pattern = _patterns(rng, (n_samples, n_channels // 2, n_clicks), duration_us)
    # The left ear takes the rounded half, so that the two always differ by the lag in whole microseconds.
    lags_us = np.rint(np.array(lags_ms) * 1000.0).astype(np.int64)[labels][:, None, None]
    earlier = lags_us // 2
    times = np.concatenate([pattern - earlier, pattern + (lags_us - earlier)], axis=1)
    if jitter_ms:
        times = times + np.rint(rng.normal(0.0, jitter_ms * 1000.0, size=times.shape)).astype(np.int64)
    times = (times % duration_us).reshape(n_samples, -1)
    channels = np.broadcast_to(np.repeat(np.arange(n_channels, dtype=np.int32), n_clicks), times.shape)
    order = np.argsort(times, axis=1, kind="stable")
    times, channels = np.take_along_axis(times, order, axis=1), np.take_along_axis(channels, order, axis=1)
    return [
        Recording(times[i], channels[i], n_channels, duration_us, int(labels[i]), source=f"localisation {seed}/{i}")
        for i in range(n_samples)
    ]


def describe(**given: Any) -> Description:
    """Describe the task with these options of `LocalisationOptions`."""
    options = check_options(LocalisationOptions, given, name="localisation")
    _check(options)
    lags_ms = options.lags_ms
    return Description(
        "Barn-owl localisation",
        options.n_channels,
        tuple(f"{lag:+g} ms" for lag in lags_ms),
        (
            Bound(floor(len(lags_ms)), "chance, and all that spike counts or one ear can tell"),
            Bound(memoryless_bound(len(lags_ms)), "the most that a net without memory or delays can reach"),
        ),
        None if options.jitter_ms else Bound(ceiling(), "every recording names its lag"),
    )


@register_task(
    "localisation",
    options=LocalisationParts,
    describe=describe,
    summary="From which side, and how far, does a sound come, told by the delay between two ears?",
    citations=(LOCALISATION,),
)
def splits(*, seed: int, **given: Any) -> Splits:
    """Generate three independent parts by `make`, with these options of `LocalisationParts`.

    Example:
        >>> [len(part) for part in splits(n_train=8, n_validation=4, n_test=2, seed=0)]
        [8, 4, 2]
    """
    return three_parts(make, check_options(LocalisationParts, given, name="localisation"), seed, _SALT)


def floor(n_lags: int = len(LAGS_MS)) -> float:
    """Return the accuracy of any observer of counts only, or of one ear only, which is chance."""
    return 1.0 / n_lags


def memoryless_bound(n_lags: int = len(LAGS_MS)) -> float:
    """Return the upper bound of the accuracy of an observer without memory, which can only recognise lag 0."""
    return 2.0 / n_lags


def ceiling() -> float:
    """Return the accuracy that can be reached without jitter, where every recording determines its lag."""
    return 1.0


def _patterns(
    rng: np.random.Generator, shape: tuple[int, int, int], duration_us: int
) -> Int[np.ndarray, "samples channels clicks"]:
    """Draw times of clicks uniformly over all patterns on a circle with at least the dead time between clicks."""
    free = duration_us - shape[-1] * _DEAD_US
    spaced = np.sort(rng.integers(0, free, size=shape), axis=-1) + np.arange(shape[-1]) * _DEAD_US
    return np.asarray(spaced + rng.integers(0, duration_us, size=(*shape[:-1], 1)))


def _check(options: LocalisationOptions) -> int:
    """Check the options, and return the length of a recording in microseconds."""
    n_channels, n_clicks = options.n_channels, options.n_clicks
    duration_ms, lags_ms = options.duration_ms, options.lags_ms
    if n_channels % 2:
        raise SpikingGammaError("n_channels", n_channels, "an even number, half of it for each ear")
    duration_us = round(duration_ms * 1000.0)
    if 2 * n_clicks * _DEAD_US > duration_us:
        raise SpikingGammaError(
            "n_clicks", n_clicks, f"1 to {duration_us // (2 * _DEAD_US)} clicks in {duration_ms} ms"
        )
    if len(set(lags_ms)) < 2 or len(set(lags_ms)) != len(lags_ms):
        raise SpikingGammaError("lags_ms", tuple(lags_ms), "at least two different finite lags")
    if max(lags_ms) - min(lags_ms) >= duration_ms:
        raise SpikingGammaError("lags_ms", tuple(lags_ms), f"lags within {duration_ms} ms of one another, the duration")
    return duration_us
