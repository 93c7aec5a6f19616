"""A Unix socket that only its owner may open, with a protocol by which the sender learns what has arrived.

The sender numbers the bytes of its stream from 0. On each connection it reads a line `resume BYTE` and sends from that byte
on, so that a connection which breaks, even inside a line, can continue. Lines `ack BYTE` confirm that all bytes before are
saved and need not be kept; after this process was killed, `resume` names a byte no earlier than the last `ack`. `done BYTE`
ends the exchange, after a `stop` in the stream or when the process is asked to end.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream.sources import BLOCK, Source

__all__ = ["SocketSource"]


class SocketSource(Source):
    """Reads from one sender at a time; the stream ends at its `stop`."""

    kind = "socket"

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path
        self._peer: socket.socket | None = None
        self._lock = threading.Lock()
        self._unsent = b""
        self._acknowledged = 0
        self._server = _listen(path)

    def _read(self, position: int) -> Iterator[bytes]:
        received = self._acknowledged = position
        while not self._closed.is_set():
            peer, _ = self._server.accept()
            with peer, suppress(ConnectionError):
                peer.sendall(f"resume {received}\n".encode())
                with self._lock:
                    self._peer, self._unsent = peer, b""
                while data := peer.recv(BLOCK):
                    received += len(data)
                    yield data
            with self._lock:
                self._peer = None

    def acknowledge(self, position: int) -> None:
        """Send `ack`. A sender that does not read misses lines, without other consequences."""
        self._acknowledged = position
        self._tell(f"ack {position}\n")

    def close(self) -> None:
        """Send `done` and remove the socket."""
        if self._closed.is_set():
            return
        super().close()
        self._tell(f"done {self._acknowledged}\n")
        with self._lock, suppress(OSError):
            if self._peer is not None:
                self._peer.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self.path.unlink()
        self._server.close()

    def _tell(self, line: str) -> None:
        """Send without blocking: whole lines, or the rest of a partly sent one."""
        with self._lock, suppress(OSError):
            if self._peer is None:
                return
            if not self._unsent:
                self._unsent = line.encode()
            sent = self._peer.send(self._unsent, socket.MSG_DONTWAIT)
            self._unsent = self._unsent[sent:]


def _listen(path: Path) -> socket.socket:
    """Create a socket at `path` that has mode 0600 from the start.

    Raises:
        SpikingGammaError: Another file is there, another process listens there, or the folder is not writable.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise SpikingGammaError("--socket", str(path), "a system with Unix sockets", "Use standard input.")
    _clear(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        server.bind(str(path))
        server.listen(1)
    except OSError as error:
        server.close()
        raise SpikingGammaError("--socket", f"{path} ({error.strerror or error})", "a path that can be made") from None
    finally:
        os.umask(before)
    return server


def _clear(path: Path) -> None:
    """Remove a socket to which no process listens any more."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SpikingGammaError("--socket", f"{path} ({error.strerror})", "a path that can be made") from None
    if not stat.S_ISSOCK(mode):
        raise SpikingGammaError("--socket", f"{path}, which is there and no socket", "a new path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise SpikingGammaError("--socket", f"{path}, at which another process listens", "a new path")
