"""No mutated file crashes, hangs or warns; where the format has redundancy none is read wrong.

By hand, ten thousand cases a reader: `pytest -m slow -s tests/datasets/test_fuzz_readers.py`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from fuzzing import Reader, SpikeCounter, fuzz

from spikinggamma.datasets.audio import read_sound
from spikinggamma.datasets.cache import Spikes, _load, _save
from spikinggamma.datasets.heidelberg import read_heidelberg
from spikinggamma.datasets.nmnist import read_recording
from spikinggamma.datasets.qtdb import read_qtdb
from spikinggamma.datasets.spike_maps import DAMAGE, open_maps, write_maps
from spikinggamma.errors import SpikingGammaError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bounds a process's memory as Linux does")

SPIKES = [
    Spikes(np.sort(np.random.default_rng(n).integers(0, 1000, n * 20)), np.arange(n * 20, dtype=np.int32), 1000 + n)
    for n in range(4)
]


def heidelberg(path: Path, content: bytes) -> None:
    for recording in read_heidelberg(path, n_channels=700).recordings:
        assert recording.n_events == len(recording.channels)


def nmnist(path: Path, content: bytes) -> None:
    recording = read_recording(path, 3)
    # Five bytes an event, each read back from what was read: the format holds nothing else.
    data = np.frombuffer(content, np.uint8).reshape(-1, 5).astype(np.int64)
    seen = data[data[:, 1] != 240]
    polarity, y, x = recording.pixels
    np.testing.assert_array_equal(np.stack([x, y, polarity]), [seen[:, 0], seen[:, 1], seen[:, 2] >> 7])
    np.testing.assert_array_equal(recording.times_us % 2**13, ((seen[:, 3] << 8) + seen[:, 4]) % 2**13)


def sound(path: Path, content: bytes) -> None:
    samples, rate_hz = read_sound(path)
    assert rate_hz >= 4000
    assert np.isfinite(samples).all()
    assert len(samples) >= 2


def shard(path: Path, content: bytes) -> None:
    """Every array of a shard has a checksum: whatever is taken is what was put in."""
    found = _load(path, len(SPIKES))
    if found is None:
        raise SpikingGammaError(str(path), "unusable", "a shard")
    for one, other in zip(found, SPIKES, strict=True):
        for got, wanted in zip(one, other, strict=True):
            np.testing.assert_array_equal(got, wanted)


def maps(path: Path, content: bytes) -> None:
    """The three files of a map as one, so that mutations reach all; what is taken is what was put in."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        left = content
        for name, size in MAP_SIZES.items():
            last = name == list(MAP_SIZES)[-1]
            (Path(folder) / name).write_bytes(left if last else left[:size])
            left = left[size:]
        try:
            found = open_maps(Path(folder), len(SPIKES))
        except DAMAGE as error:
            raise SpikingGammaError(str(path), str(error), "a map") from error
        for one, other in zip(found, SPIKES, strict=True):
            for got, wanted in zip(one, other, strict=True):
                np.testing.assert_array_equal(got, wanted)


def heidelberg_seeds(folder: Path, root: Path | None) -> list[bytes]:
    """Small files in the published layout, by h5py alone, both kinds of times."""
    rng = np.random.default_rng(1)
    found = []
    for kind in (np.float16, np.float32):
        with h5py.File(folder / "seed.h5", "w") as file:
            times = file.create_dataset("spikes/times", (6,), dtype=h5py.vlen_dtype(kind))
            units = file.create_dataset("spikes/units", (6,), dtype=h5py.vlen_dtype(np.uint16))
            for index, count in enumerate((0, 1, 5, 20, 50, 9)):
                times[index] = np.sort(rng.uniform(0, 1.3, count)).astype(kind)
                units[index] = rng.integers(0, 700, count).astype(np.uint16)
            file["labels"] = np.arange(6, dtype=np.uint16)
            file["extra/speaker"] = np.arange(6, dtype=np.uint16)
            file["extra/keys"] = np.array([b"zero", b"one", b"two"], "S8")
        found.append((folder / "seed.h5").read_bytes())
    return found


