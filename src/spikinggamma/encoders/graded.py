"""Graded events: the number of events at the time of a sample is its size in units.

    n(t) = round(|x(t)| / unit)

The events are on the first channel if x is positive, and on the second if it is negative. The decoded signal ± unit
n(t) differs from x(t) by at most half a unit, so a net that sums the events of a step receives the signal itself.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal
from spikinggamma.encoders.level_crossing import step_events
from spikinggamma.events import Recording
from spikinggamma.options import Options

__all__ = ["Graded", "GradedOptions"]


class GradedOptions(Options):
    """Options of graded events."""

    unit: float = Field(default=0.1, gt=0.0, le=1e9, description="size of the signal per event, in units of the signal")


@ENCODERS.register("graded", options=GradedOptions)
class Graded(Encoder):
    """At each sample as many events as its size in units."""

    options: GradedOptions
    channels_per_signal = 2

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the events; see `Encoder.events`."""
        return step_events(np.rint(signal.values / self.options.unit).astype(np.int64), signal.times_us)

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the signal at these times, to within half a unit."""
        counts = self.counts(recording, times_us)
        return np.asarray(self.options.unit * (counts[:, :, 0] - counts[:, :, 1]))
