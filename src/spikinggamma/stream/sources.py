"""Sources of a stream: a file, standard input or a socket.

A thread reads blocks into a short queue; when the queue is full, it stops reading, and the sender has to wait.
"""

from __future__ import annotations

import abc
import os
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from spikinggamma.errors import SpikingGammaError

__all__ = ["BLOCK", "Block", "FileSource", "PipeSource", "Source"]

BLOCK = 2**14
_BLOCKS = 4
_PREAMBLE = b"at "


class Block(NamedTuple):
    """Some bytes, and the time of their arrival on the clock of `time.perf_counter`."""

    data: bytes
    arrived_s: float


class Source(abc.ABC):
    """Base class for sources of a stream of bytes.

    Attributes:
        name: Name of the source in messages.
        kind: file, stdin or socket.
    """

    kind: str = ""

    def __init__(self, name: str) -> None:
        self.name = name
        self._queue: queue.Queue[Block | BaseException | None] = queue.Queue(_BLOCKS)
        self._closed = threading.Event()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abc.abstractmethod
    def _read(self, position: int) -> Iterator[bytes]:
        """Yield the bytes from `position` on as they arrive; this runs in a thread of its own."""

    def blocks(self, position: int, *, patience_s: float = 0.2) -> Iterator[Block | None]:
        """Yield blocks from `position` on, and None after each `patience_s` without a block.

        Raises:
            SpikingGammaError: The source cannot be read.
        """
        threading.Thread(target=self._fill, args=(position,), daemon=True, name="stream source").start()
        while True:
            try:
                found = self._queue.get(timeout=patience_s)
            except queue.Empty:
                yield None
                continue
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def acknowledge(self, position: int) -> None:
        """Tell the sender, where it listens, that all bytes before `position` are saved and need not be sent again."""
        return None

    def close(self) -> None:
        """Close the source."""
        self._closed.set()

    def _fill(self, position: int) -> None:
        try:
            for data in self._read(position):
                self._put(Block(data, time.perf_counter()))
            self._put(None)
        except OSError as error:
            self._put(SpikingGammaError(self.name, error.strerror or str(error), "a stream that can be read"))
        except SpikingGammaError as error:
            self._put(error)

    def _put(self, found: Block | BaseException | None) -> None:
        while not self._closed.is_set():
            try:
                self._queue.put(found, timeout=0.2)
            except queue.Full:
                continue
            return


class FileSource(Source):
    """Reads a file, from the byte at which reading stopped before."""

    kind = "file"

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        if not path.is_file():
            raise SpikingGammaError("--in", f"{path}, which is no file", "a file, `-` or --socket PATH")
        self.path = path

    def _read(self, position: int) -> Iterator[bytes]:
        size = self.path.stat().st_size
        if position > size:
            expected = f"the file of before, of which {position} bytes were taken"
            raise SpikingGammaError(str(self.path), f"{size} bytes", expected)
        with self.path.open("rb", buffering=0) as file:
            file.seek(position)
            while data := file.read(BLOCK):
                yield data


class PipeSource(Source):
    """Reads standard input, which begins at the start of the stream or at the byte that a first line `at BYTE` names."""

    kind = "stdin"

    def __init__(self, handle: int = 0) -> None:
        super().__init__("standard input")
        self.handle = handle

    def _read(self, position: int) -> Iterator[bytes]:
        handle, first = self.handle, b""
        while _PREAMBLE.startswith(first[: len(_PREAMBLE)]) and b"\n" not in first and len(first) < 64:
            data = os.read(handle, BLOCK)
            if not data:
                break
            first += data
        skipped, first = self._skip(first, position)
        while skipped > 0:
            cut = min(skipped, len(first))
            skipped, first = skipped - cut, first[cut:]
            if skipped and not (first := os.read(handle, BLOCK)):
                raise SpikingGammaError(
                    self.name, f"{position - skipped} bytes", f"a stream longer than {position} bytes"
                )
        if first:
            yield first
        while data := os.read(handle, BLOCK):
            yield data

    def _skip(self, first: bytes, position: int) -> tuple[int, bytes]:
        """Return how many bytes at the start of the input are already processed, and the first bytes of the stream."""
        if not first.startswith(_PREAMBLE):
            return position, first
        line, _, rest = first.partition(b"\n")
        number = line[len(_PREAMBLE) :].strip()
        if not number.isdigit() or len(number) > 18:
            raise SpikingGammaError(self.name, repr(line[:40]), "`at BYTE` with a whole number")
        begins = int(number)
        if begins > position:
            got, expected = f"a stream from byte {begins} on", f"from byte {position} or before: nothing may be missing"
            raise SpikingGammaError(self.name, got, expected)
        return position - begins, rest
