"""Batches of recordings of different length, reproducible by seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.augment import Augment
from spikinggamma.events.binning import bin_events
from spikinggamma.events.gathering import gather
from spikinggamma.events.recording import Recording

__all__ = ["Batch", "EpochBatches", "batches", "make_batch"]

_POOL = 8  # batches drawn together and sorted by length, for little padding and still random batches


class Batch(NamedTuple):
    """Spike counts of some recordings with their labels: one per recording, or one per step, -1 where there is none.

    Where values are asked for, `labels` are those, [B, K] of each recording or [T, B, K] of each step, NaN where there is none.
    Steps at or beyond a recording's length are padding, and must be left out of losses and statistics.
    """

    spikes: Float[Tensor, "T B N"]  # float32
    labels: Int[Tensor, "*T B"] | Float[Tensor, "*T B K"]  # int64 or float32
    lengths: Int[Tensor, " B"]  # int64

    def columns(self, own: slice) -> Batch:
        """Return some of the recordings of the batch."""
        by_value = self.labels.is_floating_point()
        labels = self.labels[..., own, :] if by_value else self.labels[..., own]
        return Batch(self.spikes[:, own].contiguous(), labels, self.lengths[own])


def make_batch(
    recordings: Sequence[Recording],
    *,
    dt_ms: float,
    n_channels: int | None = None,
    augment: Augment | None = None,
    rng: np.random.Generator | None = None,
) -> Batch:
    """Return one batch of these recordings in this order.

    Args:
        recordings: At least one.
        dt_ms: Length of a step.
        n_channels: Number N of channels of the batch, a divisor of the recordings' own; neighbouring channels are summed.
        augment: Augmentation of the events.
        rng: Random generator for the augmentation, needed only with it.

    Shapes:
        spikes [T, B, N] with T the longest of the batch.

    Example:
        >>> times_us, channels = np.array([0, 9000]), np.array([0, 5])
        >>> recording = Recording(times_us, channels, n_channels=8, duration_us=10000, label=3)
        >>> make_batch([recording, recording], dt_ms=4.0).spikes.shape
        torch.Size([3, 2, 8])
    """
    events = gather(recordings)
    if augment is not None and augment.active:
        if rng is None:
            raise SpikingGammaError("rng", None, "a numpy.random.Generator, as `augment` draws from it")
        events = augment(events, rng)
    spikes, lengths = bin_events(events, dt_ms=dt_ms, n_channels=n_channels)
    return Batch(spikes, _labels(recordings, events.durations_us, dt_ms, len(spikes)), lengths)


def batches(
    recordings: Sequence[Recording],
    *,
    batch_size: int,
    dt_ms: float,
    n_channels: int | None = None,
    seed: int,
    epoch: int,
    shuffle: bool = True,
    augment: Augment | None = None,
) -> Iterator[Batch]:
    """Yield every recording once, in batches that depend only on `(seed, epoch)`.

    With `shuffle`, recordings of similar length share a batch and the batches come in random order; otherwise both stay
    in the given order. One batch may be smaller than the others. `EpochBatches` takes the same arguments.

    Args:
        recordings: The recordings.
        batch_size: Number of recordings of a batch.
        dt_ms: Length of a step in ms.
        n_channels: Number of channels of the batches; see `make_batch`.
        seed: Seed of the order and of the augmentation.
        epoch: Number of the epoch.
        shuffle: Whether to shuffle the recordings.
        augment: Augmentation of the events.

    Raises:
        SpikingGammaError: `batch_size` is below 1, seed or epoch is negative, or `make_batch` raises it.
    """
    found = EpochBatches(
        recordings,
        batch_size=batch_size,
        dt_ms=dt_ms,
        n_channels=n_channels,
        seed=seed,
        epoch=epoch,
        shuffle=shuffle,
        augment=augment,
    )
    return (found[index] for index in range(len(found)))


class EpochBatches(Dataset[Batch]):
    """The batches of `batches` as a `Dataset` that makes each on demand, for the workers of a torch `DataLoader`.

    A batch depends on its index and not on the worker that makes it. Arrays in a memory-mapped file are mapped by each
    worker, not copied. The arguments are those of `batches`.

    Example:
        >>> from torch.utils.data import DataLoader
        >>> one = Recording(np.array([0]), np.array([0]), n_channels=8, duration_us=10, label=0)
        >>> epoch = EpochBatches([one] * 5, batch_size=2, dt_ms=1.0, seed=0, epoch=0)
        >>> [len(batch.labels) for batch in DataLoader(epoch, batch_size=None, num_workers=0)]
        [2, 2, 1]
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        *,
        batch_size: int,
        dt_ms: float,
        n_channels: int | None = None,
        seed: int,
        epoch: int,
        shuffle: bool = True,
        augment: Augment | None = None,
    ) -> None:
        for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0), ("epoch", epoch, 0)):
            if value < least:
                raise SpikingGammaError(name, value, f"an integer of at least {least}")
        self.recordings, self.dt_ms, self.n_channels, self.augment = recordings, dt_ms, n_channels, augment
        self.seed, self.epoch = seed, epoch
        self.groups = _groups(recordings, batch_size, seed, epoch, shuffle)

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index: int) -> Batch:
        return make_batch(
            [self.recordings[member] for member in self.groups[index]],
            dt_ms=self.dt_ms,
            n_channels=self.n_channels,
            augment=self.augment,
            rng=np.random.default_rng([self.seed, self.epoch, 1 + index]),
        )


