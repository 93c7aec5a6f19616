"""Placement of pairs of spikes: recordings for points on the plane of rates and intervals, with separated pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from spikinggamma.events import Recording
from spikinggamma.tasks.drawing import balanced_labels, recordings_of
from spikinggamma.tasks.interval_rate_plane import draw_points

__all__ = ["PACKING", "furthest_apart", "pair_recordings", "separate_starts"]

# Share of the duration that forbidden zones may fill. Placing at random jams at 0.7476 (Rényi's parking constant); the
# densest setting of the paper, 30 pairs with zones of 201 ms in 10 100 ms, fills 0.597.
PACKING = 0.65


def pair_recordings(
    rng: np.random.Generator,
    n_samples: int,
    channels: tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]],
    *,
    duration_ms: int,
    rates_hz: Sequence[float],
    max_interval_ms: int,
    source: str,
    anywhere: bool = False,
) -> list[Recording]:
    """Generate recordings of pairs (t, t + δ); each train has its own starts, 2δ apart where that fits.

    `channels` holds the channels of the first and of the second spike of each train's pairs. With `anywhere`, starts are any n
    different milliseconds, and a second spike beyond the end wraps around to the beginning.
    """
    labels = balanced_labels(rng, n_samples, 2)
    n_pairs, intervals_ms = draw_points(rng, labels, duration_ms, rates_hz, max_interval_ms)
    n_trains = len(channels[0])
    pairs, gaps = np.repeat(n_pairs, n_trains), np.repeat(intervals_ms, n_trains)
    if anywhere:
        places, apart = np.full_like(gaps, duration_ms), np.zeros_like(gaps)
    else:
        places, apart = duration_ms - gaps, np.minimum(2 * gaps, furthest_apart(pairs, gaps, duration_ms))
    starts = separate_starts(rng, pairs, places, apart)
    rows, columns = np.nonzero(np.arange(starts.shape[1]) < pairs[:, None])
    first = starts[rows, columns]
    return recordings_of(
        np.tile(rows // n_trains, 2),
        np.concatenate([first, (first + gaps[rows]) % duration_ms]),
        np.concatenate([spiking[rows % n_trains] for spiking in channels]),
        labels=labels,
        n_channels=int(max(spiking.max() for spiking in channels)) + 1,
        duration_ms=duration_ms,
        source=source,
    )


def furthest_apart(
    n_starts: Int[np.ndarray, "*R"], intervals_ms: Int[np.ndarray, "*R"], duration_ms: int
) -> Int[np.ndarray, "*R"]:
    """Return the largest d at which n starts, more than d apart, fill at most the share PACKING of the available time.

    It solves n (d + 1) <= PACKING (duration - δ + d), as zones may extend past the ends. A negative d means that the
    starts do not fit even without gaps.
    """
    room = PACKING * (duration_ms - intervals_ms)
    return np.asarray(np.floor((room - n_starts) / (n_starts - PACKING)), dtype=np.int64)


def separate_starts(
    rng: np.random.Generator,
    n_starts: Int[np.ndarray, " R"],
    places: Int[np.ndarray, " R"],
    apart: Int[np.ndarray, " R"],
) -> Int[np.ndarray, "R n"]:
    """Draw, in each row r, `n_starts[r]` of the numbers from 0 to `places[r]` - 1, more than `apart[r]` from one another.

    They are placed one after the other, each uniformly on the places that are still free. This is the distribution of drawing
    again until a place is free, but without repeated attempts, as free places are counted. Where none is left, the row is
    drawn again from the start.

    Returns:
        Starts in ascending order; a row's columns beyond its `n_starts` mean nothing.
    """
    n_most = int(n_starts.max(initial=0))
    order = np.argsort(-n_starts, kind="stable")
    n, size, gap = n_starts[order], places[order][:, None], apart[order][:, None]
    starts = np.zeros((len(n), n_most), dtype=np.int64)
    jammed = np.zeros(len(n), dtype=bool)
    for k in range(n_most):
        rows = int(np.searchsorted(-n, -k))  # rows with more than k starts come first
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
