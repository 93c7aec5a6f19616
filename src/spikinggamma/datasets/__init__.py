"""Data sets by name, with loaders that download, verify and split them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spikinggamma.datasets import (
    dvs_gesture,
    fashion_mnist,
    fsdd,
    hd,
    mnist,
    nmnist,
    qtdb,
    shd,
    speech_commands,
    spoken_words,
    ssc,
)
from spikinggamma.datasets.audio import Sound, read_sound
from spikinggamma.datasets.registry import (
    DATASETS,
    PUBLISHED_REMOVAL,
    Dataset,
    Floor,
    Info,
    Loading,
    Removal,
    register_dataset,
)
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.registry import Entry, import_modules

__all__ = [
    "DATASETS",
    "PUBLISHED_REMOVAL",
    "Dataset",
    "Floor",
    "Info",
    "Loading",
    "Removal",
    "Sound",
    "Splits",
    "dvs_gesture",
    "fashion_mnist",
    "fsdd",
    "hd",
    "info",
    "load",
    "mnist",
    "names",
    "nmnist",
    "qtdb",
    "read_sound",
    "register_dataset",
    "shd",
    "speech_commands",
    "spoken_words",
    "ssc",
]

import_modules(__name__, __path__)


def names() -> tuple[str, ...]:
    """Return the names of all data sets."""
    return DATASETS.names()


def info(name: str, options: Mapping[str, Any] | None = None) -> Info:
    """Return the classes, channels, licence and citation of a data set, with these options of its `load`.

    Raises:
        SpikingGammaError: No such data set, or an option that is unknown or out of range.

    Example:
        >>> info("fsdd", {"n_channels": 70}).n_channels
        70
    """
    return _entry(name).target.describe(options)


def load(name: str, **options: Any) -> Splits:
    """Load a data set in three parts.

    Args:
        name: Name of the data set.
        **options: What `Loading` names, and options of the data set.

    Raises:
        SpikingGammaError: No such data set, an option that is unknown or out of range, or what the data set itself raises.

    Example:
        >>> load("fsdd", split="speaker:theo")  # doctest: +SKIP
    """
    return _entry(name).target(**options)


def _entry(name: str) -> Entry[Dataset]:
    if name not in DATASETS:
        raise SpikingGammaError("name", repr(name), "a data set: " + ", ".join(names()))
    return DATASETS[name]
