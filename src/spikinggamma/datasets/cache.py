"""The disk cache: converted spikes, kept between runs.

Spikes are kept in shards of a hundred recordings, each one file: written under a temporary name and then renamed, so a
shard is either whole or not there. A shard that cannot be read is named in the log and made again. Nothing in it is
code: shards are plain arrays, read without pickle.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError

__all__ = ["Spikes", "cache_root", "cached_spikes"]

_LOG = logging.getLogger(__name__)
_SHARD = 100
_FORMAT = 1


class Spikes(NamedTuple):
    """The spikes of one recording."""

    times_us: Int[np.ndarray, " E"]  # int64
    channels: Int[np.ndarray, " E"]  # int32
    duration_us: int


def cache_root() -> Path:
    """Folder of everything that is kept: `SPIKINGGAMMA_CACHE`, or the user's cache folder."""
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
    """Spikes of every named recording, from the cache where it has them.

    Args:
        dataset: Name of the data set, a folder of the cache.
        names: Recordings in a fixed order.
        convert: Makes the spikes of one; called for those that are not in the cache, from several threads.
        key: Everything that the spikes depend on; another key is another folder.
        workers: Threads that convert; as many as there are processors where left out.
        on_done: Told after each shard how many recordings it held.
    """
    described = json.dumps({"format": _FORMAT, **key}, sort_keys=True)
    folder = cache_root() / dataset / hashlib.sha256(described.encode()).hexdigest()[:16]
    _write(folder / "key.json", lambda path: path.write_text(described + "\n"))
    result: list[Spikes] = []
    with ThreadPoolExecutor(workers or _processors()) as pool:
        try:
            for first in range(0, len(names), _SHARD):
                part = names[first : first + _SHARD]
                path = folder / f"{first // _SHARD:04d}.npz"
                shard = _load(path, len(part))
                if shard is None:
                    shard = list(pool.map(convert, part))
                    _save(path, shard)
                result += shard
                on_done(len(part))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return result


def _processors() -> int:
    # Those that this process may use, where the system can say; a container often has fewer than the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _save(path: Path, shard: list[Spikes]) -> None:
    arrays = {
        "times_us": np.concatenate([spikes.times_us for spikes in shard]).astype(np.uint32),
        "channels": np.concatenate([spikes.channels for spikes in shard]).astype(np.uint16),
        "counts": np.array([len(spikes.times_us) for spikes in shard], dtype=np.int64),
        "durations_us": np.array([spikes.duration_us for spikes in shard], dtype=np.int64),
    }

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())

    _write(path, write)


def _write(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        remedy = "Free some space, or point SPIKINGGAMMA_CACHE at another folder."
        raise SpikingGammaError(str(path), f"not writable ({error.strerror})", "a cache to write to", remedy) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _load(path: Path, n_recordings: int) -> list[Spikes] | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            times, channels = arrays["times_us"].astype(np.int64), arrays["channels"].astype(np.int32)
            counts, durations = arrays["counts"], arrays["durations_us"]
        if len(counts) != n_recordings or len(durations) != n_recordings:
            raise ValueError(f"{len(counts)} recordings instead of {n_recordings}")
        if not len(times) == len(channels) == counts.sum():
            raise ValueError(f"{len(times)} times, {len(channels)} channels, {counts.sum()} spikes promised")
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        _LOG.warning("cache file %s cannot be used (%s); making it again", path, error)
        return None
    ends = np.cumsum(counts)[:-1]
    parts = zip(np.split(times, ends), np.split(channels, ends), durations, strict=True)
    return [Spikes(*part[:2], int(part[2])) for part in parts]
