"""Graded events: the number of events at a sample's time is its size in units.

    n(t) = round(|x(t)| / unit)

events on the first channel where x is positive, on the second where it is negative. A net that sums the events of a step hears
the signal as it is: the decoded signal ± unit n(t) is never further than half a unit from x(t).
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

    unit: float = Field(
        default=0.1, gt=0.0, le=1e9, description="size that one event stands for, in units of the signal"
    )


@ENCODERS.register("graded", options=GradedOptions)
class Graded(Encoder):
    """As many events at each sample as it has units: the signal as it is."""

    options: GradedOptions
    channels_per_signal = 2

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """See `Encoder.events`."""
        return step_events(np.rint(signal.values / self.options.unit).astype(np.int64), signal.times_us)

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the signal at these times, to within half a unit."""
        counts = self.counts(recording, times_us)
        return np.asarray(self.options.unit * (counts[:, :, 0] - counts[:, :, 1]))
