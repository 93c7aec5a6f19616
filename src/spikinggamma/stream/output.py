"""Predictions as JSON Lines: to standard output, or to a file that is cut back to what a checkpoint knows."""

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
    """Whoever read the predictions does not any more."""


class Output:
    """Where rows go, each numbered: a reader of a pipe that gets a number again drops what came after it before.

    Args:
        path: A file; None: standard output.

    Attributes:
        rows: Rows written since the stream began.
        size: Their bytes.
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
        """Whether rows scroll through a terminal."""
        return self.path is None and sys.stdout.isatty()

    def open(self, rows: int = 0, size: int = 0, *, begun: bool = False) -> None:
        """Go on after so many rows and bytes; `begun`: what the file holds besides is this stream's own.

        Raises:
            SpikingGammaError: A new stream and a file with something in it; a file with less in it than is known; one that
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
        """One row, at once."""
        assert self._file is not None
        line = (json.dumps({"n": self.rows} | row, ensure_ascii=False, allow_nan=False) + "\n").encode()
        try:
            self._file.write(line)
            self._file.flush()
        except BrokenPipeError:
            # At exit Python would try to flush what is left, and fail aloud.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise ReaderGone("Nobody reads the predictions any more.") from None
        except OSError as error:
            raise unwritable(self.path or Path("standard output"), error, "") from None
        self.rows += 1
        self.size += len(line)

    def sync(self) -> None:
        """See what is written to the disk, if it goes to one."""
        if self._file is not None and self.path is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise unwritable(self.path, error, "") from None
