"""Level crossing: an event for each level that a signal has crossed since the last sample, upwards or downwards.

    q(t) = floor((x(t) - offset) / level),    q(-1) = 0

There are q(t) - q(t-1) events on the first channel if q rises, and q(t-1) - q(t) on the second if it falls. The sum of
all events so far, upward ones minus downward ones, is q(t), and the decoded signal offset + level (q(t) + 1/2) differs
from x(t) by at most half a level. Levels are fixed, so a signal that fluctuates around one crosses it again and again,
unlike with `delta`.
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

    level: float = Field(default=0.1, gt=0.0, le=1e9, description="distance between two levels, in units of the signal")
    offset: float = Field(default=0.0, description="level at which a signal starts, in its units")


@ENCODERS.register("level_crossing", options=LevelCrossingOptions)
class LevelCrossing(Encoder):
    """An event for each of a set of fixed levels that the signal has crossed, upwards or downwards."""

    options: LevelCrossingOptions
    channels_per_signal = 2

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the events; see `Encoder.events`."""
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
    """Return |n| events for each step n at the time of its sample: on channel 0 if n > 0, on channel 1 if n < 0."""
    rows, signals = np.nonzero(steps)
    moved = steps[rows, signals]
    many = np.abs(moved)
    return np.repeat(times_us[rows], many), np.repeat(signals, many), np.repeat((moved < 0).astype(np.int64), many)
