"""The cache gives back what was put in, never half of it, and says what it could not use."""

from __future__ import annotations

import errno
import json
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.cache import Spikes, cache_root, cached_spikes
from spikinggamma.events import Recording

NAMES = [f"{index}.wav" for index in range(250)]


class Converter:
    """Counts its calls; the spikes follow from the name."""

    def __init__(self) -> None:
        self.calls = 0
        self.lock = threading.Lock()

    def __call__(self, name: str) -> Spikes:
        with self.lock:
            self.calls += 1
        n = int(name.removesuffix(".wav")) % 7
        return Spikes(np.arange(n, dtype=np.int64) * 10, np.arange(n, dtype=np.int32), 1000 + n)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "cache"))


def run(converter: Converter, **options: Any) -> list[Spikes]:
    return cached_spikes("toy", NAMES, converter, **({"key": {"version": 1}} | options))


def shards() -> list[Path]:
    return sorted(cache_root().glob("toy/*/*.npz"))


def remove_maps() -> None:
    for folder in cache_root().glob("toy/*/maps"):
        shutil.rmtree(folder)


def assert_right(found: list[Spikes]) -> None:
    assert len(found) == len(NAMES)
    for name, spikes in zip(NAMES, found, strict=True):
        for got, wanted in zip(spikes, Converter()(name), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_converts_once() -> None:
    converter = Converter()
    assert_right(run(converter))
    assert_right(run(converter))
    assert converter.calls == 250
    assert len(shards()) == 3


@pytest.mark.parametrize("workers", [1, 5])
def test_workers_do_not_matter(workers: int) -> None:
    assert_right(run(Converter(), workers=workers))


def test_another_key_is_another_place() -> None:
    converter = Converter()
    run(converter)
    run(converter, key={"version": 2})
    assert converter.calls == 500


def test_tells_how_far_it_is() -> None:
    told: list[int] = []
    run(Converter(), on_done=told.append)
    assert told == [100, 100, 50]
    run(Converter(), on_done=told.append)
    assert told == [100, 100, 50, 250]


def test_an_interrupted_conversion_goes_on() -> None:
    class Interrupted(Converter):
        def __call__(self, name: str) -> Spikes:
            if name == "150.wav":
                raise KeyboardInterrupt
            return super().__call__(name)

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted())
    assert [path.name for path in shards()] == ["0000.npz"]
    converter = Converter()
    assert_right(run(converter))
    assert converter.calls == 150


