"""The cache gives back what was put in, never half of it, and says what it could not use."""

from __future__ import annotations

import errno
import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.cache import Spikes, cache_root, cached_spikes

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
    assert [path.name for path in cache_root().glob("toy/*/*")] == ["key.json"]


def test_an_unusable_cache_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "file"))
    with pytest.raises(SpikingGammaError, match="a cache to write to"):
        run(Converter())


def test_errors_of_the_conversion_come_through() -> None:
    def fails(name: str) -> Spikes:
        raise SpikingGammaError(name, "silence", "a sound")

    with pytest.raises(SpikingGammaError, match=r"0\.wav"):
        cached_spikes("toy", NAMES, fails, key={})


def test_default_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKINGGAMMA_CACHE")
    assert "spikinggamma" in str(cache_root())
