"""A server on this machine that can be told to misbehave, and that remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class LocalServer(ThreadingHTTPServer):
    """Serves the files of a folder, byte ranges included.

    Attributes:
        cuts: For each coming request the number of bytes after which the connection is closed.
        refusals: For each coming request a status to answer instead.
        ranges: Whether byte ranges are understood.
        asked: Path and `Range` header of each request so far.
        agents: `User-Agent` of each.
        busiest: Most requests that were open at once.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.cuts: list[int] = []
        self.refusals: list[int] = []
        self.ranges = True
        self.asked: list[tuple[str, str]] = []
        self.agents: list[str] = []
        self.busiest = self.open = 0
        self.guard = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        with self.server.guard:
            self.server.open += 1
            self.server.busiest = max(self.server.busiest, self.server.open)
        try:
            self._answer()
        finally:
            with self.server.guard:
                self.server.open -= 1

    def _answer(self) -> None:
        server, wanted = self.server, self.headers.get("Range", "")
        server.asked.append((self.path, wanted))
        server.agents.append(self.headers.get("User-Agent", ""))
        path = server.folder / self.path.lstrip("/")
        if server.refusals:
            self.send_error(server.refusals.pop(0))
            return
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if first and first >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else len(content)
        self.wfile.write(content[first : first + cut])


@contextmanager
def local_server(folder: Path) -> Iterator[LocalServer]:
    """A server of a folder, in a thread."""
    folder.mkdir(parents=True, exist_ok=True)
    with LocalServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
