"""MNIST: handwritten digits, encoded as spikes by latency or pixel by pixel.

60 000 training and 10 000 test pictures, 28 x 28 pixels of brightness 0 to 255. LeCun, Bottou, Bengio, Haffner (1998),
doi 10.1109/5.726791.

Layout: `mnist/train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each
compressed by gzip (`.gz`) or not. The files may hold any part of the data set.

| code | channels | spike times |
| --- | --- | --- |
| `latency` | (1, 28, 28), one per pixel | once where its brightness p ≥ `threshold` θ, at (255 - p) / (256 - θ) · duration |
| `sequential` | 2 L, upward crossings first | pixel i, row by row, comes at i · `pixel_ms`; a spike for each level it crosses |
| `permuted` | the same | the same, with the pixels in one fixed random order |

L levels divide the brightness into L + 1 equal parts, q = floor(p (L + 1) / 256). Before the first pixel q is 0. Where it
rises from a to b, the channels a to b - 1 spike, and where it falls from b to a, the channels L + a to L + b - 1. So upward
minus downward spikes up to a pixel add up to its q, and L = 255 is lossless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.fetch import fetch
from spikinggamma.datasets.idx import read_idx
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.files.locks import taking_turns
from spikinggamma.options import Options

__all__ = ["CODES", "INFO", "describe", "load", "pixel_order"]

SIDE = 28
Code = Literal["latency", "sequential", "permuted"]
CODES: tuple[str, ...] = get_args(Code)
_PIXELS = SIDE * SIDE
_Events = tuple[npt.NDArray[Any], npt.NDArray[Any]]  # times [us] and channels, each [E]
_MIRROR = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

INFO = Info(
    name="mnist",
    title="MNIST",
    n_classes=10,
    class_names=tuple("0123456789"),
    n_channels=_PIXELS,
    size="70000 pictures",
    licence="CC BY-SA 3.0",
    url="http://yann.lecun.com/exdb/mnist/",
    citation="""@article{lecun1998gradient,
  author = {LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick},
  title = {Gradient-Based Learning Applied to Document Recognition},
  journal = {Proceedings of the IEEE},
  volume = {86},
  number = {11},
  pages = {2278--2324},
  year = {1998},
  doi = {10.1109/5.726791}
}""",
    shape=(1, SIDE, SIDE),
)


class MNISTOptions(Options):
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


def _described(options: MNISTOptions) -> Info:
    return INFO if options.code == "latency" else INFO._replace(n_channels=2 * options.levels, shape=())


@register_dataset(INFO, options=MNISTOptions, describe=_described)
def load(options: MNISTOptions, how: Loading) -> Splits:
    """Load the digits in three parts; the published files are downloaded where no data root is given.

    Args:
        options: How pictures become spikes.
        how: Its split is `official`, the only one; of the training part a share is held out, the same for every
            digit; its root holds the folder `mnist`.

    Raises:
        SpikingGammaError: The split or code is unknown, an option is out of range, or a file is missing or damaged.

    Example:
        >>> len(load(code="sequential").test)  # doctest: +SKIP
        10000
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    info = _described(options)
    n_channels, shape = info.n_channels, info.shape
    if shape:
        duration_us = round(options.duration_ms * 1000)
        encode = partial(_latency, threshold=options.threshold, duration_us=duration_us)
    else:
        step_us = round(options.pixel_ms * 1000)
        order = pixel_order(options.permutation_seed) if options.code == "permuted" else np.arange(_PIXELS)
        encode = partial(_crossings, order=order, levels=options.levels, step_us=step_us)
        duration_us = _PIXELS * step_us
    folder = (data_root(how.root) or cache_root()) / INFO.name
    if data_root(how.root) is None:
        _fetch(folder)
    key: dict[str, object] = {**dict(options), "version": 1}

    def recordings(part: str) -> Iterator[Recording]:
        for index, (picture, label) in enumerate(zip(*_read_part(folder, part), strict=True)):
            times_us, channels = encode(picture)
            source = f"{part}[{index}]"
            yield Recording(times_us, channels, n_channels, duration_us, int(label), source=source, shape=shape)

    rest, test = (
        mapped_recordings(INFO.name, _files(folder, part), partial(recordings, part), key=key)
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
    return np.array(sorted(range(_PIXELS), key=lambda pixel: hashlib.sha256(f"{seed}:{pixel}".encode()).digest()))


def _read_part(folder: Path, part: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return pictures [P, 784] and labels [P]."""
    pictures_at, labels_at = _files(folder, part)
    pictures, labels = read_idx(pictures_at, 3), read_idx(labels_at, 1)
    if pictures.shape[1:] != (SIDE, SIDE):
        raise SpikingGammaError(str(pictures_at), f"pictures of {pictures.shape[1:]} pixels", f"({SIDE}, {SIDE})")
    if len(labels) != len(pictures):
        raise SpikingGammaError(str(labels_at), f"{len(labels)} labels", f"{len(pictures)}, one a picture")
    if labels.max() >= INFO.n_classes:
        place = int(labels.argmax())
        raise SpikingGammaError(str(labels_at), f"label {labels[place]} at place {place}", "labels from 0 to 9")
    return pictures.reshape(-1, _PIXELS), labels


def _files(folder: Path, part: str) -> tuple[Path, Path]:
    return _find(folder, f"{part}-images-idx3-ubyte"), _find(folder, f"{part}-labels-idx1-ubyte")


def _latency(picture: npt.NDArray[Any], threshold: int, duration_us: int) -> _Events:
    channels = np.flatnonzero(picture >= threshold)
    times_us = (255 - picture[channels].astype(np.int64)) * duration_us // (256 - threshold)
    order = np.argsort(times_us, kind="stable")
    return times_us[order], channels[order]


def _crossings(picture: npt.NDArray[Any], order: npt.NDArray[Any], levels: int, step_us: int) -> _Events:
    now = picture[order].astype(np.int64) * (levels + 1) // 256
    before = np.concatenate([[0], now[:-1]])
    moved = np.flatnonzero(now != before)
    was, becomes, level = before[moved, None], now[moved, None], np.arange(levels)
    crossed = np.concatenate([(was <= level) & (level < becomes), (becomes <= level) & (level < was)], axis=1)
    places, channels = np.nonzero(crossed)
    return moved[places] * step_us, channels


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    remedy = f"Put the four IDX files from {_MIRROR} there, or unset SPIKINGGAMMA_DATA to download them."
    raise SpikingGammaError(str(folder / name), "no such file, nor the same with .gz", "a part of MNIST", remedy)


def _fetch(folder: Path) -> None:
    with taking_turns(folder):
        for name, digest in _CHECKSUMS.items():
            if not (folder / name.removesuffix(".gz")).is_file():
                fetch(_MIRROR + name, folder / name, checksum=f"sha256:{digest}")


def describe(options: Mapping[str, object]) -> Info:
    """Return the `Info` for these options of `load`, as each code has its own channels and shape.

    Example:
        >>> describe({"code": "sequential", "levels": 4}).n_channels
        8
    """
    return load.describe(options)
