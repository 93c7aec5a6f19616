"""Recordings whose spike counts carry no information: the variants *whole*, *part* and *norm* of a data set.

*norm* keeps the same number of randomly chosen spikes of each channel in every recording, so that a classifier can use only
their timing. *part* has the same recordings and channels with all their spikes, *whole* is the full data. The procedure follows
"Beyond Rate Coding" (arXiv 2507.16043):

1. Recordings in which a channel has fewer than two spikes are ignored in step 2 if they are at most the share `rare` of all;
   for all channels together at most the share `most_removed` is ignored. Otherwise the channel would carry little.
2. N_f is the smallest count of channel f in the recordings that are not ignored. Channels with N_f = 0 are dropped.
3. Recordings with fewer than N_f spikes in some channel are left out; *norm* keeps N_f of those that the others have.
4. Classes are brought to the size of the smallest.

Steps 1 and 2 use the training part only, so a validation or test recording may be left out as well; `left_out` counts these.
The authors take their statistics over all recordings, including tests: `statistics="all"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording, Splits

__all__ = ["TimingOnly", "balanced", "channel_counts", "only_channels", "thinned", "timing_only"]


class TimingOnly(NamedTuple):
    """The three variants, with the kept channels and counts.

    Attributes:
        whole: The given recordings.
        part: Recordings and channels of `norm`, with all their spikes.
        norm: N_f spikes of channel f in every recording.
        channels: The kept channels by their old numbers, ascending, [M]; their index is their new number.
        counts: N_f of each kept channel, [M].
        left_out: Number of recordings of each part that lack spikes, before classes are balanced.
    """

    whole: Splits
    part: Splits
    norm: Splits
    channels: Int[np.ndarray, " M"]
    counts: Int[np.ndarray, " M"]
    left_out: tuple[int, int, int]


def channel_counts(recordings: Sequence[Recording]) -> Int[np.ndarray, "B N"]:
    """Return the number of spikes of each channel in each recording, int64 [B, N]."""
    if not recordings:
        raise SpikingGammaError("recordings", "none", "at least one recording")
    n_channels = recordings[0].n_channels
    if any(recording.n_channels != n_channels for recording in recordings):
        raise SpikingGammaError("recordings", "different numbers of channels", f"{n_channels} in each, as in the first")
    return np.stack([np.bincount(recording.channels, minlength=n_channels) for recording in recordings])


def timing_only(
    splits: Splits,
    *,
    seed: int,
    rare: float = 0.01,
    most_removed: float = 0.2,
    balance: bool = True,
    statistics: Literal["train", "all"] = "train",
) -> TimingOnly:
    """Return the variants of a data set in three parts.

    Args:
        splits: Training, validation and test part; held-out speakers must be separated before.
        seed: Seed of the choice of spikes and of recordings.
        rare: Share of the recordings that may be removed to keep one channel.
        most_removed: Share of the recordings that may be removed in all.
        balance: Whether to reduce classes to the same size in every part.
        statistics: Recordings that decide on channels and counts: "train", or "all" as in the paper.

    Raises:
        SpikingGammaError: No channel has a spike in every recording, or a part becomes empty.
    """
    if statistics not in ("train", "all"):
        raise SpikingGammaError("statistics", repr(statistics), '"train" or "all"')
    for name, share in (("rare", rare), ("most_removed", most_removed)):
        if not 0.0 <= share < 1.0:
            raise SpikingGammaError(name, share, "a share from 0 to below 1")
    tables = [channel_counts(part) for part in splits]
    known = tables[0] if statistics == "train" else np.concatenate(tables)
    good = known[_kept(known, rare, round(most_removed * len(known)))]
    fewest = good.min(axis=0)
    channels = np.flatnonzero(fewest)
    if not len(channels):
        remedy = "Sum neighbouring channels first, or allow more recordings to be left out."
        raise SpikingGammaError("splits", "no channel with a spike in every recording", "at least one", remedy)
    counts = fewest[channels]
    rng = np.random.default_rng([seed, 0x71])
    parts: list[list[Recording]] = []
    norms: list[list[Recording]] = []
    missing = []
    for recordings, table in zip(splits, tables, strict=True):
        should_stop = np.flatnonzero((table[:, channels] >= counts).all(axis=1))
        missing.append(len(recordings) - len(should_stop))
        chosen = (
            balanced([recordings[index] for index in should_stop], rng)
            if balance
            else [recordings[i] for i in should_stop]
        )
        if not chosen:
            raise SpikingGammaError("splits", "no recording with enough spikes in a part", "at least one in each")
        parts.append([only_channels(recording, channels) for recording in chosen])
        norms.append([thinned(recording, counts, rng) for recording in parts[-1]])
    left_out = (missing[0], missing[1], missing[2])
    return TimingOnly(splits, Splits(*parts), Splits(*norms), channels, counts, left_out)


def _kept(table: Int[np.ndarray, "B N"], rare: float, most: int) -> Int[np.ndarray, " R"]:
    """Return the recordings that stay after removing those few in which some channel lacks a second spike."""
    poor = table < 2
    robbed = poor.any(axis=0) & (poor.mean(axis=0) <= rare)
    out = poor[:, robbed].any(axis=1)
    return np.flatnonzero(~out) if out.sum() <= most else np.arange(len(table))


def balanced(recordings: list[Recording], rng: np.random.Generator) -> list[Recording]:
    """Return equally many recordings of every class, as many as of the rarest, drawn at random, in their old order."""
    labels = np.array([recording.label for recording in recordings], dtype=np.int64)
    if not len(labels):
        return []
    classes = np.unique(labels)
    size = min(int((labels == label).sum()) for label in classes)
    chosen = [rng.permutation(np.flatnonzero(labels == label))[:size] for label in classes]
    return [recordings[index] for index in sorted(np.concatenate(chosen).tolist())]


def only_channels(recording: Recording, channels: Int[np.ndarray, " M"]) -> Recording:
    """Return the recording with only `channels` [M], ascending; a channel's index there is its new number."""
    kept = np.isin(recording.channels, channels)
    renumbered = np.searchsorted(channels, recording.channels[kept])
    return replace(
        recording, times_us=recording.times_us[kept], channels=renumbered, n_channels=len(channels), shape=()
    )


def thinned(recording: Recording, counts: Int[np.ndarray, " M"], rng: np.random.Generator) -> Recording:
    """Return the recording with `counts` spikes of each channel, drawn at random.

    Args:
        recording: The recording.
        counts: Number of spikes of each channel, [M].
        rng: Random generator.
    """
    order = np.lexsort((rng.random(recording.n_events), recording.channels))
    channel = recording.channels[order]
    first = np.searchsorted(channel, np.arange(len(counts)))
    kept = np.sort(order[np.arange(len(order)) - first[channel] < counts[channel]])
    return replace(recording, times_us=recording.times_us[kept], channels=recording.channels[kept])
