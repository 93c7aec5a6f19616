"""Layouts: how recordings of one's own lie on disk; a file each, registered where it is written."""

from spikinggamma.layouts.base import LAYOUTS, FileLayout, Found, Layout, LayoutOptions
from spikinggamma.layouts.recognise import find_recordings, recognised
from spikinggamma.registry import import_modules

__all__ = ["LAYOUTS", "FileLayout", "Found", "Layout", "LayoutOptions", "find_recordings", "recognised"]

import_modules(__name__, __path__)
