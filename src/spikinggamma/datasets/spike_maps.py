"""Spikes of many recordings as two flat files that are mapped into memory.

| file | content |
| --- | --- |
| `times_us` | int64, all spikes of the first recording, then of the second, ... |
| `channels` | int32, likewise |
| `index.npz` | spikes and length of each recording, the CRC-32 of both files, and further arrays on the recordings |

The system keeps mapped pages once for all processes, and drops them when memory is short. The dtypes are those of a
`Recording`, which takes these views without copying them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from jaxtyping import Int

__all__ = ["DAMAGE", "Spikes", "open_about", "open_maps", "write_maps"]

DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OSError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""Exceptions that reading a truncated or changed NPZ file can raise."""

_KINDS: dict[str, np.dtype[Any]] = {"times_us": np.dtype("<i8"), "channels": np.dtype("<i4")}
_PIECE = 1 << 20


class Spikes(NamedTuple):
    """The spikes of one recording."""

    times_us: Int[np.ndarray, " E"]  # int64
    channels: Int[np.ndarray, " E"]  # int32
    duration_us: int


def write_maps(
    folder: Path, shards: Iterable[list[Spikes]], about: Callable[[], dict[str, npt.NDArray[Any]]] = dict
) -> None:
    """Write the maps into a new folder, atomically.

    Args:
        folder: Path of the folder, which must not exist yet.
        shards: Spikes of neighbouring recordings, one list at a time.
        about: Function that returns further arrays for the index; it is called at the end.

    Raises:
        OSError: The disk is full, the place cannot be written, or a folder of that name exists.
    """
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    counts: list[int] = []
    durations: list[int] = []
    sums = dict.fromkeys(_KINDS, 0)
    try:
        temporary.mkdir()
        with (temporary / "times_us").open("wb") as times, (temporary / "channels").open("wb") as channels:
            for shard in shards:
                counts += [len(spikes.times_us) for spikes in shard]
                durations += [spikes.duration_us for spikes in shard]
                for column, (name, file) in enumerate({"times_us": times, "channels": channels}.items()):
                    flat = np.concatenate([np.asarray(spikes[column]) for spikes in shard]).astype(_KINDS[name])
                    sums[name] = zlib.crc32(flat.data, sums[name])
                    file.write(flat.data)
            for file in (times, channels):
                file.flush()
                os.fsync(file.fileno())
        with (temporary / "index.npz").open("wb") as file:
            crc32 = np.array(list(sums.values()), np.uint32)
            index = {
                "counts": np.array(counts, np.int64),
                "durations_us": np.array(durations, np.int64),
                "crc32": crc32,
            }
            np.savez(file, **index, **about())  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, folder)
    finally:
        with suppress(OSError):
            shutil.rmtree(temporary, ignore_errors=True)


def open_maps(folder: Path, n_recordings: int) -> list[Spikes]:
    """Return read-only views of every recording's spikes.

    Both files are read once to verify their checksums, which takes a fraction of a second for a hundred megabytes.

    Raises:
        One of `DAMAGE`: A file is missing, truncated or changed, or holds another number of recordings.
    """
    with (folder / "index.npz").open("rb") as file, np.load(file, allow_pickle=False) as index:
        counts, durations, sums = index["counts"], index["durations_us"], index["crc32"]
    if not len(counts) == len(durations) == n_recordings:
        raise ValueError(f"{len(counts)} recordings instead of {n_recordings}")
    total = int(counts.sum())
    times, channels = (
        _map(folder / name, kind, total, int(wanted)) for (name, kind), wanted in zip(_KINDS.items(), sums, strict=True)
    )
    ends = np.cumsum(counts)[:-1]
    parts = zip(np.split(times, ends), np.split(channels, ends), durations, strict=True)
    return [Spikes(one, other, int(duration)) for one, other, duration in parts]


def open_about(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """Return all arrays of the index, including those of `about`.

    Raises:
        One of `DAMAGE`: It is missing, truncated or changed.
    """
    with (folder / "index.npz").open("rb") as file, np.load(file, allow_pickle=False) as index:
        return dict(index)


def _map(path: Path, kind: np.dtype[Any], total: int, wanted: int) -> npt.NDArray[np.integer]:
    if path.stat().st_size != total * kind.itemsize:
        raise ValueError(f"`{path.name}` has {path.stat().st_size} bytes instead of {total * kind.itemsize}")
    found = 0
    with path.open(
        "rb"
    ) as file:  # read through the file and not the map, so that the pages are not loaded into this process
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
    if found != wanted:
        raise ValueError(f"`{path.name}` has CRC-32 {found:08x} instead of {wanted:08x}")
    if total == 0:  # an empty file cannot be mapped
        return np.empty(0, kind)
    return np.memmap(path, kind, "r", shape=(total,)).view(np.ndarray)
