"""Spiking networks that learn *when*, not only *how often*.

Rooms are imported on first use, so that `import spikinggamma` costs little more than nothing:

>>> import spikinggamma
>>> spikinggamma.__version__
'0.1.0'
"""

from __future__ import annotations

import importlib
from types import ModuleType

from spikinggamma.errors import SpikingGammaError

__all__ = [
    "SpikingGammaError",
    "bench",
    "cochlea",
    "cost",
    "data",
    "datasets",
    "encoders",
    "evaluation",
    "events",
    "export",
    "functional",
    "kernels",
    "layouts",
    "learning",
    "nn",
    "papers",
    "planning",
    "recipes",
    "report",
    "runs",
    "search",
    "stream",
    "tasks",
    "training",
]
__version__ = "0.1.0"

_ROOMS = frozenset(__all__) - {"SpikingGammaError"}


def __getattr__(name: str) -> ModuleType:
    if name in _ROOMS:
        return importlib.import_module(f"spikinggamma.{name}")
    raise AttributeError(f"module 'spikinggamma' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
