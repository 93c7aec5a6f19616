"""One process at a time trains in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikinggamma.errors import SpikingGammaError

__all__ = ["locked"]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; the system lets go of it however this process ends. Without POSIX locks there is no guard.

    Raises:
        SpikingGammaError: Another process trains there.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            expected = "a run that no other process is working on"
            raise SpikingGammaError("run", f"{folder}, which another process is training", expected) from None
        yield
