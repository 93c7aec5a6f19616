"""A download is resumed where it was cut, checked, tried again with patience, and never put over another file."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from local_server import LocalServer, local_server

from spikinggamma import SpikingGammaError, datasets
from spikinggamma.datasets import fetch as fetching
from spikinggamma.datasets import heidelberg, shd
from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import ensure_unzipped
from spikinggamma.datasets.fetch import fetch

CONTENT = np.random.default_rng(0).bytes(1_000_000)
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with local_server(tmp_path / "served") as running:
        (running.folder / "a.bin").write_bytes(CONTENT)
        yield running


@pytest.fixture(autouse=True)
def waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits; what the pauses would have been is noted."""
    found: list[float] = []
    monkeypatch.setattr(fetching.time, "sleep", found.append)
    monkeypatch.delenv("SPIKINGGAMMA_DATA", raising=False)
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "to").mkdir()
    return found


def test_a_whole_file_comes_in_one_request(server: LocalServer, tmp_path: Path) -> None:
    target = fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5)
    assert target.read_bytes() == CONTENT
    assert server.asked == [("/a.bin", "")]
    assert server.agents[0].startswith("spikinggamma/")
    assert os.listdir(tmp_path / "to") == ["a.bin"]
    assert fetch(f"{server.address}/a.bin", target, checksum=MD5) == target
    assert len(server.asked) == 1  # it is there


def test_a_cut_transfer_goes_on_where_it_was_cut(server: LocalServer, tmp_path: Path, waits: list[float]) -> None:
    server.cuts = [5 << 16, 0, (3 << 16) + 1]
    target = fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5)
    assert target.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == ["", "bytes=327680-", "bytes=327680-", "bytes=524288-"]
    assert server.busiest == 1
    assert waits == [1.0, 1.0, 1.0]


def test_a_later_run_goes_on_too(server: LocalServer, tmp_path: Path, waits: list[float]) -> None:
    server.cuts = [6 << 16, 0, 0, 0, 0]
    target = tmp_path / "to" / "a.bin"
    with pytest.raises(SpikingGammaError, match=r"no answer \(.*\) in 4 attempts, 393216 bytes so far.*is kept"):
        fetch(f"{server.address}/a.bin", target, checksum=MD5)
    assert not target.exists()
    assert waits == [1.0, 1.0, 4.0, 15.0]
    assert fetch(f"{server.address}/a.bin", target, checksum=MD5).read_bytes() == CONTENT
    assert server.asked[-1] == ("/a.bin", "bytes=393216-")


def test_a_server_without_ranges_starts_over(server: LocalServer, tmp_path: Path) -> None:
    server.ranges = False
    server.cuts = [300_000]
    assert fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_all_bytes_there_but_not_yet_renamed(server: LocalServer, tmp_path: Path) -> None:
    (tmp_path / "to" / ".a.bin.part").write_bytes(CONTENT)
    assert fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5).read_bytes() == CONTENT


@pytest.mark.parametrize("old", [b"the start of an older file", b"longer than the file" * 100_000])
def test_what_was_begun_from_another_file_is_dropped(server: LocalServer, tmp_path: Path, old: bytes) -> None:
    (tmp_path / "to" / ".a.bin.part").write_bytes(old)
    assert fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5).read_bytes() == CONTENT
    assert os.listdir(tmp_path / "to") == ["a.bin"]


def test_a_wrong_file_is_named_and_never_taken(server: LocalServer, tmp_path: Path) -> None:
    (server.folder / "a.bin").write_bytes(b"<html>please log in</html>")
    found = hashlib.md5(b"<html>please log in</html>").hexdigest()
    with pytest.raises(
        SpikingGammaError, match=rf"a\.bin.*26 bytes with md5 {found}; expected a file with md5"
    ) as caught:
        fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5)
    assert MD5.removeprefix("md5:") in str(caught.value)
    assert os.listdir(tmp_path / "to") == []


def test_a_wrong_target_is_named_and_left_as_it_is(server: LocalServer, tmp_path: Path) -> None:
    target = tmp_path / "to" / "a.bin"
    target.write_bytes(b"mine")
    with pytest.raises(SpikingGammaError, match=r"4 bytes with MD5 .*left as it is"):
        fetch(f"{server.address}/a.bin", target, checksum=MD5)
    assert target.read_bytes() == b"mine"
    assert server.asked == []


