"""Perturbations of spike timing. The table shows what each one changes and what it preserves.

| perturbation | changes | keeps |
| --- | --- | --- |
| `jitter_spikes` | every time independently | counts per channel |
| `jitter_channels` | all times of a channel together | counts, and all intervals within a channel |
| `delete` | the number of spikes | the times of the remaining spikes |
| `replace` | the times of a share of the spikes | counts per channel |
| `reverse` | the direction of time | counts, the multiset of intervals; applied twice it changes nothing |

Perturbations act on event times in ms and not on the steps of a raster, so they do not depend on the time step. Definitions
follow "Beyond Rate Coding" (arXiv 2507.16043), without the clipping, merging and search for empty steps of its raster.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from spikinggamma.bibliography import BEYOND_RATE
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.gathering import Gathered
from spikinggamma.events.perturbation_registry import register_perturbation

__all__ = ["delete", "jitter_channels", "jitter_spikes", "keep", "replace", "reverse"]

_HEAD_ROOM = 3.0  # standard deviations


@register_perturbation(
    "jitter",
    unit="ms",
    example=5.0,
    summary="Every spike is moved by a normal deviate of its own.",
    citations=(BEYOND_RATE,),
)
def jitter_spikes(events: Gathered, std_ms: float, rng: np.random.Generator) -> Gathered:
    """Move every spike by a normal deviate of its own; times are reflected at the ends of a recording.

    Args:
        events: Events of a batch.
        std_ms: Standard deviation in ms.
        rng: Random generator.
    """
    _check_std(std_ms)
    last = events.durations_us[events.samples] - 1
    moves = rng.standard_normal(len(last), dtype=np.float32) * np.float32(std_ms * 1000.0)
    moved = np.abs(events.times_us + np.rint(moves).astype(np.int64))
    moved = last - np.abs(last - moved)
    # A spike that is still outside after reflection, moved by more than the whole recording, is put at its start.
    return events._replace(times_us=np.maximum(moved, 0))


@register_perturbation(
    "channel_jitter",
    unit="ms",
    example=5.0,
    moves_time=True,
    summary="All spikes of a channel in a recording are moved together, by one normal deviate.",
    citations=(BEYOND_RATE,),
)
def jitter_channels(events: Gathered, std_ms: float, rng: np.random.Generator) -> Gathered:
    """Move all spikes of a channel in a recording together, by one normal deviate.

    Every recording gains three standard deviations of silence at both ends, and larger deviates are clamped to that, so
    that no spike is lost, and no interval within a channel changes.

    Args:
        events: Events of a batch.
        std_ms: Standard deviation in ms.
        rng: Random generator.
    """
    _check_std(std_ms)
    room = round(_HEAD_ROOM * std_ms * 1000.0)
    lines, line = _lines(events)
    shifts = np.rint(rng.standard_normal(lines) * std_ms * 1000.0).astype(np.int64).clip(-room, room)
    return events._replace(times_us=events.times_us + room + shifts[line], durations_us=events.durations_us + 2 * room)


@register_perturbation(
    "deletion",
    unit="share",
    example=0.2,
    summary="Every spike is deleted with this probability.",
    citations=(BEYOND_RATE,),
)
def delete(events: Gathered, probability: float, rng: np.random.Generator) -> Gathered:
    """Delete every spike with this probability.

    Args:
        events: Events of a batch.
        probability: Probability of deletion.
        rng: Random generator.
    """
    _check_share("probability", probability)
    return keep(events, rng.random(len(events.times_us)) >= probability)


@register_perturbation(
    "replacement",
    unit="share",
    example=0.5,
    summary="Every spike is moved to a random time in the recording with this probability; counts do not change.",
    citations=(BEYOND_RATE,),
)
def replace(events: Gathered, fraction: float, rng: np.random.Generator, *, exact: bool = False) -> Gathered:
    """Move a share of the spikes to times drawn uniformly from the recording; counts per channel are preserved.

    Args:
        events: Events of a batch.
        fraction: Share f of the spikes.
        rng: Random generator.
        exact: Move floor(f n) of the n spikes that a channel has in a recording, instead of each with probability f.

    Returns:
        The events with new times.
    """
    _check_share("fraction", fraction)
    draws = rng.random(len(events.times_us))
    if exact:
        lines, line = _lines(events)
        order = np.lexsort((draws, line))  # a random order within every channel of every recording
        counts = np.bincount(line, minlength=lines)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        moved = rank < np.floor(fraction * counts + 1e-9)[line]
    else:
        moved = draws < fraction
    anywhere = rng.integers(0, events.durations_us[events.samples])
    return events._replace(times_us=np.where(moved, anywhere, events.times_us))


@register_perturbation(
    "reversal",
    moves_time=True,
    summary="Time is reversed between the first and the last spike.",
    citations=(BEYOND_RATE,),
)
def reverse(events: Gathered) -> Gathered:
    """Reverse time between each recording's first and last spike: t becomes first + last - t."""
    first = np.full(len(events.durations_us), np.iinfo(np.int64).max)
    last = np.zeros(len(events.durations_us), dtype=np.int64)
    np.minimum.at(first, events.samples, events.times_us)
    np.maximum.at(last, events.samples, events.times_us)
    return events._replace(times_us=(first + last)[events.samples] - events.times_us)


def keep(events: Gathered, kept: Bool[np.ndarray, " E"]) -> Gathered:
    """Return the events that are marked in `kept`."""
    return events._replace(times_us=events.times_us[kept], channels=events.channels[kept], samples=events.samples[kept])


def _lines(events: Gathered) -> tuple[int, Int[np.ndarray, " E"]]:
    """Number the channels of all recordings; return how many there are, and the number for every event."""
    starts = np.cumsum(events.n_channels) - events.n_channels
    return int(events.n_channels.sum()), starts[events.samples] + events.channels


def _check_std(std_ms: float) -> None:
    if not (np.isfinite(std_ms) and std_ms >= 0.0):
        raise SpikingGammaError("std_ms", std_ms, "a finite standard deviation in ms, at least 0")


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise SpikingGammaError(name, value, "from 0 to 1")
