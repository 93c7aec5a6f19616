"""The binary format: address-event records of twelve bytes after a header of eight bytes; numbers are little-endian.

    header   53 47 41 45 52 31 0d 0a    "SGAER1", carriage return, newline
    record   time [µs], 64 bits; word, 32 bits: its upper 4 the kind, its lower 28 the channel or class

Kinds: 0 event, 1 tick, 2 end, 3 reset, 4 label, 5 stop; `text` describes their meaning.
"""

from __future__ import annotations

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.parsing import Parser
from spikinggamma.stream.records import LATEST_US, Items, Kind, no_items

__all__ = ["HEADER", "RECORD", "AerParser", "encode_aer"]

HEADER = b"SGAER1\r\n"
RECORD = np.dtype([("time_us", "<u8"), ("word", "<u4")])
_VALUE_BITS = 28


class AerParser(Parser):
    """Parser of the binary format that this module describes.

    Example:
        >>> from spikinggamma.stream.parsing import Vocabulary
        >>> record = (1500).to_bytes(8, "little") + (3).to_bytes(4, "little")
        >>> AerParser(Vocabulary(4, ("a", "b"))).feed(HEADER + record).items.values
        array([3])
    """

    counts = "byte"

    def _whole(self, data: bytes, *, last: bool) -> int:
        start = max(0, len(HEADER) - self.position)  # first byte of the records
        return len(data) - (len(data) - start) % RECORD.itemsize if len(data) >= start else 0

    def _check_rest(self, rest: bytes, *, last: bool) -> None:
        if last and rest:
            place = self.place(self.position)
            raise SpikingGammaError(place, f"{len(rest)} bytes", f"{RECORD.itemsize} of a record: is it cut short?")

    def _step(self, data: bytes, at: int) -> tuple[Items, int]:
        if self.position < len(HEADER):
            if data[: len(HEADER)] != HEADER:
                raise SpikingGammaError(self.place(0), repr(data[: len(HEADER)]), f"the header {HEADER!r}")
            return no_items(), len(HEADER)
        records = np.frombuffer(data, RECORD, offset=at)
        kinds = records["word"] >> _VALUE_BITS
        special = np.flatnonzero(kinds >= Kind.STOP)
        if len(special) and special[0] == 0:
            return self._last(data, at)
        if len(special):
            records, kinds = records[: special[0]], kinds[: special[0]]
        places = self.position + np.arange(len(records)) * RECORD.itemsize
        # An invalid time of 64 bits must not become a negative one.
        times = np.minimum(records["time_us"], LATEST_US).astype(np.int64)
        values = (records["word"] & ((1 << _VALUE_BITS) - 1)).astype(np.int64)
        items = Items(kinds.astype(np.uint8), times, values, places + RECORD.itemsize, places)
        return items, at + len(records) * RECORD.itemsize

    def _last(self, data: bytes, at: int) -> tuple[Items, int]:
        kind = int(np.frombuffer(data, RECORD, 1, at)["word"][0]) >> _VALUE_BITS
        if kind != Kind.STOP:
            expected = ", ".join(f"{known.value} {known.name.lower()}" for known in Kind)
            raise SpikingGammaError(self.place(self.position), f"a record of kind {kind}", expected)
        self.stopped = True
        return no_items(), at + RECORD.itemsize


def encode_aer(items: Items) -> bytes:
    """Return the records of items as bytes, without the header.

    Example:
        >>> len(encode_aer(no_items()))
        0
    """
    records = np.empty(len(items.kinds), RECORD)
    records["time_us"] = items.times_us
    records["word"] = items.kinds.astype(np.uint32) << _VALUE_BITS | items.values.astype(np.uint32)
    return records.tobytes()
