"""Data sets by name: where they come from, how they are checked, how they are split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikinggamma.datasets import fsdd, nmnist, qtdb, shd, ssc
from spikinggamma.datasets.audio import Sound, read_sound
from spikinggamma.datasets.info import Info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits

__all__ = ["Info", "Sound", "Splits", "fsdd", "info", "load", "names", "nmnist", "qtdb", "read_sound", "shd", "ssc"]

_LOADERS: dict[str, tuple[Info, Callable[..., Splits]]] = {
    module.INFO.name: (module.INFO, module.load) for module in (fsdd, nmnist, qtdb, shd, ssc)
}


def names() -> tuple[str, ...]:
    """Names of all data sets."""
    return tuple(sorted(_LOADERS))


def info(name: str) -> Info:
    """Classes, channels, licence and citation of a data set."""
    return _entry(name)[0]


def load(name: str, **options: Any) -> Splits:
    """A data set in three parts; options as its own `load` takes them.

    Example:
        >>> load("fsdd", split="speaker:theo")  # doctest: +SKIP
    """
    return _entry(name)[1](**options)


def _entry(name: str) -> tuple[Info, Callable[..., Splits]]:
    if name not in _LOADERS:
        raise SpikingGammaError("name", repr(name), "a data set: " + ", ".join(names()))
    return _LOADERS[name]
