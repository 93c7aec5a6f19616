"""Cache of recordings as a layout found them: flat files that are mapped into memory, made anew when a file has changed."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.spike_maps import DAMAGE, Spikes, open_about, open_maps, write_maps
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import remove_leftovers
from spikinggamma.files.locks import taking_turns
from spikinggamma.layouts.base import Found
from spikinggamma.layouts.naming import NamedFile

__all__ = ["digest_of", "kept_recordings"]

_LOG = logging.getLogger(__name__)
_FORMAT = 1
_MAPS = "maps"
_PIECE_EVENTS = 4_000_000  # about 50 MB
_SAID = ("source", "label", "speaker", "part")


def digest_of(layout: str, files: Sequence[NamedFile], key: dict[str, Any]) -> str:
    """Return a digest of everything that the recordings depend on: files with size and time, their names, and options."""
    stamps = [[str(one.path.resolve()), one.path.stat().st_size, one.path.stat().st_mtime_ns] for one in files]
    described = json.dumps({"format": _FORMAT, "layout": layout, "files": stamps, "options": key}, sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def kept_recordings(
    layout: str, files: Sequence[NamedFile], read: Callable[[], Iterable[Found]], *, key: dict[str, Any]
) -> list[Found]:
    """Return the recordings of `read`, from the cache where these files have been read before.

    Recordings with signals, or with answers beside their class, are small and are not kept.

    Args:
        layout: Name of the layout.
        files: Every file that `read` opens.
        read: Yields the recordings in a fixed order.
        key: Options that they depend on.

    Raises:
        SpikingGammaError: `read` raises it; nothing is cached then.
    """
    folder = cache_root() / "own" / digest_of(layout, files, key)
    found = _opened(folder, logging.DEBUG)
    if found is not None:
        return found
    try:
        with taking_turns(folder):
            found = _opened(folder, logging.WARNING)
            return _kept(folder, read) if found is None else found
    except OSError as error:
        _LOG.info("recordings are kept in memory (%s)", error)
    except SpikingGammaError as error:
        if str(folder.parent) not in str(error):  # the recordings are at fault, not the cache
            raise
        _LOG.info("recordings are kept in memory (%s)", error)
    return list(read())


def _kept(folder: Path, read: Callable[[], Iterable[Found]]) -> list[Found]:
    remove_leftovers(folder)
    shutil.rmtree(folder / _MAPS, ignore_errors=True)
    found: list[Found] = []  # without their events, which may not fit into memory together
    plain = True

    def pieces() -> Iterator[list[Spikes]]:
        nonlocal plain
        piece: list[Spikes] = []
        for one in read():
            found.append(replace(one, events=None))
            if one.events is None or one.answer is not None:
                plain = False
                return
            piece.append(one.events)
            if sum(len(events.times_us) for events in piece) >= _PIECE_EVENTS:
                yield piece
                piece = []
        if piece:
            yield piece

    write_maps(folder / _MAPS, pieces(), lambda: _about(found))
    if not plain:
        shutil.rmtree(folder / _MAPS, ignore_errors=True)
        return list(read())
    kept = _opened(folder, logging.WARNING)
    return list(read()) if kept is None else kept


def _about(found: Sequence[Found]) -> dict[str, npt.NDArray[Any]]:
    about: dict[str, npt.NDArray[Any]] = {
        name: np.array([getattr(one, name) for one in found], np.str_) for name in _SAID
    }
    about["columns"] = np.array([json.dumps(dict(one.columns)) for one in found], np.str_)
    about["names"] = np.array([json.dumps(one.answer_names) for one in found], np.str_)
    about["sensor"] = np.array([json.dumps(one.sensor) for one in found], np.str_)
    return about


def _opened(folder: Path, level: int) -> list[Found] | None:
    maps = folder / _MAPS
    if not maps.exists():
        return None
    try:
        about = open_about(maps)
        said = [about[name].tolist() for name in _SAID]
        columns, sensors, names = (
            [json.loads(text) for text in about[name].tolist()] for name in ("columns", "sensor", "names")
        )
        events = open_maps(maps, len(columns))
        return [
            Found(source, one, None, label, speaker, part, column, tuple(sensor), answer_names=tuple(name))
            for one, source, label, speaker, part, column, sensor, name in zip(
                events, *said, columns, sensors, names, strict=True
            )
        ]
    except DAMAGE as error:
        _LOG.log(level, "cache folder %s cannot be used (%s); making it again", maps, error)
        return None
