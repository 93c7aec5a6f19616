"""Level crossing: an event for each level that a signal has crossed since the last sample, upwards or downwards.

    q(t) = floor((x(t) - offset) / level),    q(-1) = 0
    q(t) - q(t-1) events on the first channel where it rises, q(t-1) - q(t) on the second where it falls

All events so far, upward ones less downward ones, are q(t): the decoded signal offset + level (q(t) + 1/2) is never further
than half a level from x(t). Levels stand still, so a signal that trembles around one crosses it again and again; `delta` does
not.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal
from spikinggamma.events import Recording
from spikinggamma.options import Options

__all__ = ["LevelCrossing", "LevelCrossingOptions", "step_events"]


class LevelCrossingOptions(Options):
    """Options of level crossing."""

    level: float = Field(default=0.1, gt=0.0, le=1e9, description="distance of two levels, in units of the signal")
    offset: float = Field(default=0.0, description="level that a signal begins at, in its units")


@ENCODERS.register("level_crossing", options=LevelCrossingOptions)
class LevelCrossing(Encoder):
    """An event for each fixed level that the signal has crossed, upwards or downwards."""

    options: LevelCrossingOptions
    channels_per_signal = 2

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """See `Encoder.events`."""
        level = np.floor((signal.values - self.options.offset) / self.options.level).astype(np.int64)
        return step_events(np.diff(level, axis=0, prepend=0), signal.times_us)

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the signal at these times, to within half a level."""
        counts = self.counts(recording, times_us)
        level = (counts[:, :, 0] - counts[:, :, 1]).cumsum(0)
        return np.asarray(self.options.offset + self.options.level * (level + 0.5))


def step_events(
    steps: Int[np.ndarray, "T C"], times_us: Int[np.ndarray, " T"]
) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return |n| events for each step n at its sample's time: on channel 0 where it rises, on channel 1 where it falls."""
    rows, signals = np.nonzero(steps)
    moved = steps[rows, signals]
    many = np.abs(moved)
    return np.repeat(times_us[rows], many), np.repeat(signals, many), np.repeat((moved < 0).astype(np.int64), many)
