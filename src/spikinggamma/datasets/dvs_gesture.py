"""DVS128 Gesture: eleven gestures of hands and arms, recorded by an event camera of 128 x 128 pixels.

29 people in three kinds of light; the published lists train on 23 of them and test on six. Amir, Taba, Berg, Melano, McKinstry,
di Nolfo, Nayak, Andreopoulos, Garreau, Mendoza, Kusnitz, Debole, Esser, Delbruck, Flickner, Modha (2017), "A low power, fully
event-based gesture recognition system", CVPR.

Layout: `dvs_gesture/DvsGesture/` below the data root, unpacked as published: `trials_to_train.txt` and `trials_to_test.txt`
list files, `userXX_LIGHT.aedat` is one of them (see `spikinggamma.datasets.aedat`), and `userXX_LIGHT_labels.csv` says which
gesture was made from when until when. Every such stretch is a recording, its times counted from the stretch's start.

A channel is (polarity · H + y) · W + x. The published files take 5 GB, eight bytes an event. A recording takes twelve; they are
kept in the cache and mapped into memory, about 7 GB in all.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import Field, field_validator

from spikinggamma.datasets.aedat import read_aedat
from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.options import Options

__all__ = ["INFO", "describe", "load", "read_recordings"]

SIDE = 128
_COLUMNS = "class,startTime_usec,endTime_usec"
_FILE = re.compile(r"(user[0-9]+)_\w+\.aedat", re.ASCII)
_LABEL = re.compile(r"([0-9]{1,2}),([0-9]{1,18}),([0-9]{1,18})")
# Noise keeps a camera from being silent for this long, so a file that ends earlier before a gesture's end is truncated.
_SILENCE_US = 100_000

INFO = Info(
    name="dvs_gesture",
    title="DVS128 Gesture",
    n_classes=11,
    class_names=(
        "hand clapping",
        "right hand wave",
        "left hand wave",
        "right arm clockwise",
        "right arm counter-clockwise",
        "left arm clockwise",
        "left arm counter-clockwise",
        "arm roll",
        "air drums",
        "air guitar",
        "other gestures",
    ),
    n_channels=2 * SIDE * SIDE,
    size="1342 gestures in 122 files",
    licence="CC BY 4.0",
    url="https://research.ibm.com/dvsgesture/",
    citation="""@inproceedings{amir2017low,
  author = {Amir, Arnon and Taba, Brian and Berg, David and Melano, Timothy and McKinstry, Jeffrey and di Nolfo, Carmelo
    and Nayak, Tapan and Andreopoulos, Alexander and Garreau, Guillaume and Mendoza, Marcela and Kusnitz, Jeff
    and Debole, Michael and Esser, Steve and Delbruck, Tobi and Flickner, Myron and Modha, Dharmendra},
  title = {A Low Power, Fully Event-Based Gesture Recognition System},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2017},
  doi = {10.1109/CVPR.2017.781}
}""",
    shape=(2, SIDE, SIDE),
)


class _Gesture(NamedTuple):
    label: int
    start_us: int
    end_us: int


class GestureOptions(Options):
    """Options of how the camera's pixels are read."""

    pool: int = Field(
        default=1,
        description="side of the squares of pixels that are summed to one pixel, a divisor of 128 [pixels]",
    )

    @field_validator("pool")
    @classmethod
    def _divides(cls, pool: int) -> int:
        _check_pool(pool)
        return pool


def describe(options: GestureOptions) -> Info:
    """Return the `Info` for these options of `load`, in which pooling reduces the number of pixels."""
    side = SIDE // options.pool
    return INFO._replace(n_channels=2 * side * side, shape=(2, side, side))


