"""The events of many recordings in one flat list, so that a whole batch is processed at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.recording import Recording, SensorShape

__all__ = ["Gathered", "gather"]


class Gathered(NamedTuple):
    """Events of B recordings, in no particular order."""

    times_us: Int[np.ndarray, " E"]  # int64
    channels: Int[np.ndarray, " E"]  # int32
    samples: Int[np.ndarray, " E"]  # int64, the recording that each event belongs to
    durations_us: Int[np.ndarray, " B"]  # int64
    n_channels: Int[np.ndarray, " B"]  # int64
    shape: SensorShape = ()  # sensor of a camera, if all recordings are from one


def gather(recordings: Sequence[Recording]) -> Gathered:
    """Return all events of some recordings, with the index of the recording for each.

    Example:
        >>> one = Recording(np.array([0, 7]), np.array([1, 0], np.int32), n_channels=2, duration_us=10, label=0)
        >>> gather([one, one]).samples
        array([0, 0, 1, 1])
    """
    if not recordings:
        raise SpikingGammaError("recordings", "none", "at least one recording")
    shapes = {recording.shape for recording in recordings}
    counts = [recording.n_events for recording in recordings]
    return Gathered(
        np.concatenate([recording.times_us for recording in recordings]),
        np.concatenate([recording.channels for recording in recordings]),
        np.repeat(np.arange(len(recordings)), counts),
        np.array([recording.duration_us for recording in recordings], dtype=np.int64),
        np.array([recording.n_channels for recording in recordings], dtype=np.int64),
        shapes.pop() if len(shapes) == 1 else (),
    )
