"""What the tasks of pairs of spikes share: a plane of rates and intervals, cut by an oblique line, and where pairs may be.

A recording is a point (x, y), uniform in the square [-10, 10]² without the points closer than 2.5 to the line y = -x/2.
Above the line is class 0, below it class 1. The square is symmetric about its centre, so the classes are equally large, and
a point of one class, reflected in the centre, is a point of the other.

    pair rate  r = nearest of 30 even levels of [lowest, highest] to  lowest + (highest - lowest) (x + 10) / 20
    interval   δ = nearest whole ms                               to  1 + (max - 1) (y + 10) / 20
    pairs      n = round(r duration), the same in every neuron

What each half of this tells follows exactly: a class fills of every cell of the (r, δ) grid an area that is known in closed
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
from spikinggamma.events import Recording
from spikinggamma.tasks.description import Bound, Description
from spikinggamma.tasks.drawing import balanced_labels, recordings_of

__all__ = [
    "PACKING",
    "RATES_HZ",
    "ceiling",
    "check_plane",
    "described",
    "draw_points",
    "floor",
    "furthest_apart",
    "intervals_alone",
    "pair_counts",
    "pair_recordings",
    "separate_starts",
]

RATES_HZ = (0.1, 3.0)
# Share of the duration that forbidden zones may fill. Placing at random jams at 0.7476 (Rényi's parking constant); the
# densest setting of the paper, 30 pairs with zones of 201 ms in 10 100 ms, fills 0.597.
PACKING = 0.65
_N_RATES = 30
_HALF = 10.0
_BAND = 2.5 * np.sqrt(1.25)  # distance 2.5 from a line of slope -1/2, measured along y


def floor(*, duration_ms: int = 10_000, rates_hz: Sequence[float] = RATES_HZ, max_interval_ms: int = 100) -> float:
    """Accuracy of the best guess from spike counts."""
    return float(_table(duration_ms, rates_hz, max_interval_ms).sum(2).max(0).sum())


def intervals_alone(
    *, duration_ms: int = 10_000, rates_hz: Sequence[float] = RATES_HZ, max_interval_ms: int = 100
) -> float:
    """Accuracy of the best guess from the interval, blind to how many pairs there are."""
    return float(_table(duration_ms, rates_hz, max_interval_ms).sum(1).max(0).sum())


def ceiling(*, duration_ms: int = 10_000, rates_hz: Sequence[float] = RATES_HZ, max_interval_ms: int = 100) -> float:
    """Accuracy of the best guess from counts and interval; nothing else depends on the class."""
    return float(_table(duration_ms, rates_hz, max_interval_ms).max(0).sum())


def described(
    title: str, n_channels: int, duration_ms: int, rates_hz: Sequence[float], max_interval_ms: int
) -> Description:
    """What a task on this plane says of itself."""
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
    """Refuse what is no plane, or leaves a neuron without a pair.

    Raises:
        SpikingGammaError: Names the option.
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
    """Pairs of a neuron at each of the 30 levels of the rate; halves are rounded to even."""
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
    """Pairs of every neuron, and the interval in ms, of a random recording of each label."""
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


