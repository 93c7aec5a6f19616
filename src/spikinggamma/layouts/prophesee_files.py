"""Prophesee's files in class folders: raw EVT3 by the package `evt3`, raw EVT2 by the library, DAT by the package `evio`.

A raw file has lines of text that start with `%` and say its format and size. EVT2 has words of 32 bits, little-endian, whose
top four say what they are: 0 and 1 an event (6 lower bits of its time [us], 11 of x, 11 of y) of polarity 0 and 1, 8 the upper
28 bits of the time. Source: the EVT 2.0 description of Prophesee. These 34 bits begin anew after four and a half hours.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS
from spikinggamma.layouts.cameras import Camera, CameraOptions, Pixels, unwrapped
from spikinggamma.optional import require

__all__ = ["PropheseeFiles"]

_MOST_TEXT = 1 << 16
_SIZE = (re.compile(rb"geometry\s+(\d+)x(\d+)"), re.compile(rb"width=(\d+);height=(\d+)"))
_DAT_SIZE = re.compile(rb"[Ww]idth\s+(\d+)[\s%]+[Hh]eight\s+(\d+)")
_VERSION = re.compile(rb"(?:evt\s+|format\s+EVT)(\d)")


@LAYOUTS.register("prophesee", options=CameraOptions)
class PropheseeFiles(Camera):
    """Prophesee's raw EVT2 or EVT3 files, or DAT, in class folders; EVT3 needs the package evt3, DAT evio."""

    suffixes = (".raw", ".dat")

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """See `Layout.recognises`."""
        with path.open("rb") as file:
            return path.suffix.lower() in cls.suffixes and file.read(1) == b"%"

    def pixels(self, path: Path) -> Pixels:
        """See `Camera.pixels`."""
        text, start = _text(path)
        size = next((found for pattern in _SIZE if (found := pattern.search(text))), None)
        width, height = (int(size[1]), int(size[2])) if size else (0, 0)
        if path.suffix.lower() == ".dat":
            return _dat(path, text)
        version = _VERSION.search(text)
        if version is None or version[1] not in b"23":
            got = "no version of its events" if version is None else f"EVT{version[1].decode()}"
            raise SpikingGammaError(str(path), got, "a raw file of EVT2 or EVT3")
        if version[1] == b"2":
            return _evt2(path, start)._replace(width=width, height=height)
        return _evt3(path)._replace(width=width, height=height)


def _text(path: Path) -> tuple[bytes, int]:
    """Return the lines of text at the head of a file, and the byte at which its events begin."""
    with path.open("rb") as file:
        lines = []
        start = 0
        while (line := file.readline(_MOST_TEXT)).startswith(b"%"):
            lines.append(line)
            start = file.tell()
            if line.strip() == b"% end":
                break
    return b"".join(lines), start


def _evt2(path: Path, start: int) -> Pixels:
    data = path.read_bytes()[start:]
    if len(data) % 4:
        raise SpikingGammaError(str(path), f"{len(data)} bytes of events", "four bytes a word: is it cut short?")
    words = np.frombuffer(data, "<u4").astype(np.int64)
    kinds = words >> 28
    high = kinds == 8
    highs = unwrapped(words[high] & 0x0FFFFFFF, 28)
    index = np.cumsum(high) - 1
    events = (kinds <= 1) & (index >= 0)  # before the first upper bits, the time is not known
    times = (highs[index[events]] << 6) | (words[events] >> 22 & 63)
    return Pixels(times, words[events] >> 11 & 2047, words[events] & 2047, kinds[events])


def _evt3(path: Path) -> Pixels:
    require("evt3", "cameras", "which reads raw files of EVT3")
    import evt3

    try:
        found = evt3.decode_file(str(path))
    except (OSError, RuntimeError, ValueError) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole raw file of EVT3") from None
    times, x, y, polarity = (
        np.asarray(column).astype(np.int64) for column in (found.timestamp, found.x, found.y, found.polarity)
    )
    return Pixels(times, x, y, polarity)


def _dat(path: Path, text: bytes) -> Pixels:
    require("evio", "cameras", "which reads .dat files")
    from evio.formats import prophesee

    try:
        events = prophesee.read(path)
    except (OSError, ValueError) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole .dat file") from None
    size = _DAT_SIZE.search(text)
    width, height = (int(size[1]), int(size[2])) if size else (0, 0)
    times = unwrapped(events["t"].astype(np.int64), 32)
    x, y, polarity = (events[name].astype(np.int64) for name in ("x", "y", "p"))
    return Pixels(times, x, y, polarity, width, height)
