"""Reader of AEDAT 3.1 files, the format of event cameras' own software from 2016 to 2019.

A file has lines of text that start with `#`, then packets of events of one kind. A packet begins with a header of 28 bytes,
little-endian: kind and source (16 bits each), bytes per event, offset of the time in an event, number of overflows of the clock
of 31 bits, capacity, number of events, number of valid events. A polarity event is a word (bit 0 valid, bit 1 polarity, bits 2
to 16 y, bits 17 to 31 x) and a time [µs].

The library has its own reader, as no package that can be installed with a current PyTorch reads this version completely
(events of other kinds, overflows of the clock, truncated files).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError

__all__ = ["PixelEvents", "read_aedat"]

_VERSION, _END, _FORMAT = b"#!AER-DAT3.1\r\n", b"#!END-HEADER\r\n", b"#Format:"
_HEADER = struct.Struct("<hhiiiiii")
_EVENT = np.dtype([("word", "<u4"), ("time_us", "<u4")])
_POLARITY, _EVENT_BYTES, _TIME_OFFSET, _CLOCK_BITS = 1, 8, 4, 31


class PixelEvents(NamedTuple):
    """Events of the pixels of a camera, in the order of the file."""

    times_us: Int[np.ndarray, " E"]
    polarity: Int[np.ndarray, " E"]
    y: Int[np.ndarray, " E"]
    x: Int[np.ndarray, " E"]


class _Packet(NamedTuple):
    body: int  # byte of the file at which its events start
    n_events: int
    overflows: int


def read_aedat(path: Path, *, height: int, width: int) -> PixelEvents:
    """Read all valid polarity events of a file; other events are skipped.

    Args:
        path: A file of format AEDAT 3.1, not compressed.
        height: Rows of the sensor.
        width: Columns of the sensor.

    Raises:
        SpikingGammaError: The file is missing, of another version, truncated or damaged, has no valid event or one outside the
            sensor.

    Example:
        >>> read_aedat(Path("user01_led.aedat"), height=128, width=128).times_us[:2]  # doctest: +SKIP
        array([80048239, 80048267])
    """
    if not path.is_file():
        raise SpikingGammaError(str(path), "no such file", "a recording in AEDAT 3.1")
    data = path.read_bytes()
    first = _after_text(path, data)
    packets = _polarity_packets(path, data, first)
    if not packets:
        raise SpikingGammaError(str(path), "no polarity event", "at least one")
    events = np.concatenate([np.frombuffer(data, _EVENT, packet.n_events, packet.body) for packet in packets])
    counts = [packet.n_events for packet in packets]
    overflows = np.repeat(np.array([packet.overflows for packet in packets], np.int64), counts)
    return _on_sensor(path, events, overflows, height, width)


def _after_text(path: Path, data: bytes) -> int:
    """Return the byte at which the first packet starts."""
    if not data.startswith(_VERSION):
        raise SpikingGammaError(str(path), f"a file that starts with {data[:14]!r}", f"AEDAT 3.1, {_VERSION!r}")
    end = data.find(_END)
    lines = data[: max(end, 0)].split(b"\r\n")[:-1]
    if end < 0 or not all(line.startswith(b"#") for line in lines):
        raise SpikingGammaError(str(path), "lines of text without an end", f"lines that start with '#' up to {_END!r}")
    for line in lines:
        if line.startswith(_FORMAT) and line[len(_FORMAT) :].strip() != b"RAW":
            raise SpikingGammaError(str(path), repr(line.decode("ascii", "replace")), "'#Format: RAW', not compressed")
    return end + len(_END)


def _polarity_packets(path: Path, data: bytes, first: int) -> list[_Packet]:
    """Return the packets that hold polarity events."""
    packets, start = [], first
    while start < len(data):
        place = f"{path}, packet at byte {start}"
        body = start + _HEADER.size
        if body > len(data):
            raise SpikingGammaError(place, f"{len(data) - start} bytes", f"{_HEADER.size}, at least: is it cut short?")
        kind, _, size, offset, overflows, room, count, valid = _HEADER.unpack_from(data, start)
        if kind < 0 or size < 1 or overflows < 0 or not 0 <= valid <= count:
            got = f"kind {kind}, {size} bytes an event, {overflows} overflows, {valid} valid of {count} events"
            raise SpikingGammaError(place, got, "numbers of at least 0, and no more valid events than events")
        # Readers use either of these numbers; a file in which they differ is refused.
        if room != count:
            raise SpikingGammaError(place, f"room for {room} events and {count} events", "the same number")
        if kind == _POLARITY and (size, offset) != (_EVENT_BYTES, _TIME_OFFSET):
            got = f"{size} bytes an event, its time at byte {offset}"
            raise SpikingGammaError(place, got, f"{_EVENT_BYTES} and {_TIME_OFFSET} for polarity events")
        end = body + count * size
        if end > len(data):
            got = f"{len(data) - body} bytes of events"
            raise SpikingGammaError(place, got, f"{count} events of {size} bytes: is it cut short?")
        if kind == _POLARITY and count:
            packets.append(_Packet(body, count, overflows))
        start = end
    return packets


def _on_sensor(path: Path, events: Any, overflows: Int[np.ndarray, " E"], height: int, width: int) -> PixelEvents:
    words, times_us = events["word"].astype(np.int64), events["time_us"].astype(np.int64)
    valid = (words & 1) == 1
    if not valid.any():
        raise SpikingGammaError(str(path), "no valid event", "at least one")
    x, y = words >> 17, words >> 2 & 0x7FFF
    wrong = valid & ((x >= width) | (y >= height) | (times_us >= 1 << _CLOCK_BITS))
    if wrong.any():
        place = int(wrong.argmax())
        got = f"x {x[place]}, y {y[place]}, time {times_us[place]} at polarity event {place}"
        expected = f"x below {width}, y below {height} and a time of {_CLOCK_BITS} bits"
        raise SpikingGammaError(str(path), got, expected)
    times_us += overflows << _CLOCK_BITS
    return PixelEvents(times_us[valid], (words >> 1 & 1)[valid], y[valid], x[valid])