def nmnist_seeds(folder: Path, root: Path | None) -> list[bytes]:
    """Real recordings where there are some, and one made up, with two overflows of the clock."""
    rng = np.random.default_rng(2)
    count = 300
    times = np.sort(rng.integers(0, 20_000, count))
    rows = np.stack(
        [
            rng.integers(0, 34, count),
            rng.integers(0, 34, count),
            rng.integers(0, 2, count) << 7,
            times >> 8,
            times & 255,
        ],
        axis=1,
    )
    rows = np.insert(rows, [count, count], [[0, 240, 0, 0, 0]] * 2, axis=0)
    real = sorted(root.glob("nmnist/T*/*/*.bin"))[::200] if root else []
    return [rows.astype(np.uint8).tobytes(), *(path.read_bytes() for path in real)]


def sound_seeds(folder: Path, root: Path | None) -> list[bytes]:
    """Real sounds where there are some, and made-up ones in both formats."""
    import soundfile

    wave = np.sin(np.arange(1500) / 5.0) * 0.5
    for name in ("seed.wav", "seed.flac"):
        soundfile.write(folder / name, wave, 8000, subtype="PCM_16")
    real = [*sorted(root.glob("fsdd/recordings/*.wav"))[:3], root / "heidelberg-clip/spoken_digit.flac"] if root else []
    return [path.read_bytes() for path in [folder / "seed.wav", folder / "seed.flac", *real] if path.is_file()]


def shard_seeds(folder: Path, root: Path | None) -> list[bytes]:
    _save(folder / "seed.npz", SPIKES)
    return [(folder / "seed.npz").read_bytes()]


def map_seeds(folder: Path, root: Path | None) -> list[bytes]:
    write_maps(folder / "maps", [SPIKES[:2], SPIKES[2:]])
    contents = {name: (folder / "maps" / name).read_bytes() for name in ("times_us", "channels", "index.npz")}
    MAP_SIZES.update({name: len(content) for name, content in contents.items()})
    return [b"".join(contents.values())]


def qtdb(path: Path, content: bytes) -> None:
    read_qtdb(path)


def qtdb_seeds(folder: Path, root: Path | None) -> list[bytes]:
    rng = np.random.default_rng(0)
    x, y = (rng.random((12, 30, 4)) < 0.2).astype(np.int16), np.eye(6, dtype=np.uint8)[rng.integers(0, 6, (12, 30))]
    made = folder / "made.mat"
    scipy.io.savemat(made, {"x": x, "y": y}, do_compression=True)
    return [made.read_bytes()] + ([(root / "qtdb" / "QTDB_test.mat").read_bytes()] if root else [])


MAP_SIZES: dict[str, int] = {}

Seeds = Callable[[Path, Path | None], list[bytes]]
READERS: dict[str, tuple[Reader, Seeds, str]] = {
    "heidelberg": (heidelberg, heidelberg_seeds, ".h5"),
    "nmnist": (nmnist, nmnist_seeds, ".bin"),
    "sound": (sound, sound_seeds, ".wav"),
    "shard": (shard, shard_seeds, ".npz"),
    "maps": (maps, map_seeds, ".maps"),
    "qtdb": (qtdb, qtdb_seeds, ".mat"),
}


def run(name: str, folder: Path, cases: int) -> SpikeCounter:
    reader, seeds, suffix = READERS[name]
    named = os.environ.get("SPIKINGGAMMA_DATA")
    contents = seeds(folder, Path(named) if named else None)
    tally = fuzz(reader, contents, cases, suffix=suffix)
    print(f"\n{name}: {cases} cases, {tally.read} read, {tally.refused} refused, {len(tally.failures)} failures")  # noqa: T201
    return tally


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    tally = run(name, tmp_path, 300)
    assert tally.failures == []
    assert tally.refused > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_ten_thousand_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    tally = run(name, tmp_path, 10_000)
    assert tally.failures == []
    assert tally.refused > 0


@pytest.mark.parametrize("name", READERS)
def test_the_files_that_are_mutated_are_good(name: str, tmp_path: Path) -> None:
    reader, seeds, suffix = READERS[name]
    for content in seeds(tmp_path, None):
        path = tmp_path / f"whole{suffix}"
        path.write_bytes(content)
        reader(path, content)
