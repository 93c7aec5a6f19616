"""N-MNIST's `.bin` files, of any sensor of up to 240 rows, in class folders: five bytes an event.

`spikinggamma.datasets.nmnist` describes the layout and reads the published set with its own splits.
"""

from __future__ import annotations

from pathlib import Path

from spikinggamma.datasets.nmnist import SIDE, read_events
from spikinggamma.layouts.base import LAYOUTS
from spikinggamma.layouts.cameras import Camera, CameraOptions, Pixels

__all__ = ["BinFiles"]


@LAYOUTS.register("nmnist_bin", options=CameraOptions)
class BinFiles(Camera):
    """N-MNIST's .bin files in class folders: 34 x 34 pixels unless width and height say otherwise."""

    suffixes = (".bin", ".bs2")
    usual = (SIDE, SIDE)

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """See `Layout.recognises`."""
        return path.suffix.lower() in cls.suffixes and path.stat().st_size > 0 and path.stat().st_size % 5 == 0

    def pixels(self, path: Path) -> Pixels:
        """See `Camera.pixels`."""
        return Pixels(*read_events(path))
