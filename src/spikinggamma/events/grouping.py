"""Neighbouring channels summed before anything else is done with a recording, so that each is seldom silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording

__all__ = ["group_channels"]


def group_channels(recordings: Sequence[Recording], n_channels: int) -> list[Recording]:
    """The recordings with neighbours summed down to this many channels; every event stays, and when it was.

    Args:
        recordings: All of one sensor.
        n_channels: A divisor of the sensor's channels.

    Raises:
        SpikingGammaError: `n_channels` is no divisor of a recording's channels.

    Example:
        >>> import numpy as np
        >>> one = Recording(np.array([0, 5]), np.array([3, 2], np.int32), n_channels=4, duration_us=10, label=0)
        >>> group_channels([one], 2)[0].channels
        array([1, 1], dtype=int32)
    """
    grouped = []
    for recording in recordings:
        if n_channels < 1 or recording.n_channels % n_channels:
            expected = f"a divisor of {recording.n_channels}, the recording's channels"
            raise SpikingGammaError("n_channels", n_channels, expected)
        factor = recording.n_channels // n_channels
        shape = recording.shape if factor == 1 else ()
        channels = recording.channels // factor
        grouped.append(replace(recording, channels=channels, n_channels=n_channels, shape=shape))
    return grouped
