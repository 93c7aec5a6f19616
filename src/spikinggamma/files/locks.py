"""Locks on folders. The system releases them however a process ends; without POSIX locks they have no effect."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import unwritable

__all__ = ["CACHE_REMEDY", "locked", "taking_turns"]

CACHE_REMEDY = "Free some space, or point SPIKINGGAMMA_CACHE at another folder."

_LOG = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder of a run within the block, or raise at once.

    Raises:
        SpikingGammaError: Another process holds the folder.
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


@contextmanager
def taking_turns(folder: Path) -> Iterator[None]:
    """Wait until no other process holds the folder, then lock it within the block; create it where it is missing.

    Without POSIX locks there is no wait: work may then be done twice, but every file is still renamed into place whole.

    Raises:
        SpikingGammaError: The folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("w")
    except OSError as error:
        raise unwritable(folder, error, CACHE_REMEDY) from error
    with handle:
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _LOG.info("another process is filling %s; waiting for it", folder)
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:  # a network drive without locks
                _LOG.debug("%s cannot be locked (%s)", folder, error)
        yield
