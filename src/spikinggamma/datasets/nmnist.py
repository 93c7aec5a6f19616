"""N-MNIST: handwritten digits, recorded by an event camera that moves in three saccades.

60 000 training and 10 000 test recordings of about 0.3 s, 34 x 34 pixels, two polarities. Orchard, Jayawant, Cohen, Thakor
(2015), "Converting static image datasets to spiking neuromorphic datasets using saccades", arXiv 1507.07629.

Layout: `Train/{label}/{id}.bin` and `Test/{label}/{id}.bin`, five bytes per event: x, y, then one bit of polarity and 23 bits
of time [µs], big-endian. A record with y = 240 marks an overflow of the clock: all later events are shifted by 2^13 µs.

The folders may hold any part of the data set. A channel is (polarity · 34 + y) · 34 + x.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.options import Options

__all__ = ["INFO", "SIDE", "load", "read_events", "read_recording"]

SIDE = 34
FOLDS = 5
_OVERFLOW_ROW, _OVERFLOW_US = 240, 2**13

INFO = Info(
    name="nmnist",
    title="N-MNIST",
    n_classes=10,
    class_names=tuple("0123456789"),
    n_channels=2 * SIDE * SIDE,
    size="70000 recordings",
    licence="CC BY-SA 4.0",
    url="https://www.garrickorchard.com/datasets/n-mnist",
    citation="""@article{orchard2015converting,
  author = {Orchard, Garrick and Jayawant, Ajinkya and Cohen, Gregory K. and Thakor, Nitish},
  title = {Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades},
  journal = {Frontiers in Neuroscience},
  volume = {9},
  year = {2015},
  doi = {10.3389/fnins.2015.00437}
}""",
    shape=(2, SIDE, SIDE),
)


@register_dataset(INFO)
def load(options: Options, how: Loading) -> Splits:
    """Load the digits in three parts.

    Args:
        options: Empty: this data set has no options.
        how: Its split is `official`, or `fold:K` with K from 0 to 4: both parts thrown together, and a fifth of every
            class tested on. Of the training part a share is held out, the same for every digit; its root holds
            `nmnist/Train` and `nmnist/Test`.

    Raises:
        SpikingGammaError: The split is unknown, there are no recordings, or a file is damaged.

    Example:
        >>> len(load(split="official").test)  # doctest: +SKIP
        10000
    """
    fold = _fold(how.split)
    folder = (data_root(how.root) or cache_root()) / INFO.name
    train, test = _part(folder / "Train"), _part(folder / "Test")
    if fold is not None:
        together = [*train, *test]
        place = dict.fromkeys(range(INFO.n_classes), 0)
        train, test = [], []
        for recording in together:
            (test if place[recording.label] % FOLDS == fold else train).append(recording)
            place[recording.label] += 1
    kept, validation = hold_out(train, how.validation_fraction, seed=how.seed)
    return Splits(kept, validation, test)


def read_recording(path: Path, label: int) -> Recording:
    """Read one `.bin` file.

    Raises:
        SpikingGammaError: The file is empty or truncated, or holds an event outside the sensor or out of order.
    """
    times_us, x, y, polarity = read_events(path)
    outside = (x >= SIDE) | (y >= SIDE)
    if outside.any():
        place = int(outside.argmax())
        raise SpikingGammaError(str(path), f"x {x[place]}, y {y[place]} at event {place}", f"0 to {SIDE - 1} for both")
    channels = (polarity * SIDE + y) * SIDE + x
    source = "/".join(path.parts[-3:])
    return Recording(
        times_us, channels, INFO.n_channels, int(times_us[-1]) + 1, label=label, source=source, shape=INFO.shape
    )


def read_events(
    path: Path,
) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return the time [us], x, y and polarity of every event of a `.bin` file of any sensor of less than 240 rows.

    Raises:
        SpikingGammaError: The file is empty or truncated.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8)
    if not len(data) or len(data) % 5:
        raise SpikingGammaError(str(path), f"{len(data)} bytes", "five bytes an event, and at least one event")
    x, y, high, middle, low = data.reshape(-1, 5).astype(np.int64).T
    times_us = (high & 0x7F) << 16 | middle << 8 | low
    overflow = y == _OVERFLOW_ROW
    times_us += np.cumsum(overflow) * _OVERFLOW_US
    seen = ~overflow
    if not seen.any():
        raise SpikingGammaError(str(path), "no event but overflows of the clock", "at least one event")
    return times_us[seen], x[seen], y[seen], high[seen] >> 7


def _part(folder: Path) -> list[Recording]:
    if not folder.is_dir():
        remedy = (
            f"Download N-MNIST from {INFO.url}, unpack it, and point SPIKINGGAMMA_DATA at the folder above `nmnist`."
        )
        raise SpikingGammaError(str(folder), "no such folder", "the recordings of N-MNIST", remedy)
    files = {path: label for label in range(INFO.n_classes) for path in sorted((folder / str(label)).glob("*.bin"))}
    if not files:
        raise SpikingGammaError(str(folder), "no `.bin` file in the folders 0 to 9", "the recordings of N-MNIST")
    read = partial(map, read_recording, files.keys(), files.values())
    return mapped_recordings(INFO.name, list(files), read, key={"version": 1})


def _fold(split: str) -> int | None:
    kind, _, number = split.partition(":")
    if split == "official":
        return None
    if kind != "fold" or number not in map(str, range(FOLDS)):
        raise SpikingGammaError("split", repr(split), f"'official' or 'fold:K' with K from 0 to {FOLDS - 1}")
    return int(number)