def _labels(
    recordings: Sequence[Recording], durations_us: Int[np.ndarray, " B"], dt_ms: float, steps: int
) -> Int[Tensor, "*T B"] | Float[Tensor, "*T B K"]:
    """Return labels [B], or [T, B] with the label at the middle of each step, scaled where a recording was stretched.

    Of values, [B, K] or [T, B, K].
    """
    if any(recording.values is not None for recording in recordings):
        return _values(recordings, durations_us, dt_ms, steps)
    by_step = [recording.step_labels for recording in recordings if recording.step_labels is not None]
    if not by_step:
        return torch.tensor([recording.label for recording in recordings], dtype=torch.int64)
    if len(by_step) != len(recordings):
        got = f"{len(by_step)} of {len(recordings)} with `step_labels`"
        raise SpikingGammaError("recordings", got, "all or none in one batch")
    labels = np.full((steps, len(recordings)), -1, dtype=np.int64)
    for column, recording in enumerate(recordings):
        inside, rows = _stretches(recording, int(durations_us[column]), dt_ms, steps)
        labels[inside, column] = by_step[column][rows]
    return torch.from_numpy(labels)


def _values(
    recordings: Sequence[Recording], durations_us: Int[np.ndarray, " B"], dt_ms: float, steps: int
) -> Float[Tensor, "*T B K"]:
    known = [recording.values for recording in recordings if recording.values is not None]
    if len(known) != len(recordings) or len({(one.ndim, one.shape[-1]) for one in known}) > 1:
        shapes = sorted({f"{list(one.shape[one.ndim - 1 :])}" for one in known})
        got = f"{len(known)} of {len(recordings)} with `values`, of {', '.join(shapes)} numbers"
        raise SpikingGammaError("recordings", got, "as many values, by step or not, for all recordings of a batch")
    if known[0].ndim == 1:
        return torch.from_numpy(np.stack(known).astype(np.float32))
    labels = np.full((steps, len(recordings), known[0].shape[1]), np.nan, dtype=np.float32)
    for column, recording in enumerate(recordings):
        inside, rows = _stretches(recording, int(durations_us[column]), dt_ms, steps)
        labels[inside, column] = known[column][rows]
    return torch.from_numpy(labels)


def _stretches(
    recording: Recording, duration_us: int, dt_ms: float, steps: int
) -> tuple[Bool[np.ndarray, " T"], Int[np.ndarray, " R"]]:
    """Return which steps have their middle in the recording, and the stretch of `step_us` that each of these is in."""
    middle_us = (np.arange(steps) + 0.5) * dt_ms * 1000.0
    inside = middle_us < duration_us
    here_us = middle_us[inside] * (recording.duration_us / duration_us)
    return inside, (here_us / recording.step_us).astype(np.int64)


def _groups(recordings: Sequence[Recording], size: int, seed: int, epoch: int, shuffle: bool) -> list[list[int]]:
    order = np.arange(len(recordings))
    if not shuffle:
        return [order[first : first + size].tolist() for first in range(0, len(order), size)]
    rng = np.random.default_rng([seed, epoch, 0])
    rng.shuffle(order)
    lengths = np.array([recording.duration_us for recording in recordings])
    groups: list[list[int]] = []
    for first in range(0, len(order), size * _POOL):
        pool = order[first : first + size * _POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        groups += [pool[start : start + size].tolist() for start in range(0, len(pool), size)]
    return [groups[place] for place in rng.permutation(len(groups))]
