"""AEDAT files in class folders: version 2 and 3.1 by readers of the library, version 4 by the package `aedat`.

Version 2 has lines of text that start with `#`, then events of eight bytes, big-endian: an address and a time [us, 32 bits].
The address of a DVS128 is, from the lowest bit, one bit of polarity (1 is OFF), seven of x from the right edge, seven of y;
that of a DAVIS has its polarity at bit 11, x at bits 12 to 21, y at bits 22 to 30, and bit 31 clear for pixels.
Source: the AEDAT 2.0 specification of iniVation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from spikinggamma.datasets.aedat import read_aedat
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS
from spikinggamma.layouts.cameras import Camera, CameraOptions, Pixels, unwrapped
from spikinggamma.optional import require

__all__ = ["AedatFiles", "AedatOptions"]

_SIDES = {"dvs128": (128, 128), "davis240": (240, 180), "davis346": (346, 260)}
_V4, _V3, _V2 = b"#!AER-DAT4", b"#!AER-DAT3.1", b"#!AER-DAT2.0"
_EVENT = np.dtype([("address", ">u4"), ("time_us", ">u4")])


class AedatOptions(CameraOptions):
    """Options of AEDAT files."""

    chip: Literal["dvs128", "davis240", "davis346"] = Field(
        default="dvs128", description="camera of files of version 2 and 3.1, which do not say how large it is"
    )


@LAYOUTS.register("aedat", options=AedatOptions)
class AedatFiles(Camera):
    """AEDAT 2, 3.1 or 4 in class folders; version 4 needs the package aedat."""

    suffixes = (".aedat", ".aedat2", ".aedat3", ".aedat4")
    options: AedatOptions

    def pixels(self, path: Path) -> Pixels:
        """See `Camera.pixels`."""
        with path.open("rb") as file:
            head = file.read(len(_V3))
        width, height = _SIDES[self.options.chip]
        if head.startswith(_V4):
            return _version_4(path)
        if head.startswith(_V3):
            found = read_aedat(path, height=self.options.height or height, width=self.options.width or width)
            return Pixels(found.times_us, found.x, found.y, found.polarity, width, height)
        if head.startswith(_V2):
            return _version_2(path, self.options.chip)
        raise SpikingGammaError(str(path), f"a file that starts with {head!r}", "AEDAT 2.0, 3.1 or 4")


def _version_4(path: Path) -> Pixels:
    require("aedat", "cameras", "which reads AEDAT 4")
    import aedat

    try:
        decoder = aedat.Decoder(str(path))
        streams = {key: stream for key, stream in decoder.id_to_stream().items() if stream["type"] == "events"}
        packets = [packet["events"] for packet in decoder if "events" in packet]
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole AEDAT 4 file") from None
    if len(streams) != 1:
        raise SpikingGammaError(str(path), f"{len(streams)} streams of events", "one")
    ((_, stream),) = streams.items()
    if not packets:
        raise SpikingGammaError(str(path), "no event", "at least one")
    events = np.concatenate(packets)
    times, x, y, on = (events[name].astype(np.int64) for name in ("t", "x", "y", "on"))
    return Pixels(times, x, y, on, int(stream["width"]), int(stream["height"]))


def _version_2(path: Path, chip: str) -> Pixels:
    data, start = path.read_bytes(), 0
    while data[start : start + 1] == b"#":
        start = data.find(b"\n", start) + 1
        if not start:
            raise SpikingGammaError(str(path), "lines of text without an end", "events behind them")
    if (len(data) - start) % _EVENT.itemsize:
        got = f"{len(data) - start} bytes of events"
        raise SpikingGammaError(str(path), got, "eight bytes an event: is it cut short?")
    events = np.frombuffer(data, _EVENT, offset=start)
    address, times = events["address"].astype(np.int64), unwrapped(events["time_us"].astype(np.int64), 32)
    width, height = _SIDES[chip]
    if chip == "dvs128":
        pixels = address < 1 << 15  # others are triggers from outside
        x, y, on = 127 - (address >> 1 & 127), address >> 8 & 127, 1 - (address & 1)
    else:
        pixels = (address >> 31 == 0) & (address >> 10 & 1 == 0)  # others are frames, motion and triggers
        x, y, on = address >> 12 & 1023, address >> 22 & 511, address >> 11 & 1
    return Pixels(times[pixels], x[pixels], y[pixels], on[pixels], width, height)
