"""Disk cache of converted spikes.

Spikes are stored in shards of a hundred recordings, each one file, written under a temporary name and then renamed, so that a
shard is either complete or missing. When all shards are complete, they are copied into flat files, which every later run maps
into memory instead of reading (see `spikinggamma.datasets.spike_maps`). The shards are kept: with half the size of the maps,
they replace minutes of conversion by a second of copying if a map is damaged.

Unreadable files are logged and made again. Shards are plain arrays, read without pickle, so no code is executed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from spikinggamma.datasets.spike_maps import DAMAGE, Spikes, open_maps, write_maps
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import remove_leftovers, replacing, unwritable, write_atomically
from spikinggamma.files.locks import CACHE_REMEDY, taking_turns

__all__ = ["Spikes", "cache_root", "cached_spikes"]

_LOG = logging.getLogger(__name__)
_SHARD = 100
_FORMAT = 1
_MAPS = "maps"


def cache_root() -> Path:
    """Return the root folder of the cache: `SPIKINGGAMMA_CACHE`, or the user's cache folder."""
    named = os.environ.get("SPIKINGGAMMA_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("spikinggamma", appauthor=False))


def cached_spikes(
    dataset: str,
    names: Sequence[str],
    convert: Callable[[str], Spikes],
    *,
    key: dict[str, object],
    workers: int | None = None,
    on_done: Callable[[int], None] = lambda count: None,
) -> list[Spikes]:
    """Return the spikes of every named recording, from the cache where it has them.

    Processes that need the same spikes at once take turns: the first converts, the others wait and find them in the cache.

    Args:
        dataset: Name of the data set, a folder of the cache.
        names: Recordings in a fixed order.
        convert: Function that converts one recording; it is called from several threads for those not in the cache.
        key: Everything that the spikes depend on; each key has its own folder.
        workers: Number of converting threads; by default the number of processors.
        on_done: Function that is called with the number of further completed recordings.

    Returns:
        Read-only views of files, or arrays in memory where the cache cannot be written.

    Raises:
        SpikingGammaError: The cache cannot be written, or `convert` raises it.
    """
    described = json.dumps({"format": _FORMAT, **key}, sort_keys=True)
    folder = cache_root() / dataset / hashlib.sha256(described.encode()).hexdigest()[:16]
    found = _mapped(folder, len(names), logging.DEBUG)
    if found is not None:
        on_done(len(names))
        return found
    try:
        with taking_turns(folder):
            found = _mapped(folder, len(names), logging.WARNING)
            if found is None:
                _fill(folder, names, convert, described, workers, on_done)
                found = _newly_mapped(folder, len(names))
    except SpikingGammaError as error:
        found = _in_memory(folder, len(names))
        if found is None:
            raise
        _LOG.info("spikes of %s are kept in memory (%s)", dataset, error)
    return found


def _mapped(folder: Path, n_recordings: int, level: int) -> list[Spikes] | None:
    maps = folder / _MAPS
    if not maps.exists():
        return None
    try:
        return open_maps(maps, n_recordings)
    except DAMAGE as error:
        _LOG.log(level, "cache folder %s cannot be used (%s); making it again", maps, error)
        return None


def _fill(
    folder: Path,
    names: Sequence[str],
    convert: Callable[[str], Spikes],
    described: str,
    workers: int | None,
    on_done: Callable[[int], None],
) -> None:
    """Create the shards that are missing or damaged."""
    if not (folder / "key.json").exists():
        write_atomically(folder / "key.json", (described + "\n").encode(), remedy=CACHE_REMEDY)
    remove_leftovers(folder)
    with ThreadPoolExecutor(workers or _processors()) as pool:
        try:
            for path, first in _shards(folder, len(names)):
                part = names[first : first + _SHARD]
                if _load(path, len(part)) is None:
                    _save(path, list(pool.map(convert, part)))
                on_done(len(part))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _newly_mapped(folder: Path, n_recordings: int) -> list[Spikes]:
    """Create the maps from complete shards, and return their spikes."""
    maps = folder / _MAPS
    try:
        if maps.exists():
            shutil.rmtree(maps)
        write_maps(maps, (_whole(path, n_recordings - first) for path, first in _shards(folder, n_recordings)))
        return open_maps(maps, n_recordings)
    except OSError as error:
        raise unwritable(maps, error, CACHE_REMEDY) from error


def _in_memory(folder: Path, n_recordings: int) -> list[Spikes] | None:
    """Return all recordings from the shards, or None if one is missing or damaged."""
    shards = list(_shards(folder, n_recordings))
    if not all(path.exists() for path, _ in shards):
        return None
    result: list[Spikes] = []
    for path, first in shards:
        shard = _load(path, min(_SHARD, n_recordings - first))
        if shard is None:
            return None
        result += shard
    return result


def _shards(folder: Path, n_recordings: int) -> Iterator[tuple[Path, int]]:
    """Yield the path of each shard and the index of its first recording."""
    for first in range(0, n_recordings, _SHARD):
        yield folder / f"{first // _SHARD:04d}.npz", first


def _whole(path: Path, n_left: int) -> list[Spikes]:
    shard = _load(path, min(_SHARD, n_left))
    if shard is None:
        raise OSError(None, "a shard was lost", str(path))
    return shard


def _processors() -> int:
    # Processors that this process may use, if the system can tell; a container often has fewer than the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _save(path: Path, shard: list[Spikes]) -> None:
    arrays = {
        "times_us": _narrow(np.concatenate([spikes.times_us for spikes in shard])),
        "channels": _narrow(np.concatenate([spikes.channels for spikes in shard])),
        "counts": np.array([len(spikes.times_us) for spikes in shard], dtype=np.int64),
        "durations_us": np.array([spikes.duration_us for spikes in shard], dtype=np.int64),
    }
    with replacing(path, remedy=CACHE_REMEDY) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _narrow(values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Return the same numbers in the smallest dtype that holds them all."""
    return values.astype(np.min_scalar_type(values.max(initial=0)))


def _load(path: Path, n_recordings: int) -> list[Spikes] | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            columns = [arrays[name] for name in ("times_us", "channels", "counts", "durations_us")]
        for column in columns:
            if column.ndim != 1 or column.dtype.kind not in "iu":
                raise ValueError(f"{column.dtype}, shape {column.shape} instead of a list of integers")
        times, channels, counts, durations = (column.astype(np.int64) for column in columns)
        if len(counts) != n_recordings or len(durations) != n_recordings:
            raise ValueError(f"{len(counts)} recordings instead of {n_recordings}")
        if counts.min(initial=0) < 0 or not len(times) == len(channels) == counts.sum():
            raise ValueError(f"{len(times)} times, {len(channels)} channels, {counts.sum()} spikes promised")
    except DAMAGE as error:
        _LOG.warning("cache file %s cannot be used (%s); making it again", path, error)
        return None
    ends = np.cumsum(counts)[:-1]
    parts = zip(np.split(times, ends), np.split(channels.astype(np.int32), ends), durations, strict=True)
    return [Spikes(one, other, int(duration)) for one, other, duration in parts]
