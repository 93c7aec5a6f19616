"""The batches of an epoch by their size, a few of them to be measured, and the time of all from the time of those few."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import EpochBatches, Recording

__all__ = ["BatchSize", "batch_sizes", "representative", "seconds_of_all"]


class BatchSize(NamedTuple):
    """One batch of an epoch: which recordings it holds, and for how many steps the longest of them lasts."""

    members: tuple[int, ...]
    steps: int

    @property
    def work(self) -> int:
        """Steps times recordings, T B."""
        return self.steps * len(self.members)

    def part(self, share: int) -> BatchSize:
        """Return a batch of the longest recordings of this one, 1 / `share` of them and at least one.

        Members are in the order of their length, as the batches of an epoch are.
        """
        count = max(1, len(self.members) // share)
        return BatchSize(self.members[-count:], self.steps)


def batch_sizes(
    recordings: Sequence[Recording], *, batch_size: int, dt_ms: float, seed: int = 0, shuffle: bool
) -> list[BatchSize]:
    """Return the batches of the first epoch, or with `shuffle` off those of an evaluation; no event is read.

    Evaluation takes recordings in the order of their length.
    """
    order = np.arange(len(recordings))
    if not shuffle:
        order = np.argsort([recording.duration_us for recording in recordings], kind="stable")
    ordered = [recordings[place] for place in order.tolist()]
    groups = EpochBatches(ordered, batch_size=batch_size, dt_ms=dt_ms, seed=seed, epoch=1, shuffle=shuffle).groups
    return [
        BatchSize(
            tuple(int(order[member]) for member in group),
            max(math.ceil(ordered[member].duration_us / (1000.0 * dt_ms)) for member in group),
        )
        for group in groups
    ]


def representative(sizes: Sequence[BatchSize], count: int) -> list[BatchSize]:
    """Return up to `count` batches of different work: the largest first, the smallest, and some evenly between.

    Example:
        >>> [one.steps for one in representative([BatchSize((0,), steps) for steps in (3, 9, 5, 5, 4)], 3)]
        [9, 5, 3]
    """
    if not sizes:
        raise SpikingGammaError("sizes", "no batch", "at least one batch")
    distinct = sorted({size.work: size for size in sizes}.values(), key=lambda size: -size.work)
    places = np.linspace(0, len(distinct) - 1, min(count, len(distinct))).round().astype(int)
    return [distinct[place] for place in dict.fromkeys(places.tolist())]


def seconds_of_all(sizes: Sequence[BatchSize], measured: Mapping[int, float]) -> float:
    """Return the time of all batches from the time of a few, by linear interpolation over their work.

    Args:
        sizes: All batches.
        measured: Seconds by work. Below the smallest a batch takes as long as the smallest, as what a step costs whatever
            its size is not known there; above the largest, time is in proportion to work.

    Example:
        >>> seconds_of_all([BatchSize((0,), steps) for steps in (10, 15, 20, 40)], {10: 1.0, 20: 2.0})
        8.5
    """
    works = sorted(measured)
    times = [measured[work] for work in works]
    wanted = np.array([size.work for size in sizes], dtype=float)
    beyond = np.maximum(wanted / works[-1], 1.0)
    return float((np.interp(wanted, works, times) * beyond).sum())
