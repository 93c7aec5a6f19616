"""Gaussian receptive fields: a population of channels for each signal, each with a preferred value.

    centres μ_m evenly from low to high, width σ = spread · their distance Δ
    response  g_m(t) = exp(-(x(t) - μ_m)² / 2σ²)

For each sample a channel sends one event, round((1 - g) (d - 1)) after it in whole microseconds, where d is the
duration of the sample, if g is at least `threshold`. Values beyond the range count as its end.

A value is decoded from the two earliest channels i, j. Their responses differ by a known ratio, so

    x = (μ_i + μ_j) / 2 + σ² (ln g_i - ln g_j) / (μ_i - μ_j)

exactly, except for the rounding of times, which changes g by at most ε = 1 / (2 (d - 1)), and x by at most σ²/Δ · 2 ε /
(g - ε), where g is the smaller response. It is at least exp(-1 / (2 spread²)), so the threshold must be below that.

Source: Bohte, Kok and La Poutré (2002), Neurocomputing 48, 17.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, model_validator

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal
from spikinggamma.encoders.latency import RangeOptions, delays_us
from spikinggamma.events import Recording

__all__ = ["ReceptiveFields", "ReceptiveFieldsOptions"]

SPIKE_PROP = """@article{bohte2002error,
  title   = {Error-backpropagation in temporally encoded networks of spiking neurons},
  author  = {Bohte, Sander M. and Kok, Joost N. and La Poutr{\\'e}, Han},
  journal = {Neurocomputing},
  volume  = {48},
  pages   = {17--37},
  year    = {2002},
  doi     = {10.1016/S0925-2312(01)00658-0}
}"""


class ReceptiveFieldsOptions(RangeOptions):
    """Options of Gaussian receptive fields."""

    channels: int = Field(default=8, ge=2, le=4096, description="number of channels for each signal")
    spread: float = Field(
        default=0.75, ge=0.3, le=10.0, description="width of a field, in distances between two centres"
    )
    threshold: float = Field(default=0.1, gt=0.0, lt=1.0, description="smallest response with an event")

    @model_validator(mode="after")
    def _two_respond(self) -> ReceptiveFieldsOptions:
        least = math.exp(-0.5 / self.spread**2)
        if self.threshold >= least:
            raise ValueError(f"a `threshold` below {least:.3g}, so that two channels respond to every value")
        return self


@ENCODERS.register("receptive_fields", options=ReceptiveFieldsOptions, citations=(SPIKE_PROP,))
class ReceptiveFields(Encoder):
    """A population with Gaussian receptive fields, in which a stronger response gives an earlier event."""

    options: ReceptiveFieldsOptions

    @property
    def channels_per_signal(self) -> int:
        """Return the number of channels; see `Encoder.channels_per_signal`."""
        return self.options.channels

    @property
    def centres(self) -> Float[np.ndarray, " M"]:
        """Return the preferred values of the channels, [M]."""
        return np.linspace(self.options.low, self.options.high, self.options.channels)

    @property
    def width(self) -> float:
        """Return σ, in units of the signal."""
        return self.options.spread * (self.options.high - self.options.low) / (self.options.channels - 1)

    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the events; see `Encoder.events`."""
        values = np.clip(signal.values, self.options.low, self.options.high)
        response = np.exp(-0.5 * ((values[:, :, None] - self.centres) / self.width) ** 2)
        rows, signals, channels = np.nonzero(response >= self.options.threshold)
        late = 1.0 - response[rows, signals, channels]
        after_us = np.rint(late * (signal.lasts_us[rows] - 1)).astype(np.int64)
        return signal.times_us[rows] + after_us, signals, channels

    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the signal at these times, from the two earliest channels of each signal."""
        lasts_us = np.diff(times_us, append=recording.duration_us)[:, None]
        late = delays_us(recording, times_us)
        response = np.where(late < 0, 0.0, 1.0 - late / np.maximum(lasts_us - 1, 1))
        response = response.reshape(len(times_us), -1, self.options.channels)
        best = np.argsort(-response, axis=2, kind="stable")[:, :, :2]
        log = np.log(np.maximum(np.take_along_axis(response, best, axis=2), np.finfo(np.float64).tiny))
        first, second = self.centres[best[:, :, 0]], self.centres[best[:, :, 1]]
        return np.asarray((first + second) / 2.0 + self.width**2 * (log[:, :, 0] - log[:, :, 1]) / (first - second))
