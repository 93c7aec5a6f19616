"""Writers of small files of event cameras, from the descriptions of their formats."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

__all__ = ["Event", "aedat2", "aedat4", "dat", "evt2", "evt3"]

Event = tuple[int, int, int, int]  # time [us], x, y, polarity
_OUT = "/mainloop/Recorder/outInfo/"


def evt3(events: Sequence[Event], *, text: bytes = b"% evt 3.0\n% geometry 32x16\n% end\n") -> bytes:
    """EVT 3.0 by Prophesee: words of 16 bits, the state in the upper four: y 0, x 2, time low 6, time high 8."""
    words: list[int] = []
    state: dict[int, int] = {}
    for time, x, y, polarity in events:
        high, low = time >> 12 & 0xFFF, time & 0xFFF
        if state.get(8) != high:
            state.pop(6, None)
        for kind, value in ((8, high), (6, low), (0, y)):
            if state.get(kind) != value:
                words.append(kind << 12 | value)
                state[kind] = value
        words.append(2 << 12 | polarity << 11 | x)
    return text + np.array(words, "<u2").tobytes()


def evt2(events: Sequence[Event], *, text: bytes = b"% evt 2.0\n% geometry 32x16\n") -> bytes:
    """EVT 2.0 by Prophesee: words of 32 bits; 8 has the upper 28 bits of the time, 0 and 1 are events."""
    words: list[int] = []
    before = -1
    for time, x, y, polarity in events:
        if time >> 6 != before:
            before = time >> 6
            words.append(8 << 28 | before & 0x0FFFFFFF)
        words.append(polarity << 28 | (time & 63) << 22 | x << 11 | y)
    return text + np.array(words, "<u4").tobytes()


def dat(events: Sequence[Event], *, text: bytes = b"% Width 32\n% Height 16\n") -> bytes:
    """DAT by Prophesee: two bytes for kind and size, then time and x, y and polarity in 32 bits each."""
    body = b"".join(struct.pack("<II", time & 0xFFFFFFFF, x | y << 14 | p << 28) for time, x, y, p in events)
    return text + bytes([12, 8]) + body


def aedat2(events: Sequence[Event], *, chip: str = "dvs128") -> bytes:
    """AEDAT 2.0: an address and a time, big-endian."""
    rows = []
    for time, x, y, polarity in events:
        address = 1 - polarity | 127 - x << 1 | y << 8 if chip == "dvs128" else polarity << 11 | x << 12 | y << 22
        rows.append(struct.pack(">II", address, time & 0xFFFFFFFF))
    return b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n" + b"".join(rows)


def aedat4(events: Sequence[Event], *, width: int = 32, height: int = 16) -> bytes:
    """AEDAT 4.0, not compressed: a header and a packet, each a flat buffer behind its size."""
    stream = (
        f'<dv version="2.0"><node name="outInfo" path="{_OUT}"><node name="0" path="{_OUT}0/">'
        '<attr key="compression" type="string">NONE</attr><attr key="typeIdentifier" type="string">EVTS</attr>'
        '<attr key="originalOutputName" type="string">events</attr>'
        f'<node name="info" path="{_OUT}0/info/"><attr key="sizeX" type="int">{width}</attr>'
        f'<attr key="sizeY" type="int">{height}</attr></node></node></node></dv>'
    ).encode()
    # A table at byte 20 with a compression, a position and the offset of a text; its layout stands before it.
    header = struct.pack("<I4sHHHHHHiiqII", 20, b"IOHE", 10, 24, 4, 8, 16, 0, 12, 0, -1, 4 + 4, 0)
    header += struct.pack("<I", len(stream)) + stream + b"\0"
    # A table at byte 16 with the offset of a list of structures.
    packet = struct.pack("<I4sHHHHiII", 16, b"EVTS", 6, 8, 4, 0, 8, 8, 0)
    packet += struct.pack("<I", len(events))
    packet += b"".join(struct.pack("<qhh?3x", time, x, y, bool(polarity)) for time, x, y, polarity in events)
    sized = [struct.pack("<I", len(part)) + part for part in (header, packet)]
    return b"#!AER-DAT4.0\r\n" + sized[0] + struct.pack("<ii", 0, len(sized[1])) + sized[1]
