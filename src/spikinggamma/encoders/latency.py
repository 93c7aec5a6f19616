"""Latency: one event for each sample, the earlier the larger the sample is, within the duration of the sample.

    e(t) = (high - x(t)) / (high - low),    the event is round(e (d - 1)) after the sample, which lasts d

in whole microseconds, for samples from `low` to `high`. Larger samples count as `high`, and smaller ones cause no
event. The decoding error is at most (high - low) / (2 (d - 1)); a sample without an event is decoded as `low`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, model_validator

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal
from spikinggamma.events import Recording
from spikinggamma.options import Options

__all__ = ["Latency", "LatencyOptions", "RangeOptions", "delays_us"]


class RangeOptions(Options):
    """The range of a signal."""

    low: float = Field(default=0.0, description="smallest value, in units of the signal")
    high: float = Field(default=1.0, description="largest value, in units of the signal")

    @model_validator(mode="after")
    def _ascends(self) -> RangeOptions:
        if not self.low < self.high:
            raise ValueError("a `low` below `high`")
        return self


class LatencyOptions(RangeOptions):
    """Options of the encoder `latency`."""


@ENCODERS.register("latency", options=LatencyOptions)
class Latency(Encoder):
    """One event for each sample, the earlier the larger the sample is."""

    options: LatencyOptions
    channels_per_signal = 1

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the events; see `Encoder.events`."""
        low, high = self.options.low, self.options.high
        rows, signals = np.nonzero(signal.values >= low)
        share = (high - np.minimum(signal.values[rows, signals], high)) / (high - low)
        after_us = np.rint(share * (signal.lasts_us[rows] - 1)).astype(np.int64)
        return signal.times_us[rows] + after_us, signals, np.zeros_like(signals)

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the signal at these times, [T, C]; samples below `low` are decoded as `low`."""
        found = delays_us(recording, times_us)
        lasts_us = np.diff(times_us, append=recording.duration_us)[:, None]
        share = np.where(found < 0, 1.0, found / np.maximum(lasts_us - 1, 1))
        return np.asarray(self.options.high - share * (self.options.high - self.options.low))


def delays_us(recording: Recording, times_us: Int[np.ndarray, " T"]) -> Int[np.ndarray, "T N"]:
    """Return the delay of each channel's first event after each time, before the next; -1 without an event, [T, N]."""
    found = np.full((len(times_us), recording.n_channels), -1, dtype=np.int64)
    place = np.searchsorted(times_us, recording.times_us, side="right") - 1
    for index in range(recording.n_events - 1, -1, -1):  # backwards, so that the first of several stays
        if place[index] >= 0:
            row = place[index]
            found[row, recording.channels[index]] = recording.times_us[index] - times_us[row]
    return found
