"""Recordings of published files are read once, and what is mapped is what was read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, SensorShape

N_RECORDINGS = 7


def made(shape: SensorShape = (2, 3, 4)) -> list[Recording]:
    rng = np.random.default_rng(0)
    return [
        Recording(
            np.sort(rng.integers(0, 1000, events)),
            rng.integers(0, 24, events).astype(np.int32),
            24,
            1000 + events,
            label=events % 3,
            speaker=f"Zoë {events}",
            source=f"file[{events}]",
            shape=shape,
        )
        for events in range(N_RECORDINGS)  # the first is empty
    ]


class Reader:
    """Counts how often it is asked."""

    def __init__(self, recordings: list[Recording]) -> None:
        self.recordings = recordings
        self.calls = 0

    def __call__(self) -> Iterator[Recording]:
        self.calls += 1
        yield from self.recordings


def same(one: list[Recording], other: list[Recording]) -> bool:
    def info(r: Recording) -> tuple[object, ...]:
        return (r.n_channels, r.duration_us, r.label, r.speaker, r.source, r.shape)

    return len(one) == len(other) and all(
        info(a) == info(b) and np.array_equal(a.times_us, b.times_us) and np.array_equal(a.channels, b.channels)
        for a, b in zip(one, other, strict=True)
    )


def mapped(array: object) -> bool:
    """Whether the bytes of an array are a file's."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, np.memmap)


def maps() -> Path:
    return next(cache_root().glob("toy/files-*/maps"))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published"
    path.write_bytes(b"0123")
    return path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("shape", [(2, 3, 4), ()])
@pytest.mark.parametrize("piece_events", [1, 4, 10**6])
def test_read_once_then_mapped(
    published: Path, shape: SensorShape, piece_events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikinggamma.datasets.recording_maps._PIECE_EVENTS", piece_events)
    read = Reader(made(shape))
    for _ in range(3):
        found = mapped_recordings("toy", [published], read, key={})
        assert same(found, made(shape))
        assert not found[-1].times_us.flags.writeable
        assert mapped(found[-1].channels)
        assert mapped(found[-1].times_us)
    assert read.calls == 1


def test_another_file_time_or_key_is_read_anew(published: Path) -> None:
    read = Reader(made())
    mapped_recordings("toy", [published], read, key={})
    mapped_recordings("toy", [published], read, key={"pool": 2})
    published.write_bytes(b"01234")
    mapped_recordings("toy", [published], read, key={})
    os.utime(published, ns=(0, 0))
    mapped_recordings("toy", [published], read, key={})
    mapped_recordings("toy", [published, published], read, key={})
    assert read.calls == 5


@pytest.mark.parametrize("name", ["times_us", "channels", "index.npz"])
@pytest.mark.parametrize("damage", ["cut", "change", "lose"])
def test_damaged_maps_are_named_and_made_again(
    published: Path, name: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    read = Reader(made())
    mapped_recordings("toy", [published], read, key={})
    path = maps() / name
    content = path.read_bytes()
    # Not every byte of an archive's own headers matters; those of a recording's name do.
    place = content.index("file[3]".encode("utf-32-le")) if name == "index.npz" else len(content) // 2
    if damage == "lose":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[:place])
    else:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert same(mapped_recordings("toy", [published], read, key={}), made())
    assert read.calls == 2
    assert str(maps()) in caplog.text
    assert path.read_bytes() == content


def test_what_cannot_be_read_leaves_nothing(published: Path) -> None:
    def non_finite_error() -> Iterator[Recording]:
        yield from made()
        raise SpikingGammaError("published[7]", "nonsense", "sense")

    with pytest.raises(SpikingGammaError, match="nonsense"):
        mapped_recordings("toy", [published], non_finite_error, key={})
    assert [path.name for path in cache_root().glob("toy/files-*/*")] in ([], [".lock"])


@pytest.mark.parametrize("recordings", [[], [*made(), *made(())]])
def test_recordings_of_one_sensor_only(published: Path, recordings: list[Recording]) -> None:
    with pytest.raises(SpikingGammaError, match="all of one sensor"):
        mapped_recordings("toy", [published], Reader(recordings), key={})


def test_without_a_cache_they_are_in_memory(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = published.parent / "cache"
    in_the_way.write_bytes(b"")
    read = Reader(made())
    assert same(mapped_recordings("toy", [published], read, key={}), made())
    assert read.calls == 1
    assert in_the_way.read_bytes() == b""

    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(published.parent / "other"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spikinggamma.datasets.recording_maps.write_maps", full)
    assert same(mapped_recordings("toy", [published], read, key={}), made())
    assert not list(cache_root().glob("toy/files-*/maps"))


def test_a_leftover_of_a_killed_writer_is_cleared(published: Path) -> None:
    mapped_recordings("toy", [published], Reader(made()), key={})
    leftover = maps().with_name(".maps.1-ab.tmp")
    maps().rename(leftover)
    mapped_recordings("toy", [published], Reader(made()), key={})
    assert not leftover.exists()
    assert same(mapped_recordings("toy", [published], Reader([]), key={}), made())
