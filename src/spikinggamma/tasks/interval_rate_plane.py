"""The plane of rates and intervals that the tasks with pairs of spikes share; an oblique line separates the classes.

A recording is a point (x, y), uniform in the square [-10, 10]² without the points closer than 2.5 to the line y = -x/2.
Above the line is class 0, below it class 1. The square is symmetric about its centre, so the classes are equally large, and
a point of one class, reflected in the centre, is a point of the other.

    pair rate  r = nearest of 30 even levels of [lowest, highest] to  lowest + (highest - lowest) (x + 10) / 20
    interval   δ = nearest whole ms                               to  1 + (max - 1) (y + 10) / 20
    pairs      n = round(r duration), the same in every neuron

The information in n and in δ is known exactly: the area that a class fills of every cell of the (r, δ) grid has a closed
form (`_areas`), and the best guess from n, from δ or from both takes the larger of the two areas in each column, row or
cell. At the settings of the paper:

- n alone (`floor`): 67.3 %. The text has 67.3 %. Over x, the class above is 7.2 + x/2 tall and the one below 7.2 - x/2, so
  the guess is the sign of x: (7.205 + 2.5) / 14.41. Levels change nothing, as x = 0 lies between two of them; options
  that round many rates to one count can.
- δ alone (`intervals_alone`): 96.6 %, as in the text.
- both (`ceiling`): 100 %. The forbidden band is wider than any cell of the grid.

The published generator maps the extremes of each drawn sample to the extreme levels; here those of the square are, so that a
recording does not depend on which others were drawn with it.

Source: "Beyond Rate Coding" (arXiv 2507.16043), synthetic tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.tasks.registry import Bound, Description

__all__ = [
    "RATES_HZ",
    "ceiling",
    "check_plane",
    "described",
    "draw_points",
    "floor",
    "intervals_alone",
    "pair_counts",
]

RATES_HZ = (0.1, 3.0)
_N_RATES = 30
_HALF = 10.0
_BAND = 2.5 * np.sqrt(1.25)  # distance 2.5 from a line of slope -1/2, measured along y


def floor(*, duration_ms: int = 10_000, rates_hz: Sequence[float] = RATES_HZ, max_interval_ms: int = 100) -> float:
    """Return the accuracy of the best guess from spike counts."""
    return float(_table(duration_ms, rates_hz, max_interval_ms).sum(2).max(0).sum())


def intervals_alone(
    *, duration_ms: int = 10_000, rates_hz: Sequence[float] = RATES_HZ, max_interval_ms: int = 100
) -> float:
    """Return the accuracy of the best guess from the interval alone, without the number of pairs."""
    return float(_table(duration_ms, rates_hz, max_interval_ms).sum(1).max(0).sum())


def ceiling(*, duration_ms: int = 10_000, rates_hz: Sequence[float] = RATES_HZ, max_interval_ms: int = 100) -> float:
    """Return the accuracy of the best guess from counts and interval; nothing else depends on the class."""
    return float(_table(duration_ms, rates_hz, max_interval_ms).max(0).sum())


def described(
    title: str, n_channels: int, duration_ms: int, rates_hz: Sequence[float], max_interval_ms: int
) -> Description:
    """Return the description of a task on this plane."""
    table = _table(duration_ms, rates_hz, max_interval_ms)
    counts, intervals, both = (float(t.max(0).sum()) for t in (table.sum(2), table.sum(1), table))
    return Description(
        title,
        n_channels,
        ("above the line", "below the line"),
        (
            Bound(counts, "the best guess from spike counts alone"),
            Bound(intervals, "the best guess from the interval alone, blind to counts"),
        ),
        Bound(both, "the best guess from counts and interval"),
    )


def check_plane(duration_ms: int, rates_hz: Sequence[float], max_interval_ms: int) -> None:
    """Raise an error for options that give no valid plane, or a neuron without a pair.

    Raises:
        SpikingGammaError: An option is out of range; the message names it.
    """
    if duration_ms < 2:
        raise SpikingGammaError("duration_ms", duration_ms, "a whole number of ms, at least 2")
    if not 2 <= max_interval_ms < duration_ms:
        raise SpikingGammaError(
            "max_interval_ms", max_interval_ms, f"a whole number of ms from 2 to {duration_ms - 1}, within the duration"
        )
    if len(rates_hz) != 2 or not np.isfinite(rates_hz).all() or not rates_hz[0] < rates_hz[1]:
        raise SpikingGammaError("rates_hz", tuple(rates_hz), "the lowest and a higher, highest pair rate")
    if pair_counts(duration_ms, rates_hz)[0] < 1:
        expected = f"a lowest rate above {500.0 / duration_ms:g} Hz, one pair or more in {duration_ms} ms"
        raise SpikingGammaError("rates_hz", tuple(rates_hz), expected)


def pair_counts(duration_ms: int, rates_hz: Sequence[float]) -> Int[np.ndarray, " 30"]:
    """Return the number of pairs of a neuron at each of the 30 levels of the rate; halves are rounded to even."""
    rates = np.linspace(rates_hz[0], rates_hz[1], _N_RATES)
    # Multiples of 0.1 Hz are not exact in binary: without the inner rounding, halves would fall to either side.
    return np.rint(np.round(rates * duration_ms / 1000.0, 9)).astype(np.int64)


def draw_points(
    rng: np.random.Generator,
    labels: Int[np.ndarray, " S"],
    duration_ms: int,
    rates_hz: Sequence[float],
    max_interval_ms: int,
) -> tuple[Int[np.ndarray, " S"], Int[np.ndarray, " S"]]:
    """Draw a point for each label; return the number of pairs of every neuron and the interval in ms."""
    points = np.empty((0, 2))
    while len(points) < len(labels):
        more = rng.uniform(-_HALF, _HALF, size=(2 * len(labels), 2))
        points = np.concatenate([points, more[np.abs(more[:, 1] + more[:, 0] / 2) >= _BAND]])
    points = points[: len(labels)]
    below = points[:, 1] < -points[:, 0] / 2
    points = np.where((below == (labels == 1))[:, None], points, -points)
    share = (points + _HALF) / (2 * _HALF)
    levels = np.rint(share[:, 0] * (_N_RATES - 1)).astype(np.int64)
    intervals_ms = 1 + np.rint(share[:, 1] * (max_interval_ms - 1)).astype(np.int64)
    return pair_counts(duration_ms, rates_hz)[levels], intervals_ms


def _table(
    duration_ms: int, rates_hz: Sequence[float], max_interval_ms: int
) -> Float[np.ndarray, "2 counts intervals"]:
    """Return the joint probability of class, count and interval; rate levels that round to one count are summed."""
    check_plane(duration_ms, rates_hz, max_interval_ms)
    counts, place = np.unique(pair_counts(duration_ms, rates_hz), return_inverse=True)
    table = np.zeros((2, len(counts), max_interval_ms))
    for level, cells in zip(place, _areas(max_interval_ms).swapaxes(0, 1), strict=True):
        table[:, level] += cells
    return table


def _areas(max_interval_ms: int) -> Float[np.ndarray, "2 30 intervals"]:
    """Return the share of the plane that each class fills in each cell of the grid of rates and intervals.

    The part of class 0 that lies left of x and below Y has area ∫ max(0, Y + x/2 - h) dx = max(0, Y + x/2 - h)², up to terms
    in x or Y alone; a cell is the second difference of that over its corners.
    """
    x, y = _edges(_N_RATES), _edges(max_interval_ms)
    above = np.maximum(0.0, y + x[:, None] / 2 - _BAND) ** 2
    cells = np.diff(np.diff(above, axis=0), axis=1)
    areas = np.stack([cells, cells[::-1, ::-1]])
    return np.asarray(areas / areas.sum())


def _edges(n_levels: int) -> Float[np.ndarray, " E"]:
    """Return the borders between the nearest-level regions of `n_levels` levels, the outermost of which lie on the border."""
    inner = (np.arange(1, n_levels) - 0.5) / (n_levels - 1)
    return 2 * _HALF * np.concatenate([[0.0], inner, [1.0]]) - _HALF
