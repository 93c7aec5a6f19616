"""AEDAT 3.1 written by hand, byte by byte, from the published description of the format."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

HEADER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2015-11-06 14:02:21 (TZ-0800)\r\n#!END-HEADER\r\n"
SPECIAL, POLARITY, FRAME, IMU6 = 0, 1, 2, 3

Event = tuple[int, int, int, int]  # time, x, y, polarity


def event(time: int, x: int, y: int, polarity: int, valid: int = 1) -> bytes:
    return struct.pack("<Ii", valid | polarity << 1 | y << 2 | x << 17, time)


def packet(
    body: bytes,
    *,
    kind: int = POLARITY,
    size: int = 8,
    offset: int = 4,
    overflows: int = 0,
    room: int | None = None,
    count: int | None = None,
    valid: int | None = None,
) -> bytes:
    """28 bytes of header and the events; numbers that are left out are those of a whole packet."""
    count = len(body) // size if count is None else count
    room, valid = count if room is None else room, count if valid is None else valid
    return struct.pack("<hhiiiiii", kind, 1, size, offset, overflows, room, count, valid) + body


def polarity_packet(events: list[Event], *, overflows: int = 0) -> bytes:
    return packet(b"".join(event(*one) for one in events), overflows=overflows)


def other_packets() -> bytes:
    """A special event, a frame and a sample of motion; what is in them would be events elsewhere."""
    special = packet(struct.pack("<Ii", 1 | 1 << 1, 5), kind=SPECIAL)
    frame = packet(bytes(range(36)) + b"\x01\x02" * 16, kind=FRAME, size=36 + 32, offset=12)
    motion = packet(event(3, 5, 5, 1) * 4 + bytes(4), kind=IMU6, size=36)
    return special + frame + motion + packet(b"", kind=SPECIAL)


def sorted_events() -> st.SearchStrategy[list[Event]]:
    one = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 127), st.integers(0, 127), st.integers(0, 1))
    return st.lists(one, min_size=1, max_size=30).map(sorted)
