"""How a process that trains holds its memory."""

from __future__ import annotations

import ctypes
from functools import lru_cache

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_LARGEST = 2**31 - 1


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Let this process use again what it freed, where the C library can be told so; returns whether it was.

    Signals of a chunk are megabytes large. By default such memory goes back to the system as soon as it is freed, and every
    chunk gets it anew, page by page and cleared, which takes as long as a scan over it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST))
