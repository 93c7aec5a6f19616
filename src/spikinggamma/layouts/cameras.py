"""Event cameras' files, each a recording: N-MNIST's `.bin`, AEDAT 2, 3.1 and 4, Prophesee's raw EVT2 and EVT3, and DAT.

Readers of other packages are asked where there are good ones; an extra, `cameras`, installs them. What is common to all is
here: the size of the sensor, the clock, and the pooling of pixels.
"""

from __future__ import annotations

import abc
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import FileLayout, LayoutOptions

__all__ = ["Camera", "CameraOptions", "Pixels", "unwrapped"]

_LONGEST_US = 3_600_000_000  # an hour: a recording with one label is shorter


class CameraOptions(LayoutOptions):
    """Options of the files of event cameras."""

    width: int = Field(default=0, ge=0, le=16384, description="columns of the sensor; 0: as the file says")
    height: int = Field(default=0, ge=0, le=16384, description="rows of the sensor; 0: as the file says")
    pool: int = Field(default=1, ge=1, le=256, description="side of the squares of pixels that are summed to one")
    start_at_first: bool = Field(default=True, description="count time from the first event: a camera's clock runs on")


class Pixels(NamedTuple):
    """The events of a file."""

    times_us: Int[np.ndarray, " E"]  # int64, as the camera's clock has them
    x: Int[np.ndarray, " E"]
    y: Int[np.ndarray, " E"]
    polarity: Int[np.ndarray, " E"]  # 0 or 1
    width: int = 0  # 0: the file does not say
    height: int = 0


class Camera(FileLayout):
    """What the layouts of event cameras have in common."""

    options: CameraOptions
    usual: tuple[int, int] = (0, 0)  # width and height where neither the file nor the user says

    @abc.abstractmethod
    def pixels(self, path: Path) -> Pixels:
        """Return the events of a file."""

    def read_events(self, path: Path) -> tuple[Spikes, tuple[int, ...]]:
        """See `FileLayout.read_events`."""
        found = self.pixels(path)
        if not len(found.times_us):
            raise SpikingGammaError(str(path), "no event", "at least one")
        width = self.options.width or found.width or self.usual[0]
        height = self.options.height or found.height or self.usual[1]
        if not (width and height):
            got = f"no size of the sensor; its events reach x {int(found.x.max())} and y {int(found.y.max())}"
            raise SpikingGammaError(str(path), got, "data.options.width and height")
        for name, values, end in (("x", found.x, width), ("y", found.y, height)):
            wrong = (values < 0) | (values >= end)
            if wrong.any():
                place = int(wrong.argmax())
                raise SpikingGammaError(str(path), f"{name} {values[place]} at event {place}", f"0 to {end - 1}")
        return self._on_sensor(path, found, width, height)

    def _on_sensor(self, path: Path, found: Pixels, width: int, height: int) -> tuple[Spikes, tuple[int, ...]]:
        times = np.asarray(found.times_us, dtype=np.int64)
        order = np.argsort(times, kind="stable") if (np.diff(times) < 0).any() else slice(None)
        times = times[order]
        start = int(times[0]) if self.options.start_at_first else 0
        last = int(times[-1]) - start
        if int(times[0]) < 0 or last >= _LONGEST_US:
            got = f"times from {times[0] / 1e6:.6g} s to {times[-1] / 1e6:.6g} s"
            remedy = "" if self.options.start_at_first else "Leave data.options.start_at_first at true."
            raise SpikingGammaError(str(path), got, "a recording of less than an hour", remedy)
        pool = self.options.pool
        rows, columns = height // pool, width // pool
        if not (rows and columns):
            raise SpikingGammaError("data.options.pool", pool, f"at most {min(width, height)}, the sensor's side")
        x, y = found.x[order].astype(np.int64) // pool, found.y[order].astype(np.int64) // pool
        inside = (x < columns) & (y < rows)
        channels = ((found.polarity[order].astype(np.int64) * rows + y) * columns + x)[inside]
        return Spikes(times[inside] - start, channels.astype(np.int32), last + 1), (2, rows, columns)


def unwrapped(times: Int[np.ndarray, " E"], bits: int) -> Int[np.ndarray, " E"]:
    """Return times of a clock of so many bits that goes on where it has begun anew.

    A step back by more than half of the clock's range is such a beginning; smaller ones are events out of order.

    Example:
        >>> unwrapped(np.array([250, 255, 3]), 8)
        array([250, 255, 259])
    """
    times = np.asarray(times, dtype=np.int64)
    back = np.diff(times, prepend=times[:1])
    turns = (back < -(1 << bits) // 2).astype(np.int64) - (back > (1 << bits) // 2)
    return np.asarray(times + (np.cumsum(turns) << bits))
