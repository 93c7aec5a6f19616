"""Poisson rates: random events, with a rate that rises with the signal.

    r(t) = rate · (min(max(x(t), low), high) - low) / (high - low)

Each sample causes a Poisson number of events with mean r(t) d, at times distributed uniformly over its duration of d
seconds. The number n is decoded as low + (high - low) n / (rate d), which is unbiased for samples from `low` to `high`,
with a standard deviation of (high - low) sqrt(r d) / (rate d). The same generator gives the same events.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal
from spikinggamma.encoders.latency import RangeOptions
from spikinggamma.events import Recording

__all__ = ["Poisson", "PoissonOptions"]


class PoissonOptions(RangeOptions):
    """Options of the encoder `poisson`."""

    rate_hz: float = Field(default=100.0, gt=0.0, le=1e6, description="rate of events for the largest value [Hz]")


@ENCODERS.register("poisson", options=PoissonOptions)
class Poisson(Encoder):
    """Random events with a rate that rises with the signal."""

    options: PoissonOptions
    channels_per_signal = 1

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the events; see `Encoder.events`."""
        low, high = self.options.low, self.options.high
        share = (np.clip(signal.values, low, high) - low) / (high - low)
        lasts_us = signal.lasts_us
        many = rng.poisson(share * (self.options.rate_hz * 1e-6 * lasts_us)[:, None])
        rows, signals = (np.repeat(index.ravel(), many.ravel()) for index in np.indices(many.shape))
        times_us = signal.times_us[rows] + rng.integers(0, lasts_us[rows])
        return times_us, signals, np.zeros_like(signals)

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return an unbiased estimate of the signal at these times."""
        lasts_us = np.diff(times_us, append=recording.duration_us)[:, None]
        share = self.counts(recording, times_us)[:, :, 0] / (self.options.rate_hz * 1e-6 * lasts_us)
        return np.asarray(self.options.low + (self.options.high - self.options.low) * share)
