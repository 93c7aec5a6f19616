"""Send on delta: an event whenever the signal differs by a level from the value decoded from earlier events.

    n(t) = trunc((x(t) - r(t-1)) / level),    r(t) = r(t-1) + level n(t),    r(-1) = start

There are |n(t)| events at the time of the sample, on the first channel if n is positive, and on the second if it is
negative. The decoded signal is r(t), which differs from x(t) by less than one level. A signal that fluctuates by less
than a level causes no events.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal
from spikinggamma.encoders.level_crossing import step_events
from spikinggamma.events import Recording
from spikinggamma.options import Options

__all__ = ["Delta", "DeltaOptions"]


class DeltaOptions(Options):
    """Options of sending on delta."""

    level: float = Field(
        default=0.1, gt=0.0, le=1e9, description="change of the signal per event, in units of the signal"
    )
    start: float = Field(default=0.0, description="decoded value before the first event, in units of the signal")


@ENCODERS.register("delta", options=DeltaOptions)
class Delta(Encoder):
    """An event whenever the signal differs by a level from the value decoded so far."""

    options: DeltaOptions
    channels_per_signal = 2

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the events; see `Encoder.events`."""
        # In whole levels, so that rounding errors do not accumulate over long signals.
        wanted = (signal.values - self.options.start) / self.options.level
        steps = np.zeros(wanted.shape, dtype=np.int64)
        sent = np.zeros(wanted.shape[1])
        for row, value in zip(steps, wanted, strict=True):
            moved = np.trunc(value - sent)
            row[:] = moved
            sent += moved
        return step_events(steps, signal.times_us)

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the signal at these times, to within one level."""
        counts = self.counts(recording, times_us)
        return np.asarray(self.options.start + self.options.level * (counts[:, :, 0] - counts[:, :, 1]).cumsum(0))
