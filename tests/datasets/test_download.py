"""Files come from the data root or a server, are compared with their checksums, and are never overwritten."""

from __future__ import annotations

import hashlib
import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_server import LocalServer, local_server

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import ensure_files

FILES = {f"{index}.wav": f"sound {index}".encode() for index in range(4)}
CHECKSUMS = {name: hashlib.sha256(content).hexdigest()[:32] for name, content in FILES.items()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    with local_server(tmp_path / "served") as running:
        yield running


@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKINGGAMMA_DATA", raising=False)
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def pack(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def packed(server: LocalServer, files: dict[str, bytes]) -> str:
    pack(server.folder / "toy.tar.gz", files)
    return server.address + "/toy.tar.gz"


def inside_release(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"toy-1.0/recordings/{name}": content for name, content in files.items()} | {"toy-1.0/README.md": b"hello"}


def ensure(archive: str = "http://127.0.0.1:9/none.tar.gz", root: Path | None = None) -> Path:
    return ensure_files("toy", "recordings", CHECKSUMS, archive=archive, root=root)


def test_fetches_once_and_only_what_is_listed(server: LocalServer) -> None:
    archive = packed(server, inside_release(FILES | {"more.wav": b"not asked for"}))
    folder = ensure(archive)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert sorted(path.name for path in folder.parent.iterdir()) == [".lock", "recordings"]
    (server.folder / "toy.tar.gz").unlink()
    assert ensure(archive) == folder


def test_an_archive_cannot_write_elsewhere(server: LocalServer, tmp_path: Path) -> None:
    archive = packed(server, inside_release(FILES) | {"../../../recordings/0.wav": FILES["0.wav"], "/tmp/x.wav": b"x"})
    folder = ensure(archive)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "served"]


def test_a_wrong_file_in_the_archive_is_named_and_nothing_kept(server: LocalServer) -> None:
    archive = packed(server, inside_release(FILES | {"2.wav": b"another sound"}))
    with pytest.raises(SpikingGammaError, match=r"2\.wav.*SHA-256"):
        ensure(archive)
    assert [path.name for path in (cache_root() / "toy").iterdir()] == [".lock"]


def test_a_missing_file_in_the_archive_is_named(server: LocalServer) -> None:
    with pytest.raises(SpikingGammaError, match=r"1\.wav.*no such file"):
        ensure(packed(server, inside_release({"0.wav": FILES["0.wav"]})))


def test_an_archive_cut_short_is_refused(server: LocalServer) -> None:
    archive = packed(server, inside_release({name: content * 5000 for name, content in FILES.items()}))
    path = server.folder / "toy.tar.gz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SpikingGammaError, match="not readable as an archive"):
        ensure(archive)


@pytest.mark.parametrize("archive", ["http://127.0.0.1:9/none.tar.gz", "missing"])
def test_no_answer_is_named_with_a_way_out(server: LocalServer, archive: str) -> None:
    address = f"{server.address}/absent.tar.gz" if archive == "missing" else archive
    with pytest.raises(SpikingGammaError, match=r"no answer.*SPIKINGGAMMA_DATA"):
        ensure(address)


def at_root(root: Path, files: dict[str, bytes]) -> Path:
    folder = root / "toy" / "recordings"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_data_root_is_used_where_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = at_root(tmp_path / "data", FILES)
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(tmp_path / "data"))
    assert ensure() == folder
    other = at_root(tmp_path / "named", FILES)
    assert ensure(root=tmp_path / "named") == other


def test_a_wrong_file_at_the_root_is_named_and_left_alone(tmp_path: Path) -> None:
    folder = at_root(tmp_path / "data", FILES | {"3.wav": b"my own"})
    with pytest.raises(SpikingGammaError) as caught:
        ensure(root=tmp_path / "data")
    assert str(folder / "3.wav") in str(caught.value)
    assert "left as it is" in str(caught.value)
    assert (folder / "3.wav").read_bytes() == b"my own"


def test_missing_files_and_folders_at_the_root_are_named(tmp_path: Path) -> None:
    folder = at_root(tmp_path / "data", {"0.wav": FILES["0.wav"]})
    with pytest.raises(SpikingGammaError) as caught:
        ensure(root=tmp_path / "data")
    assert str(folder / "1.wav") in str(caught.value)
    assert "no such file and 2 more of 4 files" in str(caught.value)
    with pytest.raises(SpikingGammaError, match="no such folder"):
        ensure(root=tmp_path / "nowhere")
