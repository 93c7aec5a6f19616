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
from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.fetch import fetch
from spikinggamma.datasets.idx import read_idx
from spikinggamma.datasets.info import Info
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.files.locks import taking_turns

__all__ = ["CODES", "INFO", "describe", "load", "pixel_order"]

SIDE = 28
CODES = ("latency", "sequential", "permuted")
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


def describe(options: Mapping[str, object]) -> Info:
    """Return the `Info` for these options of `load`, as each code has its own channels and shape.

    Example:
        >>> describe({"code": "sequential", "levels": 4}).n_channels
        8
    """
    code = options.get("code", "latency")
    if code not in CODES:
        raise SpikingGammaError("code", repr(code), "one of " + ", ".join(CODES))
    levels = _whole("levels", options.get("levels", 8), 1, 255)
    return INFO if code == "latency" else INFO._replace(n_channels=2 * levels, shape=())


def load(
    *,
    split: str = "official",
    validation_fraction: float = 0.1,
    seed: int = 0,
    code: str = "latency",
    duration_ms: float = 20.0,
    threshold: int = 50,
    pixel_ms: float = 1.0,
    levels: int = 8,
    permutation_seed: int = 0,
    root: Path | str | None = None,
) -> Splits:
    """Load the digits in three parts; the published files are downloaded where no data root is given.

    Args:
        split: `official`, the only one.
        validation_fraction: Share of the training part held out, the same for every digit.
        seed: Seed of the choice of validation recordings.
        code: `latency`, `sequential` or `permuted`.
        duration_ms: Length of a recording in the latency code, at least 1.
        threshold: Lowest brightness that spikes in the latency code, 1 to 255.
        pixel_ms: Time between pixels in the other two codes, at least 0.001.
        levels: Number of levels L in these codes, 1 to 255.
        permutation_seed: Seed of the order of the pixels in the permuted code.
        root: Data root, which holds the folder `mnist`; the environment's `SPIKINGGAMMA_DATA`, or else the cache, where left
            out.

    Raises:
        SpikingGammaError: The split or code is unknown, an option is out of range, or a file is missing or damaged.

    Example:
        >>> len(load(code="sequential").test)  # doctest: +SKIP
        10000
    """
    if split != "official":
        raise SpikingGammaError("split", repr(split), "'official'")
    info = describe({"code": code, "levels": levels})
    n_channels, shape = info.n_channels, info.shape
    if shape:
        least, duration_us = _whole("threshold", threshold, 1, 255), _microseconds("duration_ms", duration_ms, 1.0)
        encode = partial(_latency, threshold=least, duration_us=duration_us)
    else:
        step_us = _microseconds("pixel_ms", pixel_ms, 0.001)
        order = pixel_order(permutation_seed) if code == "permuted" else np.arange(_PIXELS)
        encode, duration_us = partial(_crossings, order=order, levels=levels, step_us=step_us), _PIXELS * step_us
    folder = (data_root(root) or cache_root()) / INFO.name
    if data_root(root) is None:
        _fetch(folder)
    options = {"code": code, "duration_ms": duration_ms, "threshold": threshold, "pixel_ms": pixel_ms, "levels": levels}
    key: dict[str, object] = {**options, "permutation_seed": permutation_seed, "version": 1}

    def recordings(part: str) -> Iterator[Recording]:
        for index, (picture, label) in enumerate(zip(*_read_part(folder, part), strict=True)):
            times_us, channels = encode(picture)
            source = f"{part}[{index}]"
            yield Recording(times_us, channels, n_channels, duration_us, int(label), source=source, shape=shape)

    rest, test = (
        mapped_recordings(INFO.name, _files(folder, part), partial(recordings, part), key=key)
        for part in ("train", "t10k")
    )
    train, validation = hold_out(rest, validation_fraction, seed=seed)
    return Splits(train, validation, test)


def pixel_order(permutation_seed: int) -> npt.NDArray[Any]:
    """Return the order of pixels in the permuted code, which does not depend on versions of libraries.

    Shapes:
        result int64 [784], each pixel (28 · row + column) once.
    """
    seed = _whole("permutation_seed", permutation_seed, 0, 2**63 - 1)
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


def _whole(name: str, value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SpikingGammaError(name, repr(value), f"a whole number from {low} to {high}")
    return value


def _microseconds(name: str, value: float, least: float) -> int:
    if not least <= value <= 60_000.0:  # NaN is neither
        raise SpikingGammaError(name, repr(value), f"{least:g} to 60000 ms")
    return round(value * 1000)
