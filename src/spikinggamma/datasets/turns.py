"""Processes that want to fill the same folder take turns."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikinggamma.atomic import unwritable

__all__ = ["CACHE_REMEDY", "taking_turns"]

CACHE_REMEDY = "Free some space, or point SPIKINGGAMMA_CACHE at another folder."

_LOG = logging.getLogger(__name__)


@contextmanager
def taking_turns(folder: Path) -> Iterator[None]:
    """Wait until no other process holds the folder, then hold it; made where it is missing.

    The system lets go of it however this process ends. Without POSIX locks nobody waits: work may then be done twice, but
    every file is still renamed into place whole.

    Raises:
        SpikingGammaError: The folder cannot be made or written to.
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
