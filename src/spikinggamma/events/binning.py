"""Binning of events into time steps: spike counts per step and channel, without loss at any step length.

A recording of duration D has T = ceil(D / dt) steps; an event at time t falls into step floor(t / dt). Both are
computed in whole nanoseconds, so no event is rounded into a neighbouring step, and the counts of a coarse step are the
sums of those of the fine steps that it consists of. Where fewer channels are requested than the sensor has, neighbouring
channels are summed. Counts may be clipped; clipped at 1 they only show whether there was a spike.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.gathering import Gathered, gather
from spikinggamma.events.recording import Recording, SensorShape

__all__ = ["bin_events", "bin_events_sparse", "bin_recording", "n_steps", "pictures"]

_LARGEST = 2**31  # elements of one dense tensor: 8 GiB


def bin_recording(
    recording: Recording, *, dt_ms: float, n_channels: int | None = None, clip: int | None = None
) -> Float[Tensor, "T N"]:
    """Return the spike counts of one recording.

    Args:
        recording: The recording.
        dt_ms: Length of a step, taken to the nanosecond.
        n_channels: Number N of channels of the result, a divisor of the recording's own; all of them if not given.
        clip: Upper limit of a count; without it no event is lost.

    Shapes:
        result float32 [T, N]; unclipped, its sum is the number of events.

    Raises:
        SpikingGammaError: `dt_ms` is not a positive length of time, or `n_channels` is not a divisor.

    Example:
        >>> times_us, channels = np.array([0, 9000]), np.array([0, 5])
        >>> recording = Recording(times_us, channels, n_channels=8, duration_us=10000, label=0)
        >>> bin_recording(recording, dt_ms=4.0, n_channels=4).shape
        torch.Size([3, 4])
    """
    counts, _ = bin_events(gather([recording]), dt_ms=dt_ms, n_channels=n_channels, clip=clip)
    return counts[:, 0]


def n_steps(durations_us: Int[np.ndarray, ...], dt_ms: float) -> Int[np.ndarray, ...]:
    """Return the number of steps T = ceil(D / dt) of recordings of these durations.

    Example:
        >>> n_steps(np.array([8000, 8001]), 4.0)
        array([2, 3])
    """
    return -(-np.asarray(durations_us, dtype=np.int64) * 1000 // _step_ns(dt_ms))


def bin_events(
    events: Gathered, *, dt_ms: float, n_channels: int | None = None, clip: int | None = None
) -> tuple[Float[Tensor, "T B N"], Int[Tensor, " B"]]:
    """Return the spike counts of many recordings at once, and the number of steps of each.

    Args:
        events: Events of the recordings.
        dt_ms: Length of a step in ms, rounded to the nanosecond.
        n_channels: Number N of channels of the result, a divisor of the recordings' own; all of them if not given.
        clip: Upper limit of a count; None for no limit.

    Shapes:
        counts float32 [T, B, N] with T the longest; lengths int64 [B].

    Raises:
        SpikingGammaError: An argument is out of range, or the result would be too large.
    """
    flat, shape, lengths = _places(events, dt_ms, n_channels, clip)
    size = math.prod(shape)
    if size > _LARGEST:
        got = f"{dt_ms} ms for {shape[0]} steps x {shape[1]} recordings x {shape[2]} channels"
        remedy = "Use a coarser step, a smaller batch, or the sparse form."
        raise SpikingGammaError("dt_ms", got, f"at most {_LARGEST} counts", remedy)
    counts = np.zeros(size, dtype=np.float32)
    np.add.at(counts, flat, np.float32(1.0))  # exact up to 2**24 spikes in one count
    dense = torch.from_numpy(counts).view(shape)
    return dense if clip is None else dense.clamp_max_(clip), lengths


def bin_events_sparse(
    events: Gathered, *, dt_ms: float, n_channels: int | None = None, clip: int | None = None
) -> tuple[Tensor, Int[Tensor, " B"]]:
    """Return the same as `bin_events` with sparse counts, whose size depends on the number of events, not on the step.

    The arguments are those of `bin_events`; see `bin_events`.

    Shapes:
        counts sparse float32 [T, B, N], coalesced; lengths int64 [B].
    """
    flat, shape, lengths = _places(events, dt_ms, n_channels, clip)
    places, counts = np.unique(flat, return_counts=True)
    indices = torch.from_numpy(np.stack(np.unravel_index(places, shape)))
    values = torch.from_numpy(counts.astype(np.float32))
    values = values if clip is None else values.clamp_max_(clip)
    return torch.sparse_coo_tensor(indices, values, shape, is_coalesced=True, check_invariants=True), lengths


def pictures(counts: Float[Tensor, "T B N"], shape: SensorShape) -> Float[Tensor, "T B P H W"]:
    """Return a view of a camera's counts as images of (polarities, height, width).

    Example:
        >>> pictures(torch.zeros(5, 1, 32), (2, 4, 4)).shape
        torch.Size([5, 1, 2, 4, 4])
    """
    if math.prod(shape) != counts.shape[2] or len(shape) != 3:
        raise SpikingGammaError("shape", shape, f"(polarities, height, width) of {counts.shape[2]} channels")
    return counts.view(*counts.shape[:2], *shape)


def _places(
    events: Gathered, dt_ms: float, n_channels: int | None, clip: int | None
) -> tuple[Int[np.ndarray, " E"], tuple[int, int, int], Int[Tensor, " B"]]:
    """Return the place of each event in flattened counts [T, B, N], their shape, and the steps of each recording."""
    if clip is not None and clip < 1:
        raise SpikingGammaError("clip", clip, "a count of at least 1, or None")
    wanted = _check_channels(events.n_channels, n_channels)
    lengths = n_steps(events.durations_us, dt_ms)
    shape = (int(lengths.max()), len(lengths), wanted)
    steps = events.times_us * 1000 // _step_ns(dt_ms)
    factors = events.n_channels // wanted
    same = bool((factors == factors[0]).all())
    channels = events.channels // (int(factors[0]) if same else factors[events.samples])
    flat = (steps * shape[1] + events.samples) * wanted + channels
    return flat, shape, torch.from_numpy(lengths)


def _check_channels(available: Int[np.ndarray, " B"], wanted: int | None) -> int:
    n_channels = int(available[0]) if wanted is None else wanted
    if n_channels < 1:
        raise SpikingGammaError("n_channels", n_channels, "at least 1")
    odd = available[available % n_channels != 0]
    if len(odd):
        raise SpikingGammaError("n_channels", n_channels, f"a divisor of {odd[0]}, the recording's channels")
    return n_channels


def _step_ns(dt_ms: float) -> int:
    if not (np.isfinite(dt_ms) and dt_ms >= 1e-6):
        raise SpikingGammaError("dt_ms", dt_ms, "a finite length of time in ms, above 0")
    return round(dt_ms * 1e6)
