"""Augmentation of recordings: random changes that leave the class unchanged.

All act on the flat events of a batch with one random generator, before binning, so that they do not depend on the time step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events.gathering import Gathered
from spikinggamma.events.perturb import delete, jitter_spikes, keep
from spikinggamma.events.pixels import Move, move_pixels

__all__ = ["Augment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augment:
    """Random changes of recordings, applied in this order; all are off by default.

    Args:
        channel_shift: Every recording moves by its own whole number of channels, uniform from -channel_shift to
            +channel_shift; events that leave the sensor are lost.
        pixel_shift: Every recording of a camera moves by its own number of pixels in each direction, uniform from
            -pixel_shift to +pixel_shift; events that leave the sensor are lost, here and with the next two.
        rotation_deg: It turns about the centre of the sensor by its own angle, uniform from -rotation_deg to +rotation_deg.
        zoom: It is scaled about the centre by its own factor, uniform from 1 - z to 1 + z.
        time_stretch: Every recording's times and duration are scaled by its own factor, uniform from 1 - f to 1 + f.
        jitter_ms: Every event moves by its own normal deviate of this standard deviation; at the ends of the recording
            it is reflected, so none is lost.
        deletion: Every event is deleted with this probability.

    Example:
        >>> Augment(jitter_ms=2.0).active
        True
    """

    channel_shift: int = 0
    pixel_shift: float = 0.0
    rotation_deg: float = 0.0
    zoom: float = 0.0
    time_stretch: float = 0.0
    jitter_ms: float = 0.0
    deletion: float = 0.0

    def __post_init__(self) -> None:
        if self.channel_shift < 0:
            raise SpikingGammaError("channel_shift", self.channel_shift, "a number of channels, at least 0")
        for name, value, most in (
            ("pixel_shift", self.pixel_shift, 1e4),
            ("rotation_deg", self.rotation_deg, 180.0),
            ("zoom", self.zoom, 0.9),
        ):
            if not 0.0 <= value <= most:
                raise SpikingGammaError(name, value, f"from 0 to {most:g}")
        if not 0.0 <= self.time_stretch < 1.0:
            raise SpikingGammaError("time_stretch", self.time_stretch, "a fraction from 0 to below 1")
        if not (np.isfinite(self.jitter_ms) and self.jitter_ms >= 0.0):
            raise SpikingGammaError("jitter_ms", self.jitter_ms, "a finite standard deviation in ms, at least 0")
        if not 0.0 <= self.deletion <= 1.0:
            raise SpikingGammaError("deletion", self.deletion, "a probability from 0 to 1")

    @property
    def active(self) -> bool:
        """Return whether any change is switched on."""
        return self._moves or any((self.channel_shift, self.time_stretch, self.jitter_ms, self.deletion))

    @property
    def _moves(self) -> bool:
        return any((self.pixel_shift, self.rotation_deg, self.zoom))

    def __call__(self, events: Gathered, rng: np.random.Generator) -> Gathered:
        """Return the changed events; those given are not modified."""
        if self.channel_shift:
            events = _shift_channels(events, self.channel_shift, rng)
        if self._moves:
            events = move_pixels(events, Move(self.pixel_shift, self.rotation_deg, self.zoom), rng)
        if self.time_stretch:
            events = _stretch(events, self.time_stretch, rng)
        if self.jitter_ms:
            events = jitter_spikes(events, self.jitter_ms, rng)
        if self.deletion:
            events = delete(events, self.deletion, rng)
        return events


def _shift_channels(events: Gathered, most: int, rng: np.random.Generator) -> Gathered:
    shifts = rng.integers(-most, most, size=len(events.durations_us), endpoint=True)
    channels = events.channels + shifts[events.samples].astype(np.int32)
    inside = (channels >= 0) & (channels < events.n_channels[events.samples])
    return keep(events._replace(channels=channels), inside)


def _stretch(events: Gathered, fraction: float, rng: np.random.Generator) -> Gathered:
    factors = rng.uniform(1.0 - fraction, 1.0 + fraction, size=len(events.durations_us))
    times = np.floor(events.times_us * factors[events.samples]).astype(np.int64)
    durations = np.ceil(events.durations_us * factors).astype(np.int64)
    return events._replace(times_us=times, durations_us=durations)
