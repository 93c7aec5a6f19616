"""The variants *whole*, *part* and *norm* by the exact procedure of "Beyond Rate Coding" (arXiv 2507.16043).

`timing_only` uses events and statistics of the training part; this module repeats the authors' steps, so that numbers can be
compared:

1. Of each file only the first recordings that fill batches of 256 are kept, and all files are joined.
2. Events are put into bins of 1.4 s / 99, numbered from 1 as in `digitize`: bin 0 stays empty, and events later than 1.4 s are
   put into bin 99. A bin holds at most one spike.
3. A channel is bad where some recording has fewer than two spikes in it. Recordings that lack them are removed for every bad
   channel that costs at most `rare` of them, provided that they are fewer than `removable` in all.
4. N_f is the smallest count of channel f in what remains, test recordings included; channels with N_f = 0 are dropped. *norm*
   keeps N_f random spikes of every channel, *part* keeps all.
5. Classes are brought to the size of the smallest, at random.
6. After a shuffle the first 60 % are for training, the next 15 % for validation, the next 15 % for testing; the rest is lost.

The authors use rare = 1 % and removable = 2000 for the Heidelberg Digits, 2 % and 20000 for Speech Commands. Two things differ
here: *part* and *norm* hold the same recordings, where the authors drew twice, and *whole* is shuffled too before the split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording, Splits
from spikinggamma.events.timing_only import balanced, channel_counts, only_channels, thinned

__all__ = [
    "BIN_MS",
    "N_BINS",
    "AsPublished",
    "from_bins",
    "published_bins",
    "published_parts",
    "published_selection",
    "timing_only_as_published",
]

N_BINS = 100
_SPAN_US = 1_400_000
BIN_MS = _SPAN_US / 1000.0 / (N_BINS - 1)  # 14.14: a hundred edges over 1.4 s


class AsPublished(NamedTuple):
    """The three variants, with the kept channels and counts.

    Attributes:
        whole: All recordings of full batches, in bins.
        part: Recordings and channels of `norm`, with all their spikes.
        norm: N_f spikes of channel f in every recording.
        channels: The kept channels by their old numbers, ascending, [M].
        counts: N_f of each kept channel, [M].
        unbatched: Number of recordings that fill no batch.
        removed: Number of recordings removed because they lack spikes, before classes are balanced.
    """

    whole: Splits
    part: Splits
    norm: Splits
    channels: Int[np.ndarray, " M"]
    counts: Int[np.ndarray, " M"]
    unbatched: int
    removed: int


def timing_only_as_published(
    files: Sequence[Sequence[Recording]], *, seed: int, rare: float = 0.01, removable: int = 2000, batch_size: int = 256
) -> AsPublished:
    """Return the variants of a data set that is published in several files.

    Args:
        files: Recordings of each file, in its order.
        seed: Seed of the choice of spikes and recordings, and of the shuffle.
        rare: Share of the recordings that may be removed to keep one channel.
        removable: No recordings are removed if there would be this many or more.
        batch_size: Recordings of a file beyond the last full batch are left out; 1 keeps all.

    Raises:
        SpikingGammaError: No batch is full, no channel has a spike in every recording, or a part becomes empty.
    """
    if not 0.0 <= rare < 1.0:
        raise SpikingGammaError("rare", rare, "a share from 0 to below 1")
    if batch_size < 1:
        raise SpikingGammaError("batch_size", batch_size, "at least 1")
    given = sum(len(file) for file in files)
    batched = [recording for file in files for recording in file[: len(file) // batch_size * batch_size]]
    if not batched:
        largest = max((len(file) for file in files), default=0)
        raise SpikingGammaError("files", f"at most {largest} recordings in one", f"at least a batch of {batch_size}")
    whole = [published_bins(recording) for recording in batched]
    table = channel_counts(whole)
    kept, fewest = published_selection(table, rare=rare, removable=removable)
    channels = np.flatnonzero(fewest)
    if not len(channels):
        remedy = "Sum neighbouring channels first."
        raise SpikingGammaError("files", "no channel with a spike in every recording", "at least one", remedy)
    rng = np.random.default_rng([seed, 0x9B])
    part = [only_channels(recording, channels) for recording in balanced([whole[index] for index in kept], rng)]
    norm = [thinned(recording, fewest[channels], rng) for recording in part]
    order, everything = rng.permutation(len(part)), rng.permutation(len(whole))
    return AsPublished(
        published_parts([whole[index] for index in everything]),
        published_parts([part[index] for index in order]),
        published_parts([norm[index] for index in order]),
        channels,
        fewest[channels],
        given - len(batched),
        len(whole) - len(kept),
    )


def from_bins(
    bins: Int[np.ndarray, " E"],
    channels: Int[np.ndarray, " E"],
    *,
    n_channels: int,
    label: int,
    speaker: str = "",
    source: str = "",
) -> Recording:
    """Return a recording with an event in the middle of each given bin; binned at `BIN_MS`, step i is bin i again.

    Args:
        bins: Bin of each event, [E].
        channels: Channel of each event, [E].
        n_channels: Number of channels.
        label: Class.
        speaker: Speaker.
        source: Origin of the recording.

    Example:
        >>> one = from_bins(np.array([0, 99]), np.array([3, 1]), n_channels=4, label=0)
        >>> one.times_us, one.duration_us
        (array([   7071, 1407071]), 1414141)
    """
    order = np.lexsort((channels, bins))
    times_us = np.rint((bins[order] + 0.5) * (BIN_MS * 1000.0)).astype(np.int64)
    # Rounded down, as otherwise step 101 would begin within the last microsecond.
    duration_us = N_BINS * _SPAN_US // (N_BINS - 1)
    return Recording(times_us, channels[order], n_channels, duration_us, label, speaker=speaker, source=source)


def published_parts(recordings: Sequence[Recording]) -> Splits:
    """Split into the first 60 % for training, the next 15 % for validation and the next 15 % for testing.

    Raises:
        SpikingGammaError: There are so few recordings that a part would be empty.
    """
    ends = [int(len(recordings) * share) for share in (0.6, 0.6 + 0.15, 0.6 + 0.15 + 0.15)]
    parts = Splits(*(list(recordings[first:end]) for first, end in zip([0, *ends[:2]], ends, strict=True)))
    if not all(parts):
        raise SpikingGammaError("recordings", f"{len(recordings)} of them", "enough for three parts, at least 7")
    return parts


def published_bins(recording: Recording) -> Recording:
    """Return the recording in bins, with at most one spike of a channel in each (step 2)."""
    bins = np.minimum(recording.times_us * (N_BINS - 1) // _SPAN_US + 1, N_BINS - 1)
    flat = np.unique(bins * recording.n_channels + recording.channels)
    return from_bins(
        flat // recording.n_channels,
        flat % recording.n_channels,
        n_channels=recording.n_channels,
        label=recording.label,
        speaker=recording.speaker,
        source=recording.source,
    )


def published_selection(
    table: Int[np.ndarray, "B N"], *, rare: float, removable: int
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " N"]]:
    """Return the recordings that stay (step 3) and N_f of every channel, 0 where it is dropped (step 4).

    Args:
        table: Number of spikes of each channel in each recording.
        rare: Share of the recordings that may be removed to keep one channel.
        removable: No recordings are removed if there would be this many or more.
    """
    poor = table < 2
    out = poor[:, poor.mean(axis=0) <= rare].any(axis=1)
    kept = np.flatnonzero(~out) if out.sum() < removable else np.arange(len(table))
    return kept, table[kept].min(axis=0)
