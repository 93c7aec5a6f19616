"""Files that are either the old one or the new one, never a part of either."""

from __future__ import annotations

import json
import os
from pathlib import Path

from spikinggamma.errors import SpikingGammaError

__all__ = ["read_json", "remove_leftovers", "write_atomically", "write_json"]


def write_atomically(path: Path, content: bytes, *, remedy: str = "") -> None:
    """Replace `path` by `content`: a temporary file beside it, flushed to the disk, then renamed over it.

    Raises:
        SpikingGammaError: The disk is full or the folder cannot be written; `path` is as it was, the temporary
            file is gone, and `remedy` says what is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise unwritable(path, error, remedy) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def unwritable(path: Path, error: OSError, remedy: str) -> SpikingGammaError:
    """The error for a file that the system would not write."""
    return SpikingGammaError(
        str(path), f"{error.strerror or error} while writing it", "a file that can be written", remedy
    )


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files of writers that were killed."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


def write_json(path: Path, value: object, *, remedy: str = "") -> None:
    """`value` as an indented JSON file, atomically."""
    write_atomically(
        path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode(), remedy=remedy
    )


def read_json(path: Path) -> dict[str, object]:
    """The object in a JSON file.

    Raises:
        SpikingGammaError: No such file, or it does not hold one JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpikingGammaError(str(path), f"a file that cannot be read ({error})", "a JSON object") from None
    if not isinstance(value, dict):
        raise SpikingGammaError(str(path), f"a JSON {type(value).__name__}", "a JSON object")
    return value


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; not every system lets a folder be opened, and then there is nothing to do."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