def test_no_server_is_named_after_a_few_attempts(tmp_path: Path, waits: list[float]) -> None:
    with pytest.raises(SpikingGammaError, match=r"127\.0\.0\.1:9/a\.bin.*refused.*SPIKINGGAMMA_DATA"):
        fetch("http://127.0.0.1:9/a.bin", tmp_path / "to" / "a.bin")
    assert waits == [1.0, 4.0, 15.0]
    assert os.listdir(tmp_path / "to") == []


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(server: LocalServer, tmp_path: Path) -> None:
    server.refusals = [503, 429]
    fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5)
    assert len(server.asked) == 3
    with pytest.raises(SpikingGammaError, match="no answer but status 404"):
        fetch(f"{server.address}/none.bin", tmp_path / "to" / "none.bin")
    assert len(server.asked) == 4


def test_a_full_disk_is_named_and_what_came_is_kept(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpikingGammaError, match=r"a\.bin.*No space left.*SPIKINGGAMMA_CACHE"):
        fetch(f"{server.address}/a.bin", tmp_path / "to" / "a.bin", checksum=MD5)
    assert os.listdir(tmp_path / "to") == [".a.bin.part"]


def a_part(path: Path, count: int) -> str:
    """A zipped part in the published layout; its checksum."""
    plain = path.parent / path.name.removesuffix(".zip")
    with h5py.File(plain, "w") as file:
        times = file.create_dataset("spikes/times", (count,), dtype=h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (count,), dtype=h5py.vlen_dtype(np.uint16))
        for index in range(count):
            times[index], units[index] = np.array([0.1, 0.2], np.float16), np.array([index, 5], np.uint16)
        file["labels"] = (np.arange(count) % 20).astype(np.uint16)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, plain.name)
    plain.unlink()
    return "md5:" + hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def published(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    """SHD, small, at a server that stands for the authors'."""
    sums = {part: a_part(server.folder / f"shd_{part}.h5.zip", count) for part, count in (("train", 40), ("test", 10))}
    monkeypatch.setattr(shd, "_ARCHIVES", sums)
    monkeypatch.setattr(heidelberg, "HOST", server.address)
    return server


def test_shd_is_fetched_once_where_no_root_is_named(published: LocalServer) -> None:
    published.cuts = [500]
    assert [len(part) for part in datasets.load("shd")] == [36, 4, 10]
    asked = len(published.asked)
    assert asked == 3
    assert [len(part) for part in datasets.load("shd")] == [36, 4, 10]
    assert len(published.asked) == asked
    maps, files = [], []
    for name in sorted(os.listdir(cache_root() / "shd")):
        (maps if name.startswith("files-") else files).append(name)
    assert files == [".lock", "shd_test.h5", "shd_train.h5"]  # no archive, nothing half fetched
    assert len(maps) == 2  # the spikes of each file


def test_a_wrong_archive_of_shd_is_named(published: LocalServer) -> None:
    path = published.folder / "shd_test.h5.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(SpikingGammaError, match=r"shd_test\.h5\.zip.*expected a file with md5"):
        datasets.load("shd")
    assert sorted(os.listdir(cache_root() / "shd")) == [".lock", "shd_train.h5"]


def test_an_archive_that_cannot_be_unpacked_is_named(server: LocalServer) -> None:
    with pytest.raises(SpikingGammaError, match=r"x\.h5\.zip.*not readable as an archive"):
        ensure_unzipped("toy", {"x.h5": (f"{server.address}/a.bin", MD5)}, None)
    assert not (cache_root() / "toy" / "x.h5").exists()


def test_a_named_root_is_not_filled(published: LocalServer, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"shd_train\.h5.*no such file.*Download .*shd_train\.h5\.zip.*unset"):
        datasets.load("shd", root=tmp_path)
    assert published.asked == []


def _fetch_in_a_process(address: str, checksum: str) -> None:
    ensure_unzipped("toy", {"shd_train.h5": (address, checksum)}, None)


def test_two_processes_fetch_once(published: LocalServer) -> None:
    context = multiprocessing.get_context("fork")
    arguments = (f"{published.address}/shd_train.h5.zip", shd._ARCHIVES["train"])
    processes = [context.Process(target=_fetch_in_a_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(published.asked) == 1
    assert (cache_root() / "toy" / "shd_train.h5").is_file()


def test_silence_is_given_up(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and says nothing."""
    import socket

    monkeypatch.setattr(fetching, "_TIMEOUT_S", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.perf_counter()
        with pytest.raises(SpikingGammaError, match=r"no answer \(.*timed out.*4 attempts"):
            fetch(f"http://127.0.0.1:{mute.getsockname()[1]}/a.bin", tmp_path / "to" / "a.bin")
    assert time.perf_counter() - started < 20.0
