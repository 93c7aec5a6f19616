"""Pictures of 28 x 28 pixels in IDX files, encoded as spikes by latency or pixel by pixel.

| code | channels | spike times |
| --- | --- | --- |
| `latency` | (1, 28, 28), one per pixel | once where its brightness p ≥ `threshold` θ, at (255 - p) / (256 - θ) · duration |
| `sequential` | 2 L, upward crossings first | pixel i, row by row, comes at i · `pixel_ms`; a spike for each level it crosses |
| `permuted` | the same | the same, with the pixels in one fixed random order |

L levels divide the brightness into L + 1 equal parts, q = floor(p (L + 1) / 256). Before the first pixel q is 0. Where it
rises from a to b, the channels a to b - 1 spike, and where it falls from b to a, the channels L + a to L + b - 1. So upward
minus downward spikes up to a pixel add up to its q, and L = 255 is lossless.

Layout: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` in a folder
of the set's name, each compressed by gzip (`.gz`) or not. The files may hold any part of the data set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.fetch import fetch
from spikinggamma.datasets.idx import read_idx
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.datasets.registry import Info, Loading
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.files.locks import taking_turns
from spikinggamma.options import Options

__all__ = ["CODES", "PIXELS", "SIDE", "PictureOptions", "Source", "described", "load_pictures", "pixel_order"]

SIDE = 28
PIXELS = SIDE * SIDE
Code = Literal["latency", "sequential", "permuted"]
CODES: tuple[str, ...] = get_args(Code)
_Events = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # times [us] and channels, each [E]


class Source(NamedTuple):
    """A data set of such pictures: what it is, and where its four files come from.

    Attributes:
        info: The data set; its name is that of its folder.
        mirror: URL of the folder of the files.
        checksums: Of each compressed file, as in `md5:1503...`.
    """

    info: Info
    mirror: str
    checksums: Mapping[str, str]


class PictureOptions(Options):
    """Options of the codes of pictures as spikes."""

    code: Code = Field(
        default="latency",
        description="code of a picture: each pixel by its latency, or pixel by pixel in order or in a random order",
    )
    duration_ms: float = Field(
        default=20.0, ge=1.0, le=60_000.0, description="length of a recording in the latency code [ms]"
    )
    threshold: int = Field(default=50, ge=1, le=255, description="lowest brightness that spikes in the latency code")
    pixel_ms: float = Field(
        default=1.0, ge=0.001, le=60_000.0, description="time between pixels in the other two codes [ms]"
    )
    levels: int = Field(default=8, ge=1, le=255, description="number of levels of brightness in these")
    permutation_seed: int = Field(
        default=0, ge=0, lt=2**63, description="seed of the order of the pixels in the permuted code"
    )


def described(info: Info, options: PictureOptions) -> Info:
    """Return what a data set is in this code, as each code has its own channels and shape."""
    return info if options.code == "latency" else info._replace(n_channels=2 * options.levels, shape=())


def load_pictures(source: Source, options: PictureOptions, how: Loading) -> Splits:
    """Load a data set in three parts; the published files are downloaded where no data root is given.

    Args:
        source: The data set.
        options: How pictures become spikes.
        how: Its split is `official`, the only one; of the training part a share is held out, the same for every
            class; its root holds the folder of the data set.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing or damaged.
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    info = described(source.info, options)
    n_channels, shape = info.n_channels, info.shape
    if shape:
        duration_us = round(options.duration_ms * 1000)
        encode = partial(latency_code, threshold=options.threshold, duration_us=duration_us)
    else:
        step_us = round(options.pixel_ms * 1000)
        order = pixel_order(options.permutation_seed) if options.code == "permuted" else np.arange(PIXELS)
        encode = partial(crossing_code, order=order, levels=options.levels, step_us=step_us)
        duration_us = PIXELS * step_us
    folder = (data_root(how.root) or cache_root()) / info.name
    if data_root(how.root) is None:
        _fetch(folder, source)
    key: dict[str, object] = {**dict(options), "version": 1}

    def recordings(part: str) -> Iterator[Recording]:
        for index, (picture, label) in enumerate(zip(*_read_part(folder, part, source), strict=True)):
            times_us, channels = encode(picture)
            name = f"{part}[{index}]"
            yield Recording(times_us, channels, n_channels, duration_us, int(label), source=name, shape=shape)

    rest, test = (
        mapped_recordings(info.name, _files(folder, part, source), partial(recordings, part), key=key)
        for part in ("train", "t10k")
    )
    train, validation = hold_out(rest, how.validation_fraction, seed=how.seed)
    return Splits(train, validation, test)


def pixel_order(permutation_seed: int) -> npt.NDArray[Any]:
    """Return the order of pixels in the permuted code, which does not depend on versions of libraries.

    Shapes:
        result int64 [784], each pixel (28 · row + column) once.
    """
    seed = permutation_seed
    return np.array(sorted(range(PIXELS), key=lambda pixel: hashlib.sha256(f"{seed}:{pixel}".encode()).digest()))


def _read_part(folder: Path, part: str, source: Source) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return pictures [P, 784] and labels [P]."""
    pictures_at, labels_at = _files(folder, part, source)
    pictures, labels = read_idx(pictures_at, 3), read_idx(labels_at, 1)
    if pictures.shape[1:] != (SIDE, SIDE):
        raise SpikingGammaError(str(pictures_at), f"pictures of {pictures.shape[1:]} pixels", f"({SIDE}, {SIDE})")
    if len(labels) != len(pictures):
        raise SpikingGammaError(str(labels_at), f"{len(labels)} labels", f"{len(pictures)}, one a picture")
    if labels.max() >= source.info.n_classes:
        place = int(labels.argmax())
        raise SpikingGammaError(str(labels_at), f"label {labels[place]} at place {place}", "labels from 0 to 9")
    return pictures.reshape(-1, PIXELS), labels


def _files(folder: Path, part: str, source: Source) -> tuple[Path, Path]:
    return _find(folder, f"{part}-images-idx3-ubyte", source), _find(folder, f"{part}-labels-idx1-ubyte", source)


def latency_code(picture: npt.NDArray[Any], threshold: int, duration_us: int) -> _Events:
    channels = np.flatnonzero(picture >= threshold)
    times_us = (255 - picture[channels].astype(np.int64)) * duration_us // (256 - threshold)
    order = np.argsort(times_us, kind="stable")
    return times_us[order], channels[order]


def crossing_code(picture: npt.NDArray[Any], order: npt.NDArray[Any], levels: int, step_us: int) -> _Events:
    now = picture[order].astype(np.int64) * (levels + 1) // 256
    before = np.concatenate([[0], now[:-1]])
    moved = np.flatnonzero(now != before)
    was, becomes, level = before[moved, None], now[moved, None], np.arange(levels)
    crossed = np.concatenate([(was <= level) & (level < becomes), (becomes <= level) & (level < was)], axis=1)
    places, channels = np.nonzero(crossed)
    return moved[places] * step_us, channels


def _find(folder: Path, name: str, source: Source) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    remedy = f"Put the four IDX files from {source.mirror} there, or unset SPIKINGGAMMA_DATA to download them."
    raise SpikingGammaError(
        str(folder / name), "no such file, nor the same with .gz", f"a part of {source.info.title}", remedy
    )


def _fetch(folder: Path, source: Source) -> None:
    with taking_turns(folder):
        for name, checksum in source.checksums.items():
            if not (folder / name.removesuffix(".gz")).is_file():
                fetch(source.mirror + name, folder / name, checksum=checksum)
