"""Layers: a file each, registered where it is written."""

from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.registry import import_modules

__all__ = ["LAYERS", "Layer"]

import_modules(__name__, __path__)
