"""Predictions as JSON Lines, on standard output or in a file; a resumed file is truncated to its checkpoint."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import unwritable

__all__ = ["Output", "ReaderGone"]


class ReaderGone(KeyboardInterrupt):
    """Raised when the reader of the predictions has closed the pipe."""


class Output:
    """Writes numbered rows. A reader of a pipe that receives a number again should drop its earlier rows from that number on.

    Args:
        path: A file; None for standard output.

    Attributes:
        rows: Number of rows written since the stream began.
        size: Size of these rows in bytes.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows = self.size = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self.path is not None:
            self._file.close()

    @property
    def in_terminal(self) -> bool:
        """Whether rows are written to a terminal."""
        return self.path is None and sys.stdout.isatty()

    def open(self, rows: int = 0, size: int = 0, *, begun: bool = False) -> None:
        """Continue after so many rows and bytes; `begun` says that further content of the file is from this stream.

        Raises:
            SpikingGammaError: The stream is new and the file is not empty; the file is shorter than the checkpoint says; or it
                cannot be written.
        """
        self.rows, self.size = rows, size
        if self.path is None:
            self._file = sys.stdout.buffer
            return
        try:
            found = self.path.stat().st_size if self.path.exists() else 0
            if found and not begun:
                expected = "a new file, for a stream that begins"
                raise SpikingGammaError("--out", f"{self.path} with {found} bytes", expected, "Name another --out.")
            if found < size:
                got, expected = f"{self.path} with {found} bytes", f"the file of before, with {size} bytes or more"
                raise SpikingGammaError("--out", got, expected)
            self._file = self.path.open("r+b" if self.path.exists() else "w+b")
            self._file.truncate(size)
            self._file.seek(size)
        except OSError as error:
            raise unwritable(self.path, error, "") from None

    def write(self, row: dict[str, Any]) -> None:
        """Write one row and flush it."""
        assert self._file is not None
        line = (json.dumps({"n": self.rows} | row, ensure_ascii=False, allow_nan=False) + "\n").encode()
        try:
            self._file.write(line)
            self._file.flush()
        except BrokenPipeError:
            # At exit Python would try to flush the rest, and print an error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise ReaderGone("The reader of the predictions has closed the pipe.") from None
        except OSError as error:
            raise unwritable(self.path or Path("standard output"), error, "") from None
        self.rows += 1
        self.size += len(line)

    def sync(self) -> None:
        """Flush the written rows to the disk, where the output is a file."""
        if self._file is not None and self.path is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise unwritable(self.path, error, "") from None