def pair_recordings(
    rng: np.random.Generator,
    n_samples: int,
    channels: tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]],
    *,
    duration_ms: int,
    rates_hz: Sequence[float],
    max_interval_ms: int,
    source: str,
) -> list[Recording]:
    """Recordings of both classes: pairs (t, t + δ), each train of pairs with starts of its own, 2δ apart where that fits.

    `channels` are those of the first and of the second spike of each train's pairs.
    """
    labels = balanced_labels(rng, n_samples, 2)
    n_pairs, intervals_ms = draw_points(rng, labels, duration_ms, rates_hz, max_interval_ms)
    n_trains = len(channels[0])
    pairs, gaps = np.repeat(n_pairs, n_trains), np.repeat(intervals_ms, n_trains)
    apart = np.minimum(2 * gaps, furthest_apart(pairs, gaps, duration_ms))
    starts = separate_starts(rng, pairs, duration_ms - gaps, apart)
    rows, columns = np.nonzero(np.arange(starts.shape[1]) < pairs[:, None])
    first = starts[rows, columns]
    return recordings_of(
        np.tile(rows // n_trains, 2),
        np.concatenate([first, first + gaps[rows]]),
        np.concatenate([spiking[rows % n_trains] for spiking in channels]),
        labels=labels,
        n_channels=int(max(spiking.max() for spiking in channels)) + 1,
        duration_ms=duration_ms,
        source=source,
    )


def furthest_apart(
    n_starts: Int[np.ndarray, "*R"], intervals_ms: Int[np.ndarray, "*R"], duration_ms: int
) -> Int[np.ndarray, "*R"]:
    """The largest d at which n starts, more than d apart, fill at most the share PACKING of the time that starts may have.

    n (d + 1) <= PACKING (duration - δ + d), where zones may stick out at the ends. Negative: not even side by side.
    """
    room = PACKING * (duration_ms - intervals_ms)
    return np.asarray(np.floor((room - n_starts) / (n_starts - PACKING)), dtype=np.int64)


def separate_starts(
    rng: np.random.Generator,
    n_starts: Int[np.ndarray, " R"],
    places: Int[np.ndarray, " R"],
    apart: Int[np.ndarray, " R"],
) -> Int[np.ndarray, "R n"]:
    """In each row r, `n_starts[r]` of the numbers from 0 to `places[r]` - 1, more than `apart[r]` from one another.

    They are placed one after the other, each uniformly on what is still free. That is the distribution of drawing a place
    anew until it is free; but no number of attempts is needed, as free places are counted. Where none is left, the row
    starts afresh.

    Returns:
        Starts in ascending order; a row's columns beyond its `n_starts` mean nothing.
    """
    n_most = int(n_starts.max(initial=0))
    order = np.argsort(-n_starts, kind="stable")
    n, size, gap = n_starts[order], places[order][:, None], apart[order][:, None]
    starts = np.zeros((len(n), n_most), dtype=np.int64)
    jammed = np.zeros(len(n), dtype=bool)
    for k in range(n_most):
        rows = int(np.searchsorted(-n, -k))  # those that want more than k come first
        placed = starts[:rows, :k]
        first = np.concatenate([np.zeros((rows, 1), np.int64), placed + gap[:rows] + 1], axis=1)
        beyond = np.concatenate([placed - gap[:rows], size[:rows]], axis=1)
        free = np.cumsum(np.maximum(beyond - first, 0), axis=1)
        jammed[:rows] |= free[:, -1] == 0
        pick = rng.integers(0, np.maximum(free[:, -1], 1))[:, None]
        hole = (free <= pick).sum(axis=1, keepdims=True).clip(max=k)
        end = np.take_along_axis(beyond, hole, axis=1)
        starts[:rows, k] = (end - (np.take_along_axis(free, hole, axis=1) - pick))[:, 0]
        starts[:rows, : k + 1].sort(axis=1)
    back = np.argsort(order)
    starts, jammed = starts[back], jammed[back]
    if jammed.any():
        again = separate_starts(rng, n_starts[jammed], places[jammed], apart[jammed])
        starts[jammed, : again.shape[1]] = again
    return starts


def _table(
    duration_ms: int, rates_hz: Sequence[float], max_interval_ms: int
) -> Float[np.ndarray, "2 counts intervals"]:
    """Probability of class, count and interval; levels of the rate that round to one count are summed."""
    check_plane(duration_ms, rates_hz, max_interval_ms)
    counts, place = np.unique(pair_counts(duration_ms, rates_hz), return_inverse=True)
    table = np.zeros((2, len(counts), max_interval_ms))
    for level, cells in zip(place, _areas(max_interval_ms).swapaxes(0, 1), strict=True):
        table[:, level] += cells
    return table


def _areas(max_interval_ms: int) -> Float[np.ndarray, "2 30 intervals"]:
    """Share of the plane that each class fills in each cell of the grid of rates and intervals.

    The part of class 0 that lies left of x and below Y has area ∫ max(0, Y + x/2 - h) dx = max(0, Y + x/2 - h)², up to terms
    in x or Y alone; a cell is the second difference of that over its corners.
    """
    x, y = _edges(_N_RATES), _edges(max_interval_ms)
    above = np.maximum(0.0, y + x[:, None] / 2 - _BAND) ** 2
    cells = np.diff(np.diff(above, axis=0), axis=1)
    areas = np.stack([cells, cells[::-1, ::-1]])
    return np.asarray(areas / areas.sum())


def _edges(n_levels: int) -> Float[np.ndarray, " E"]:
    """Borders of what is nearest to each of `n_levels` levels, the outermost of which lie on the border of the square."""
    inner = (np.arange(1, n_levels) - 0.5) / (n_levels - 1)
    return 2 * _HALF * np.concatenate([[0.0], inner, [1.0]]) - _HALF
