"""Events into time steps: spike counts per step and channel, none lost at any step length.

A recording of duration D has T = ceil(D / dt) steps; an event at time t falls into step floor(t / dt). Both are
computed in whole nanoseconds, so no event is rounded into a neighbouring step, and the counts of a coarse step are the
sums of those of the fine steps that it is made of. Where fewer channels are asked for than the sensor has, neighbours
are summed.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.gathering import Gathered, gather
from spikinggamma.events.recording import Recording

__all__ = ["bin_events", "bin_recording", "n_steps"]

_LARGEST = 2**31  # elements of one dense tensor: 8 GiB


def bin_recording(recording: Recording, *, dt_ms: float, n_channels: int | None = None) -> Float[Tensor, "T N"]:
    """Spike counts of one recording.

    Args:
        recording: Its events.
        dt_ms: Length of a step, taken to the nanosecond.
        n_channels: Channels of the result N, a divisor of the recording's own; all of them where left out.

    Shapes:
        result float32 [T, N]; its sum is the number of events.

    Raises:
        SpikingGammaError: `dt_ms` is not a length of time, or `n_channels` no divisor.

    Example:
        >>> times_us, channels = np.array([0, 9000]), np.array([0, 5])
        >>> recording = Recording(times_us, channels, n_channels=8, duration_us=10000, label=0)
        >>> bin_recording(recording, dt_ms=4.0, n_channels=4).shape
        torch.Size([3, 4])
    """
    counts, _ = bin_events(gather([recording]), dt_ms=dt_ms, n_channels=n_channels)
    return counts[:, 0]


def n_steps(durations_us: Int[np.ndarray, ...], dt_ms: float) -> Int[np.ndarray, ...]:
    """Steps of recordings of these durations, T = ceil(D / dt).

    Example:
        >>> n_steps(np.array([8000, 8001]), 4.0)
        array([2, 3])
    """
    return -(-np.asarray(durations_us, dtype=np.int64) * 1000 // _step_ns(dt_ms))


def bin_events(
    events: Gathered, *, dt_ms: float, n_channels: int | None = None
) -> tuple[Float[Tensor, "T B N"], Int[Tensor, " B"]]:
    """Spike counts of many recordings at once, and how many steps each of them has.

    Shapes:
        counts float32 [T, B, N] with T the longest; lengths int64 [B].
    """
    wanted = _check_channels(events.n_channels, n_channels)
    lengths = n_steps(events.durations_us, dt_ms)
    shape = (int(lengths.max()), len(lengths), wanted)
    size = shape[0] * shape[1] * shape[2]
    if size > _LARGEST:
        got = f"{dt_ms} ms for {shape[0]} steps x {shape[1]} recordings x {shape[2]} channels"
        raise SpikingGammaError("dt_ms", got, f"at most {_LARGEST} counts", "Use a coarser step or a smaller batch.")
    steps = events.times_us * 1000 // _step_ns(dt_ms)
    factors = events.n_channels // wanted
    same = bool((factors == factors[0]).all())
    channels = events.channels // (int(factors[0]) if same else factors[events.samples])
    flat = (steps * shape[1] + events.samples) * wanted + channels
    counts = np.zeros(size, dtype=np.float32)
    np.add.at(counts, flat, np.float32(1.0))  # exact up to 2**24 spikes in one count
    return torch.from_numpy(counts).view(shape), torch.from_numpy(lengths)


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
