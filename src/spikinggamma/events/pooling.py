"""Reduction of the number of channels by summing neighbours; it acts on events, so that no spike is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording

__all__ = ["pool_channels", "pool_pixels"]


def pool_channels(recording: Recording, n_channels: int) -> Recording:
    """Sum neighbouring channels of a one-dimensional sensor.

    Args:
        recording: Recording of a sensor whose channels are a list, such as a cochlea.
        n_channels: Number of channels of the result, a divisor of the recording's own.

    Raises:
        SpikingGammaError: `n_channels` is not a divisor, or the recording is from a camera, whose pixels have neighbours in two
            directions.

    Example:
        >>> one = Recording(np.array([0, 7]), np.array([1, 5]), n_channels=6, duration_us=10, label=0)
        >>> pool_channels(one, 3).channels
        array([0, 2], dtype=int32)
    """
    if recording.shape:
        raise SpikingGammaError(
            "recording", f"a camera's {recording.shape}", "channels in a list", "Use `pool_pixels`."
        )
    if n_channels < 1 or recording.n_channels % n_channels:
        raise SpikingGammaError("n_channels", n_channels, f"a divisor of {recording.n_channels}")
    factor = recording.n_channels // n_channels
    return (
        recording if factor == 1 else replace(recording, channels=recording.channels // factor, n_channels=n_channels)
    )


def pool_pixels(recording: Recording, side: int, *, polarities: bool = True) -> Recording:
    """Sum squares of pixels to one pixel each.

    Args:
        recording: Recording of a camera.
        side: Side of the squares in pixels; pixels beyond the last whole square are left out with their events.
        polarities: Whether to keep polarities apart; otherwise they are merged.

    Raises:
        SpikingGammaError: The recording is not from a camera, or no whole square fits.

    Example:
        >>> one = Recording(np.array([0]), np.array([4 * 4 - 1]), 2 * 4 * 4, 10, label=0, shape=(2, 4, 4))
        >>> pool_pixels(one, 2).shape
        (2, 2, 2)
    """
    polarity, y, x = recording.pixels
    kinds, height, width = recording.shape or (0, 0, 0)
    if not 1 <= side <= min(height, width):
        raise SpikingGammaError("side", side, f"from 1 to {min(height, width)} pixels")
    shape = (kinds if polarities else 1, height // side, width // side)
    polarity, y, x = polarity if polarities else np.zeros_like(polarity), y // side, x // side
    inside = (y < shape[1]) & (x < shape[2])
    channels = ((polarity * shape[1] + y) * shape[2] + x)[inside]
    n_channels = shape[0] * shape[1] * shape[2]
    return replace(
        recording, times_us=recording.times_us[inside], channels=channels, n_channels=n_channels, shape=shape
    )
