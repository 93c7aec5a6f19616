"""Checks of an HDF5 file for damage that would make the HDF5 library hang or run out of memory.

Lists of different lengths are stored in global heaps: blocks that begin with `GCOL` and a length, and hold objects with a
header of 16 bytes (a number, and at byte 8 a size) and their content. Object number 0 is the free space, and its size is that
of the free space. Versions of the library up to 2.0 loop endlessly over such an object of size 0, and one changed bit in a size
can produce it. Source: HDF5 File Format Specification, version 3.0, III.E.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spikinggamma.errors import SpikingGammaError

__all__ = ["check_heaps", "check_lengths"]

_START = b"GCOL\x01\0\0\0"
_HEADER = 16  # size of the header of a heap and of an object, with lengths of 8 bytes, as h5py and PyTables write


def check_heaps(path: Path) -> None:
    """Raise an error for a heap that the HDF5 library would read endlessly; other damage is left to the library.

    Raises:
        SpikingGammaError: Names the file and the place.
    """
    if path.stat().st_size < _HEADER:  # too small to map or to hold a heap
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.find(_START)
        while start >= 0:
            place = _endless_at(data, start)
            if place is not None:
                got = f"not readable (an object of no size at byte {place}, in the heap at byte {start})"
                raise SpikingGammaError(str(path), got, "a whole HDF5 file", "Fetch it again.")
            start = data.find(_START, start + 1)


def _endless_at(data: mmap.mmap, start: int) -> int | None:
    if start + _HEADER > len(data):
        return None
    end = min(start + struct.unpack_from("<Q", data, start + 8)[0], len(data))
    place = start + _HEADER
    while place + _HEADER <= end:
        number, size = struct.unpack_from("<H6xQ", data, place)
        step = size if number == 0 else _HEADER + -(-size // 8) * 8
        if step == 0:
            return place
        place += step
    return None


def check_lengths(part: Any, path: Path) -> None:
    """Raise an error for lists that claim to be larger than the whole file, as the library would allocate memory for them.

    The file stores for each list its length (4 bytes), the heap's address (8) and the object's number (4). Compressed tables of
    lists are not checked.

    Args:
        part: A data set of an open file.
        path: That file.

    Raises:
        SpikingGammaError: Names the file, the list and its length.
    """
    import h5py

    most = path.stat().st_size
    if part.size > most:
        got = f"not readable (`{part.name}` has {part.size} entries, in {most} bytes)"
        raise SpikingGammaError(str(path), got, "a whole HDF5 file", "Fetch it again.")
    inner = h5py.check_vlen_dtype(part.dtype) or h5py.check_string_dtype(part.dtype)
    if part.dtype.kind != "O" or inner is None:
        return
    size = inner.itemsize if isinstance(inner, np.dtype) else 1
    for offset, count in _stretches(part):
        lengths = np.fromfile(path, [("length", "<u4"), ("where", "V12")], count, offset=offset)["length"]
        wrong = lengths.astype(np.int64) * size > most
        if wrong.any():
            place = int(wrong.argmax())
            got = f"not readable (list {place} of `{part.name}` has {lengths[place]} items, in {most} bytes)"
            raise SpikingGammaError(str(path), got, "a whole HDF5 file", "Fetch it again.")


def _stretches(part: Any) -> Iterator[tuple[int, int]]:
    """Yield the byte offset and the number of lists, for each contiguous part of an uncompressed table."""
    start = part.file.userblock_size
    if part.chunks is None:
        offset = part.id.get_offset()
        if offset is not None:
            yield start + offset, part.size
    elif part.id.get_create_plist().get_nfilters() == 0:
        for index in range(part.id.get_num_chunks()):
            chunk = part.id.get_chunk_info(index)
            yield start + chunk.byte_offset, chunk.size // 16
