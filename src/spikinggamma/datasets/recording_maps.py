"""Cache of recordings from published files, which are read once and then mapped into memory.

A large data set does not fit into memory and takes minutes to unpack. Its recordings are read, checked and written to flat
files in the cache one after the other (`spikinggamma.datasets.spike_maps`, twelve bytes per event); every later run maps these.
A file with another size or modification time is read again. If the cache cannot be written, recordings are read into memory.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.spike_maps import DAMAGE, Spikes, open_about, open_maps, write_maps
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, SensorShape
from spikinggamma.files.atomic import remove_leftovers
from spikinggamma.files.locks import taking_turns

__all__ = ["mapped_recordings"]

_LOG = logging.getLogger(__name__)
_FORMAT = 1
_MAPS = "maps"
_PIECE_EVENTS = 4_000_000  # about 50 MB


class _Facts(NamedTuple):
    """A recording without its events."""

    label: int
    speaker: str
    source: str
    n_channels: int
    shape: SensorShape


def mapped_recordings(
    dataset: str, files: Sequence[Path], read: Callable[[], Iterable[Recording]], *, key: dict[str, object]
) -> list[Recording]:
    """Return the recordings of `read`, from the cache where these files have been read before.

    Args:
        dataset: Name of the data set, a folder of the cache.
        files: Every file that `read` opens.
        read: Function that yields the recordings in a fixed order, all of one sensor, each with one label, file by file, so
            that little is in memory at once.
        key: Everything else that the recordings depend on.

    Returns:
        Recordings whose events are read-only views of files, or arrays in memory where the cache cannot be written.

    Raises:
        SpikingGammaError: `read` raises it; nothing is cached then.
    """
    described = json.dumps({"format": _FORMAT, "files": [_stamp(path) for path in files], **key}, sort_keys=True)
    folder = cache_root() / dataset / f"files-{hashlib.sha256(described.encode()).hexdigest()[:16]}"
    found = _opened(folder, logging.DEBUG)
    if found is not None:
        return found
    with ExitStack() as stack:
        try:
            stack.enter_context(taking_turns(folder))
        except SpikingGammaError as error:
            _LOG.info("recordings of %s are kept in memory (%s)", dataset, error)
            return list(read())
        found = _opened(folder, logging.WARNING)
        if found is not None:
            return found
        try:
            return _kept(folder, read)
        except OSError as error:
            _LOG.info("recordings of %s are kept in memory (%s)", dataset, error)
    return list(read())


def _in_pieces(recordings: Iterable[Recording]) -> Iterator[list[Recording]]:
    """Yield lists of neighbouring recordings that have a few million events together."""
    piece: list[Recording] = []
    events = 0
    for recording in recordings:
        piece.append(recording)
        events += recording.n_events
        if events >= _PIECE_EVENTS:
            yield piece
            piece, events = [], 0
    if piece:
        yield piece


def _kept(folder: Path, read: Callable[[], Iterable[Recording]]) -> list[Recording]:
    """Read all recordings, write the maps, and open them."""
    remove_leftovers(folder)
    maps = folder / _MAPS
    if maps.exists():
        shutil.rmtree(maps)
    info: list[_Facts] = []

    def pieces() -> Iterator[list[Spikes]]:
        for piece in _in_pieces(read()):
            info.extend(_Facts(r.label, r.speaker, r.source, r.n_channels, r.shape) for r in piece)
            yield [Spikes(r.times_us, r.channels, r.duration_us) for r in piece]

    def about() -> dict[str, npt.NDArray[Any]]:
        sensors = {(fact.n_channels, fact.shape) for fact in info}
        if len(sensors) != 1:
            raise SpikingGammaError(
                "recordings", f"sensors {sorted(sensors)}", "at least one recording, all of one sensor"
            )
        return {
            "labels": np.array([fact.label for fact in info], np.int64),
            "speakers": np.array([fact.speaker for fact in info], np.str_),
            "sources": np.array([fact.source for fact in info], np.str_),
            "n_channels": np.array(info[0].n_channels),
            "shape": np.array(info[0].shape, np.int64),
        }

    write_maps(maps, pieces(), about)
    found = _opened(folder, logging.WARNING)
    if found is None:
        raise OSError(None, "what was written cannot be read", str(maps))
    return found


def _opened(folder: Path, level: int) -> list[Recording] | None:
    maps = folder / _MAPS
    if not maps.exists():
        return None
    try:
        about = open_about(maps)
        labels, speakers, sources = (about[name].tolist() for name in ("labels", "speakers", "sources"))
        n_channels, shape = int(about["n_channels"]), _shape(about["shape"].tolist())
        found = open_maps(maps, len(labels))
        return [
            Recording(*spikes[:2], n_channels, spikes.duration_us, label, speaker, source, shape)
            for spikes, label, speaker, source in zip(found, labels, speakers, sources, strict=True)
        ]
    except DAMAGE as error:
        _LOG.log(level, "cache folder %s cannot be used (%s); making it again", maps, error)
        return None


def _shape(sides: list[int]) -> SensorShape:
    return (sides[0], sides[1], sides[2]) if sides else ()


def _stamp(path: Path) -> list[object]:
    try:
        status = path.stat()
    except OSError:  # `read` raises an error that names the missing file
        return [str(path)]
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]