def damage_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_bit(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[300] ^= 1
    path.write_bytes(whole)


def damage_pickle(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, times_us=np.array([{"code": 1}], dtype=object))


def damage_kind(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def damage_counts(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, times_us=np.zeros(3), channels=np.zeros(3), counts=np.full(100, 1), durations_us=np.ones(100))


@pytest.mark.parametrize("damage", [damage_cut, damage_empty, damage_bit, damage_pickle, damage_kind, damage_counts])
def test_a_damaged_shard_is_named_and_made_again(damage: Any, caplog: pytest.LogCaptureFixture) -> None:
    run(Converter())
    path = shards()[1]
    damage(path)
    remove_maps()
    converter = Converter()
    with caplog.at_level(logging.WARNING):
        assert_right(run(converter))
    assert converter.calls == 100
    assert str(path) in caplog.text
    assert "making it again" in caplog.text


def test_a_full_disk_is_named_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(SpikingGammaError, match=r"0000\.npz.*No space left on device.*SPIKINGGAMMA_CACHE"):
        run(Converter())
    assert not shards()
    assert sorted(path.name for path in cache_root().glob("toy/*/*")) == [".lock", "key.json"]


def test_an_unusable_cache_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        SpikingGammaError, match=r"Not a directory while writing it.*point SPIKINGGAMMA_CACHE at another folder"
    ):
        run(Converter())


def test_errors_of_the_conversion_come_through() -> None:
    def fails(name: str) -> Spikes:
        raise SpikingGammaError(name, "silence", "a sound")

    with pytest.raises(SpikingGammaError, match=r"0\.wav"):
        cached_spikes("toy", NAMES, fails, key={})


def test_default_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKINGGAMMA_CACHE")
    assert "spikinggamma" in str(cache_root())


def maps() -> Path:
    return next(cache_root().glob("toy/*/maps"))


def test_later_runs_map_files_and_read_no_shard() -> None:
    converter = Converter()
    run(converter)
    for path in shards():
        path.unlink()
    found = run(converter)
    assert_right(found)
    assert converter.calls == 250
    for spikes in found:
        assert (spikes.times_us.dtype, spikes.channels.dtype) == (np.int64, np.int32)
        assert not spikes.times_us.flags.writeable
        if len(spikes.times_us):
            assert Recording(*spikes[:2], 8, spikes.duration_us, 0).times_us.base is not None  # a view still


def test_a_cache_of_shards_alone_is_mapped_and_not_converted() -> None:
    """What the first releases left."""
    run(Converter())
    remove_maps()
    converter = Converter()
    assert_right(run(converter))
    assert converter.calls == 0
    assert maps().is_dir()


def spoil_bit(folder: Path) -> None:
    path = folder / "times_us"
    whole = bytearray(path.read_bytes())
    whole[77] ^= 4
    path.write_bytes(whole)


def spoil_cut(folder: Path) -> None:
    path = folder / "channels"
    path.write_bytes(path.read_bytes()[:-3])


def spoil_index(folder: Path) -> None:
    path = folder / "index.npz"
    whole = bytearray(path.read_bytes())
    whole[200] ^= 1
    path.write_bytes(whole)


def spoil_missing(folder: Path) -> None:
    (folder / "channels").unlink()


SPOILS = {
    spoil_bit: "`times_us` has CRC-32",
    spoil_cut: "`channels` has 2977 bytes instead of 2980",
    spoil_index: "Bad CRC-32 for file 'counts.npy'",
    spoil_missing: "No such file",
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_damaged_map_is_named_and_made_again(spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture) -> None:
    run(Converter())
    spoil(maps())
    converter = Converter()
    with caplog.at_level(logging.WARNING):
        assert_right(run(converter))
    assert converter.calls == 0  # the shards are whole
    assert str(maps()) in caplog.text
    assert SPOILS[spoil] in caplog.text
    caplog.clear()
    assert_right(run(converter))
    assert caplog.text == ""


def test_what_killed_writers_left_is_removed() -> None:
    run(Converter())
    remove_maps()
    folder = shards()[0].parent
    (folder / ".maps.1-ab.tmp").mkdir()
    (folder / ".maps.1-ab.tmp" / "times_us").write_bytes(b"half")
    (folder / ".0000.npz.1-cd.tmp").write_bytes(b"half")
    assert_right(run(Converter()))
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock", "0000.npz", "0001.npz", "0002.npz", "key.json", "maps",
    ]  # fmt: skip


def test_a_disk_too_full_for_maps_leaves_spikes_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    run(Converter())
    remove_maps()

    def full(folder: Path, shards: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("spikinggamma.datasets.cache.write_maps", full)
    assert_right(run(Converter()))


def test_large_channels_and_times_survive() -> None:
    wanted = Spikes(np.array([0, 5 * 10**9]), np.array([70_000, 3], np.int32), 6 * 10**9)
    for _ in range(2):
        (found,) = cached_spikes("toy", ["one"], lambda name: wanted, key={"large": 1})
        np.testing.assert_array_equal(found.times_us, wanted.times_us)
        np.testing.assert_array_equal(found.channels, wanted.channels)
    found = cached_spikes(
        "toy", ["a", "b"], lambda name: Spikes(np.empty(0, np.int64), np.empty(0, np.int32), 9), key={}
    )
    assert [len(spikes.times_us) for spikes in found] == [0, 0]


def _fill_in_a_process(log: Path) -> None:
    class Slow(Converter):
        def __call__(self, name: str) -> Spikes:
            time.sleep(0.001)
            with log.open("a") as file:
                file.write(name + "\n")
            return super().__call__(name)

    assert_right(run(Slow(), workers=2))


def test_two_processes_fill_one_cache_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_fill_in_a_process, args=(tmp_path / "log",)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert sorted((tmp_path / "log").read_text().split()) == sorted(NAMES)  # each was converted by one of them
    assert_right(run(Converter()))


AS_NOBODY = """
import json, os, sys
os.environ["SPIKINGGAMMA_CACHE"] = sys.argv[1]
import numpy as np
from spikinggamma.datasets.cache import Spikes, cached_spikes
"".encode("cp437")  # of ZIP files; Python's own files may be closed to the other user
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
def convert(name):
    raise SystemExit("converted")
try:
    found = cached_spikes("toy", json.loads(sys.argv[2]), convert, key=json.loads(sys.argv[3]))
    print(sum(len(spikes.times_us) for spikes in found), found[-1].times_us.flags.writeable)
except ValueError as error:
    print(error)
"""


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_cache_that_cannot_be_written_is_read_where_it_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    def as_nobody(key: dict[str, object]) -> str:
        arguments = [str(root), json.dumps(NAMES), json.dumps(key)]
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        root = Path(folder)
        root.chmod(0o755)
        monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(root))
        run(Converter())
        wanted = sum(len(Converter()(name).times_us) for name in NAMES)
        for path in [*root.rglob("*"), root]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            assert as_nobody({"version": 1}).strip() == f"{wanted} False"  # a map
            assert "Permission denied while writing it; expected a file that can be written. Free some" in as_nobody({})
            for path in [root, *root.glob("toy/*"), *root.glob("toy/*/maps")]:
                path.chmod(0o755)
            remove_maps()
            for path in root.glob("toy/*"):
                path.chmod(0o555)
            assert as_nobody({"version": 1}).strip() == f"{wanted} True"  # in memory
        finally:
            for path in [root, *root.rglob("*")]:
                path.chmod(0o755)