@register_dataset(INFO, options=GestureOptions, describe=describe)
def load(options: GestureOptions, how: Loading) -> Splits:
    """Load the gestures in three parts.

    Args:
        options: How the camera's pixels are read.
        how: Its split is `official`, the only one: the published lists. The share is of the training part's people,
            held out with all their recordings; one person at least where it is above 0. Its root holds
            `dvs_gesture/DvsGesture`.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing or damaged.

    Example:
        >>> load(pool=4).train[0].shape  # doctest: +SKIP
        (2, 32, 32)
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    folder = (data_root(how.root) or cache_root()) / INFO.name / "DvsGesture"
    if not folder.is_dir():
        remedy = (
            f"Download it from {INFO.url}, unpack it in `{INFO.name}`, and point SPIKINGGAMMA_DATA at the folder above."
        )
        raise SpikingGammaError(str(folder), "no such folder", "the recordings of DVS128 Gesture", remedy)
    lists = [_listed(folder / f"trials_to_{part}.txt") for part in ("train", "test")]
    users = [{_user(name) for name in names} for names in lists]
    if both := sorted(users[0] & users[1]):
        raise SpikingGammaError(str(folder / "trials_to_test.txt"), f"{both[0]}", "nobody from `trials_to_train.txt`")
    held = _held_out(sorted(users[0]), how.validation_fraction, how.seed)
    train: list[Recording] = []
    validation: list[Recording] = []
    for name in lists[0]:
        (validation if _user(name) in held else train).extend(_mapped(folder / name, options.pool))
    test = [recording for name in lists[1] for recording in _mapped(folder / name, options.pool)]
    return Splits(train, validation, test)


def _mapped(path: Path, pool: int) -> list[Recording]:
    read = partial(read_recordings, path, pool=pool)
    return mapped_recordings(INFO.name, [path, _labels_of(path)], read, key={"pool": pool, "version": 1})


def read_recordings(path: Path, *, pool: int = 1) -> list[Recording]:
    """Read the gestures of one `.aedat` file by the labels beside it; each includes its start and excludes its end.

    Raises:
        SpikingGammaError: The file or its labels are missing or damaged, or a gesture has no event.
    """
    _check_pool(pool)
    gestures = _gestures(_labels_of(path))
    events = read_aedat(path, height=SIDE, width=SIDE)
    side = SIDE // pool
    channels = ((events.polarity * side + events.y // pool) * side + events.x // pool).astype(np.int32)
    last = int(events.times_us.max())
    found = []
    for number, (label, start_us, end_us) in enumerate(gestures, start=1):
        source = f"{path.name}, trial {number}"
        if last < end_us - _SILENCE_US:
            got = f"a gesture until {end_us} us and no event after {last} us"
            raise SpikingGammaError(source, got, "events to the end of the gesture", "Is the file cut short?")
        inside = (events.times_us >= start_us) & (events.times_us < end_us)
        if not inside.any():
            raise SpikingGammaError(source, f"no event from {start_us} to {end_us} us", "at least one event")
        times_us = events.times_us[inside] - start_us
        duration_us = end_us - start_us
        shape = (2, side, side)
        found.append(
            Recording(times_us, channels[inside], 2 * side**2, duration_us, label, _user(path.name), source, shape)
        )
    return found


def _labels_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}_labels.csv")


def _gestures(path: Path) -> list[_Gesture]:
    lines = _lines(path)
    if not lines or lines[0].strip() != _COLUMNS:
        raise SpikingGammaError(str(path), repr(lines[0] if lines else ""), f"'{_COLUMNS}' in the first line")
    found = []
    for number, line in enumerate(lines[1:], start=2):
        row = _LABEL.fullmatch(line.replace(" ", ""))
        if row is None:
            raise SpikingGammaError(f"{path}, line {number}", repr(line), f"whole numbers: {_COLUMNS}")
        label, start_us, end_us = map(int, row.groups())
        if not 1 <= label <= INFO.n_classes:
            raise SpikingGammaError(f"{path}, line {number}", f"class {label}", f"1 to {INFO.n_classes}")
        if start_us >= end_us:
            raise SpikingGammaError(
                f"{path}, line {number}", f"from {start_us} to {end_us} us", "a start before the end"
            )
        found.append(_Gesture(label - 1, start_us, end_us))
    if not found:
        raise SpikingGammaError(str(path), "no gesture", "at least one line below the first")
    return found


def _listed(path: Path) -> list[str]:
    names = [line.strip() for line in _lines(path)]
    for number, name in enumerate(names, start=1):
        if not _FILE.fullmatch(name):
            raise SpikingGammaError(f"{path}, line {number}", repr(name), "a file's name such as user01_led.aedat")
        if name in names[: number - 1]:
            raise SpikingGammaError(f"{path}, line {number}", name, "every file once")
        if not (path.parent / name).is_file():
            raise SpikingGammaError(f"{path}, line {number}", f"{name}, which is not there", f"a file in {path.parent}")
    if not names:
        raise SpikingGammaError(str(path), "no line", "the names of recordings, one a line")
    return names


def _lines(path: Path) -> list[str]:
    """Return the lines of a text file without blank ones at its end."""
    if not path.is_file():
        raise SpikingGammaError(str(path), "no such file", "the published files of DVS128 Gesture")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpikingGammaError(str(path), f"not readable as text ({error})", "lines of text") from error
    return text.rstrip().splitlines()


def _user(name: str) -> str:
    return name.split("_")[0]


def _held_out(users: list[str], fraction: float, seed: int) -> set[str]:
    if not 0.0 <= fraction < 1.0:
        raise SpikingGammaError("validation_fraction", fraction, "from 0 to below 1")
    if seed < 0:
        raise SpikingGammaError("seed", seed, "an integer of at least 0")
    count = max(round(fraction * len(users)), 1) if fraction else 0
    if count >= len(users):
        raise SpikingGammaError("validation_fraction", fraction, f"a share that leaves one of {len(users)} people")
    return set(np.random.default_rng([seed, 0x5EED]).permutation(users)[:count].tolist())


def _check_pool(pool: int) -> None:
    if pool < 1 or SIDE % pool:
        raise SpikingGammaError("pool", pool, f"a divisor of {SIDE}")
