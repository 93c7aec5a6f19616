"""Bytes from elsewhere: who may send them, what both sides know, and that a fast sender waits."""

from __future__ import annotations

import os
import socket
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream import FileSource, PipeSource, SocketSource, Source

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets are POSIX's")


def gathered(source: Source, position: int, wanted: int) -> bytes:
    found = b""
    for block in source.blocks(position, patience_s=0.05):
        found += b"" if block is None else block.data
        if len(found) >= wanted:
            break
    return found


def line_of(peer: socket.socket) -> str:
    found = b""
    while not found.endswith(b"\n"):
        found += peer.recv(1)
    return found.decode()


def connected(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(str(path))
    return peer


def test_only_the_owner_may_open_the_socket(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with SocketSource(tmp_path / "ears"):
            assert stat.S_IMODE((tmp_path / "ears").stat().st_mode) == 0o600
            assert os.umask(0) == 0  # that of the process is as it was
    finally:
        os.umask(before)
    assert not (tmp_path / "ears").exists()


def test_a_sender_learns_where_to_go_on_and_what_is_safe(tmp_path: Path) -> None:
    with SocketSource(tmp_path / "ears") as source:
        blocks = source.blocks(100, patience_s=0.05)
        next(blocks)
        with connected(tmp_path / "ears") as peer:
            assert line_of(peer) == "resume 100\n"
            peer.sendall(b"12 3\n15")
            assert next(block.data for block in blocks if block) == b"12 3\n15"
            source.acknowledge(105)
            assert line_of(peer) == "ack 105\n"
        # It broke off inside a line: the next one goes on at the next byte.
        with connected(tmp_path / "ears") as peer:
            assert line_of(peer) == "resume 107\n"
            peer.sendall(b"00 4\n")
            assert next(block.data for block in blocks if block) == b"00 4\n"
            source.acknowledge(112)
            assert line_of(peer) == "ack 112\n"
            source.close()
            assert line_of(peer) == "done 112\n"


@pytest.mark.long
def test_a_sender_that_does_not_listen_hinders_nobody(tmp_path: Path) -> None:
    with SocketSource(tmp_path / "ears") as source:
        blocks = source.blocks(0, patience_s=0.05)
        next(blocks)
        with connected(tmp_path / "ears") as peer:
            assert line_of(peer) == "resume 0\n"
            for position in range(100_000):
                source.acknowledge(position)
            # Lines that it missed are missing whole.
            peer.settimeout(0.2)
            heard = peer.recv(2**16).split(b"\n")
            assert all(line.startswith(b"ack ") for line in heard[:-1])


def test_a_path_in_use_is_refused_and_a_dead_one_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "ears"
    with SocketSource(path), pytest.raises(SpikingGammaError, match="another process listens"):
        SocketSource(path)
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(path))
    dead.close()
    SocketSource(path).close()
    path.write_text("mine")
    with pytest.raises(SpikingGammaError, match="no socket"):
        SocketSource(path)
    assert path.read_text() == "mine"
    with pytest.raises(SpikingGammaError, match="--socket"):
        SocketSource(tmp_path / "no" / "folder")


def test_a_fast_sender_has_to_wait(tmp_path: Path) -> None:
    """Nobody takes anything: what a sender gets rid of is what the pipe and the queue hold, however long it tries."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with os.fdopen(read, "rb", buffering=0) as file, PipeSource(file.fileno()) as source:
        blocks = source.blocks(0, patience_s=0.05)
        os.write(write, b"1 1\n")
        assert next(blocks) is not None
        sent, ends = 0, time.monotonic() + 1.0
        while time.monotonic() < ends:
            try:
                sent += os.write(write, b"2 2\n" * 1024)
            except BlockingIOError:
                time.sleep(0.01)
        assert sent <= 2**16 + 6 * 2**14  # a pipe, four blocks and two on the way
        os.close(write)
        assert sum(len(block.data) for block in blocks if block) == sent


def test_a_pipe_is_skipped_to_where_it_is_known(tmp_path: Path) -> None:
    for sent, position, wanted in (
        (b"0123456789", 0, b"0123456789"),
        (b"0123456789", 4, b"456789"),
        (b"at 3\n3456789", 4, b"456789"),
        (b"at 4\n456789", 4, b"456789"),
    ):
        read, write = os.pipe()

        def send(data: bytes = sent, end: int = write) -> None:
            for one in data:  # as slowly as can be
                os.write(end, bytes([one]))
            os.close(end)

        threading.Thread(target=send).start()
        with os.fdopen(read, "rb", buffering=0) as file:
            assert gathered(PipeSource(file.fileno()), position, 10**6) == wanted


@pytest.mark.parametrize(
    ("sent", "named"), [(b"at 5\n56", "nothing may be missing"), (b"at x\n", "at BYTE"), (b"012", "longer")]
)
def test_a_pipe_that_lacks_bytes_is_refused(sent: bytes, named: str) -> None:
    read, write = os.pipe()
    os.write(write, sent)
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as file, pytest.raises(SpikingGammaError, match=named):
        gathered(PipeSource(file.fileno()), 4, 10**6)


def test_a_file_is_read_from_a_byte_on(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"0123456789")
    assert gathered(FileSource(tmp_path / "in"), 7, 10**6) == b"789"
    with pytest.raises(SpikingGammaError, match="of which 11 bytes were taken"):
        gathered(FileSource(tmp_path / "in"), 11, 10**6)
    with pytest.raises(SpikingGammaError, match="--in"):
        FileSource(tmp_path)
