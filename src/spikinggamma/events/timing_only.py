"""Recordings whose spike counts say nothing: the variants *whole*, *part* and *norm* of a set of recordings.

*norm* keeps, of every channel, the same number of spikes in every recording, chosen at random; whatever a classifier still
tells apart, it tells from when they came. *part* has the same recordings and channels with all their spikes, *whole* is
everything. After "Beyond Rate Coding" (arXiv 2507.16043):

1. A channel with fewer than two spikes in some recording would lose its say. Where no more than `rare` of the recordings are to
   blame, step 2 does not look at them; all channels together may cost `most_removed` of the recordings.
2. N_f is the smallest count of channel f in any recording that is looked at. Channels with N_f = 0 are dropped.
3. Recordings with fewer than N_f spikes in some channel are left out; *norm* keeps N_f of those that the others have.
4. Classes are brought to the size of the smallest.

Steps 1 and 2 look at the training part only, so a validation or test recording may be left out as well; how many is said. The
authors take their statistics over all recordings, tests included: `statistics="all"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording
from spikinggamma.events.splits import Splits

__all__ = ["TimingOnly", "balanced", "channel_counts", "only_channels", "thinned", "timing_only"]


class TimingOnly(NamedTuple):
    """The three variants, and what they are made of.

    Attributes:
        whole: What was given.
        part: Recordings and channels of `norm`, with all their spikes.
        norm: N_f spikes of channel f in every recording.
        channels: The kept channels by their old numbers, ascending, [M]; their place is their new number.
        counts: N_f of each, [M].
        left_out: Recordings of each part that lack spikes, before classes are balanced.
    """

    whole: Splits
    part: Splits
    norm: Splits
    channels: Int[np.ndarray, " M"]
    counts: Int[np.ndarray, " M"]
    left_out: tuple[int, int, int]


def channel_counts(recordings: Sequence[Recording]) -> Int[np.ndarray, "B N"]:
    """Spikes of each channel in each recording, int64 [B, N]."""
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
    """The variants of a data set in three parts.

    Args:
        splits: Training, validation and test part; hold speakers out before, if they are to be held out.
        seed: Of the choice of spikes and of recordings.
        rare: Share of the recordings that a channel may cost.
        most_removed: Share of the recordings that all channels together may cost.
        balance: Bring classes to one size in every part.
        statistics: "train", or "all" as the authors do.

    Raises:
        SpikingGammaError: No channel has a spike in every recording, or nothing is left of a part.
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
    """Recordings that stay once those are left out which rob a channel, and not too many others, of its second spike."""
    poor = table < 2
    robbed = poor.any(axis=0) & (poor.mean(axis=0) <= rare)
    out = poor[:, robbed].any(axis=1)
    return np.flatnonzero(~out) if out.sum() <= most else np.arange(len(table))


def balanced(recordings: list[Recording], rng: np.random.Generator) -> list[Recording]:
    """As many recordings of every class as of the rarest, drawn at random, in their old order."""
    labels = np.array([recording.label for recording in recordings], dtype=np.int64)
    if not len(labels):
        return []
    classes = np.unique(labels)
    size = min(int((labels == label).sum()) for label in classes)
    chosen = [rng.permutation(np.flatnonzero(labels == label))[:size] for label in classes]
    return [recordings[index] for index in sorted(np.concatenate(chosen).tolist())]


def only_channels(recording: Recording, channels: Int[np.ndarray, " M"]) -> Recording:
    """The events of `channels` [M], ascending; a channel's place there is its new number."""
    kept = np.isin(recording.channels, channels)
    renumbered = np.searchsorted(channels, recording.channels[kept])
    return replace(
        recording, times_us=recording.times_us[kept], channels=renumbered, n_channels=len(channels), shape=()
    )


def thinned(recording: Recording, counts: Int[np.ndarray, " M"], rng: np.random.Generator) -> Recording:
    """The recording with `counts` spikes of each channel, drawn at random."""
    order = np.lexsort((rng.random(recording.n_events), recording.channels))
    channel = recording.channels[order]
    first = np.searchsorted(channel, np.arange(len(counts)))
    kept = np.sort(order[np.arange(len(order)) - first[channel] < counts[channel]])
    return replace(recording, times_us=recording.times_us[kept], channels=recording.channels[kept])
