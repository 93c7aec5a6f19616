"""Data sets by name, with loaders that download, verify and split them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spikinggamma.datasets import dvs_gesture, fsdd, mnist, nmnist, qtdb, shd, speech_commands, spoken_words, ssc
from spikinggamma.datasets.audio import Sound, read_sound
from spikinggamma.datasets.info import Info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits

__all__ = [
    "Info",
    "Sound",
    "Splits",
    "dvs_gesture",
    "fsdd",
    "info",
    "load",
    "mnist",
    "names",
    "nmnist",
    "qtdb",
    "read_sound",
    "shd",
    "speech_commands",
    "spoken_words",
    "ssc",
]

_LOADERS: dict[str, tuple[Info, Callable[..., Splits]]] = {
    module.INFO.name: (module.INFO, module.load)
    for module in (dvs_gesture, fsdd, mnist, nmnist, qtdb, shd, speech_commands, spoken_words, ssc)
}
# Data sets whose options change more of their `Info` than the number of channels.
_DESCRIBED: dict[str, Callable[[Mapping[str, Any]], Info]] = {
    "dvs_gesture": dvs_gesture.describe,
    "mnist": mnist.describe,
    "spoken_words": spoken_words.describe,
}


def names() -> tuple[str, ...]:
    """Return the names of all data sets."""
    return tuple(sorted(_LOADERS))


def info(name: str, options: Mapping[str, Any] | None = None) -> Info:
    """Return the classes, channels, licence and citation of a data set, with these options of its `load`.

    Example:
        >>> info("fsdd", {"n_channels": 70}).n_channels
        70
    """
    known, given = _entry(name)[0], options or {}
    if name in _DESCRIBED:
        known = _DESCRIBED[name](given)
    return known._replace(n_channels=given["n_channels"]) if "n_channels" in given else known


def load(name: str, **options: Any) -> Splits:
    """Load a data set in three parts; `options` are those of its own `load`.

    Example:
        >>> load("fsdd", split="speaker:theo")  # doctest: +SKIP
    """
    return _entry(name)[1](**options)


def _entry(name: str) -> tuple[Info, Callable[..., Splits]]:
    if name not in _LOADERS:
        raise SpikingGammaError("name", repr(name), "a data set: " + ", ".join(names()))
    return _LOADERS[name]
