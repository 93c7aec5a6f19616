"""A recording: spikes with times and channels, and a label; and the three parts of a data set.

An event camera's pixel (p, y, x) of a sensor of `shape` (P, H, W) is channel (p · H + y) · W + x, so that everything which
works on channels also works on pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikinggamma.errors import SpikingGammaError

__all__ = ["Recording", "SensorShape", "Splits"]

_LONGEST_US = 2**63 // 1024 - 1  # in nanoseconds, it still is a number of 64 bits
_OFFSET = "Subtract the time at which the recording starts."

SensorShape = tuple[int, int, int] | tuple[()]
"""(polarities, height, width) of a camera, or nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Spikes as a list of (time, channel), with a label.

    Times are whole microseconds, so that one recording can be binned at any time step; each event is one spike.

    Args:
        times_us: Time of each spike in microseconds, in ascending order; at least 0 and below `duration_us`.
        channels: Channel of each spike; at least 0 and below `n_channels`.
        n_channels: Number of channels of the sensor, including silent ones.
        duration_us: Length of the recording in microseconds, at least 1.
        label: Class, at least 0; -1 if only steps have labels, or values are asked for.
        speaker: Speaker or subject, if splits depend on it.
        source: Origin of the recording, such as a file name.
        shape: (polarities, height, width) of a camera; empty if channels are a list.
        step_labels: Class of each stretch of `step_us`, the first at time 0; -1 if it has none. Their number is
            ceil(duration_us / step_us).
        step_us: Length of those stretches, or of those of `values`, in microseconds; 0 without them.
        values: Numbers to predict, of the whole recording or of each stretch of `step_us`; NaN where they are missing. They
            may stand for classes: 1 for each class that it has, or the share of each.

    Shapes:
        times_us int64 [E]; channels int32 [E]; step_labels int64 [S]; values float64 [K] or [S, K].

    Raises:
        SpikingGammaError: An argument breaks one of these rules; the message names the first invalid event.

    Example:
        >>> Recording(np.array([0, 1500]), np.array([3, 1], np.int32), n_channels=4, duration_us=2000, label=0).n_events
        2
    """

    times_us: npt.NDArray[Any]
    channels: npt.NDArray[Any]
    n_channels: int
    duration_us: int
    label: int
    speaker: str = ""
    source: str = ""
    shape: SensorShape = ()
    step_labels: npt.NDArray[Any] | None = None
    step_us: int = 0
    values: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        times, channels = np.asarray(self.times_us), np.asarray(self.channels)
        if times.ndim != 1 or times.shape != channels.shape:
            got = f"times {times.shape} and channels {channels.shape}"
            raise SpikingGammaError(self._name("times_us"), got, "two lists of one length, shape [E]")
        for name, values in (("times_us", times), ("channels", channels)):
            if len(values) and values.dtype.kind not in "iu":
                raise SpikingGammaError(self._name(name), f"dtype {values.dtype}", "integers")
        if self.n_channels < 1:
            raise SpikingGammaError(self._name("n_channels"), self.n_channels, "at least 1")
        if self.duration_us < 1:
            raise SpikingGammaError(self._name("duration_us"), self.duration_us, "at least 1")
        for name in ("n_channels", "duration_us", "label"):
            object.__setattr__(self, name, self._whole(name))
        if self.n_channels > 2**31 - 1:
            raise SpikingGammaError(self._name("n_channels"), self.n_channels, "below 2^31, as channels have 32 bits")
        if self.duration_us > _LONGEST_US:
            got = f"{self.duration_us} us"
            raise SpikingGammaError(self._name("duration_us"), got, f"at most {_LONGEST_US} us, 285 years", _OFFSET)
        if self.label < (0 if self.step_labels is None and self.values is None else -1):
            raise SpikingGammaError(self._name("label"), self.label, "at least 0")
        if self.shape and (len(self.shape) != 3 or min(self.shape) < 1 or math.prod(self.shape) != self.n_channels):
            expected = f"(polarities, height, width) of {self.n_channels} channels"
            raise SpikingGammaError(self._name("shape"), self.shape, expected)
        self._check_step_labels()
        self._check_values()
        # Compared before conversion: a larger number would become another channel or time.
        if len(channels) and not 0 <= int(channels.min()) <= int(channels.max()) < self.n_channels:
            place = int(np.flatnonzero((channels < 0) | (channels >= self.n_channels))[0])
            got = f"channel {channels[place]} at event {place}"
            raise SpikingGammaError(self._name("channels"), got, f"channels from 0 to {self.n_channels - 1}")
        if len(times) and int(times.max()) > _LONGEST_US:
            raise SpikingGammaError(self._name("times_us"), int(times.max()), f"at most {_LONGEST_US} us", _OFFSET)
        # The class is frozen, so this is the only way to store the converted arrays.
        object.__setattr__(self, "times_us", times.astype(np.int64, copy=False))
        object.__setattr__(self, "channels", channels.astype(np.int32, copy=False))
        self._check_events()

    @property
    def n_events(self) -> int:
        """Return E, the number of spikes."""
        return len(self.times_us)

    @property
    def pixels(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Return polarity, row y and column x of every event of a camera, each [E].

        Raises:
            SpikingGammaError: The recording is not from a camera.
        """
        if not self.shape:
            raise SpikingGammaError(self._name("shape"), "()", "a camera's (polarities, height, width)")
        polarity, y, x = np.unravel_index(self.channels, self.shape)
        return polarity, y, x

    def _check_step_labels(self) -> None:
        if self.step_labels is None:
            by_step = self.values is not None and np.ndim(self.values) == 2
            if self.step_us != 0 and not by_step:
                raise SpikingGammaError(self._name("step_us"), self.step_us, "0, as there are no `step_labels`")
            return
        labels = np.asarray(self.step_labels)
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            got = f"{labels.dtype}, shape {labels.shape}"
            raise SpikingGammaError(self._name("step_labels"), got, "integers, shape [S]")
        if self.step_us < 1:
            raise SpikingGammaError(self._name("step_us"), self.step_us, "at least 1 beside `step_labels`")
        wanted = -(-self.duration_us // self.step_us)
        if len(labels) != wanted:
            expected = f"{wanted}, one for each {self.step_us} us of {self.duration_us} us"
            raise SpikingGammaError(self._name("step_labels"), f"{len(labels)} labels", expected)
        if labels.min() < -1:
            raise SpikingGammaError(self._name("step_labels"), int(labels.min()), "classes from 0, or -1 for none")
        object.__setattr__(self, "step_labels", labels.astype(np.int64, copy=False))

    def _check_values(self) -> None:
        if self.values is None:
            return
        values = np.asarray(self.values)
        if values.dtype.kind != "f" or values.ndim not in (1, 2) or 0 in values.shape or np.isinf(values).any():
            got = f"{values.dtype}, shape {values.shape}"
            raise SpikingGammaError(self._name("values"), got, "finite numbers or NaN, shape [K] or [S, K]")
        if self.step_labels is not None:
            raise SpikingGammaError(self._name("values"), "values beside step_labels", "one of the two")
        if values.ndim == 2:
            if self.step_us < 1:
                raise SpikingGammaError(self._name("step_us"), self.step_us, "at least 1 beside values [S, K]")
            wanted = -(-self.duration_us // self.step_us)
            if len(values) != wanted:
                expected = f"{wanted}, one for each {self.step_us} us of {self.duration_us} us"
                raise SpikingGammaError(self._name("values"), f"{len(values)} rows", expected)
        object.__setattr__(self, "values", values.astype(np.float64, copy=False))

    def _whole(self, name: str) -> int:
        """Return an attribute that has to be a whole number, of whatever type."""
        value = getattr(self, name)
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
            raise SpikingGammaError(self._name(name), repr(value), "a whole number")
        return int(value)

    def _check_events(self) -> None:
        if self.n_events == 0:
            return
        times = self.times_us
        backwards = times[1:] < times[:-1]
        if backwards.any():
            place = int(backwards.argmax()) + 1
            got = f"{times[place]} after {times[place - 1]} at event {place}"
            raise SpikingGammaError(self._name("times_us"), got, "ascending times", "Sort the events by time.")
        if times[0] < 0 or times[-1] >= self.duration_us:
            got = f"times from {times[0]} to {times[-1]}"
            raise SpikingGammaError(
                self._name("times_us"), got, f"times from 0 to {self.duration_us - 1} (duration_us - 1)"
            )

    def _name(self, argument: str) -> str:
        return f"{argument} of {self.source}" if self.source else argument


class Splits(NamedTuple):
    """Three disjoint lists of recordings for training, validation and testing."""

    train: list[Recording]
    validation: list[Recording]
    test: list[Recording]
