"""Atomic writes: a reader sees either the old file or the new one, never a part of either."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spikinggamma.errors import SpikingGammaError

__all__ = ["move_into_place", "remove_leftovers", "replacing", "unwritable", "write_atomically"]


@contextmanager
def replacing(path: Path, *, remedy: str = "") -> Iterator[Path]:
    """Yield a temporary path beside `path`; the file written there is flushed and renamed to `path` when the block ends.

    Raises:
        SpikingGammaError: The disk is full or the folder cannot be written; `path` is as it was, the temporary
            file is gone, and `remedy` says what can be done.

    Example:
        >>> with replacing(Path("rates.npy")) as temporary:  # doctest: +SKIP
        ...     temporary.write_bytes(b"whole")
    """
    # Threads of one process and machines that share a folder have the same process number.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        move_into_place(temporary, path)
    except OSError as error:
        raise unwritable(path, error, remedy) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes, *, remedy: str = "") -> None:
    """Write `content` to `path` atomically.

    Raises:
        SpikingGammaError: As `replacing` does.
    """
    with replacing(path, remedy=remedy) as temporary:
        temporary.write_bytes(content)


def move_into_place(whole: Path, path: Path) -> None:
    """Flush a finished file to the disk and rename it to `path`, on the same file system.

    Raises:
        OSError: The system refused to flush or rename the file.
    """
    # Windows flushes only files that are open for writing.
    with whole.open("rb" if os.name == "posix" else "r+b") as file:
        os.fsync(file.fileno())
    os.replace(whole, path)
    _sync_folder(path.parent)


def unwritable(path: Path, error: OSError, remedy: str) -> SpikingGammaError:
    """Return the error for a file that the system could not write."""
    return SpikingGammaError(
        str(path), f"{error.strerror or error} while writing it", "a file that can be written", remedy
    )


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files and folders of writers that were killed."""
    for leftover in folder.glob(".*.tmp"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Flush the folder so that the rename lasts; a system that cannot open folders is left alone."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
