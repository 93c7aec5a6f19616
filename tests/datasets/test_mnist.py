"""MNIST: every code keeps what it says it keeps, the files are fetched once, and damaged ones are named."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from local_server import LocalServer, local_server

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import mnist, pictures
from spikinggamma.datasets.cache import cache_root
from spikinggamma.events import Recording, Splits

Bytes = npt.NDArray[np.uint8]
PICTURES = arrays(np.uint8, (784,), elements=st.integers(0, 255), fill=st.just(0)) | arrays(np.uint8, (784,))
RAMP = np.arange(784).astype(np.uint8)


def idx(values: Bytes) -> bytes:
    """An IDX file as published."""
    return struct.pack(f">2xBB{values.ndim}I", 8, values.ndim, *values.shape) + values.tobytes()


def files(train: Bytes, test: Bytes) -> dict[str, bytes]:
    """All four, with labels 0, 1, ... 9, 0, ..."""
    made = {}
    for part, some_of_it in (("train", train), ("t10k", test)):
        made[f"{part}-images-idx3-ubyte"] = idx(some_of_it.reshape(-1, 28, 28))
        made[f"{part}-labels-idx1-ubyte"] = idx((np.arange(len(some_of_it)) % 10).astype(np.uint8))
    return made


def put(root: Path, contents: dict[str, bytes]) -> Path:
    folder = root / "mnist"
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return root


def some(count: int, seed: int = 0) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (count, 784), dtype=np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return put(tmp_path, files(some(40), some(20, 1)))


def every(splits: Splits) -> dict[str, Recording]:
    return {recording.source: recording for part in splits for recording in part}


def decoded(recording: Recording, levels: int, pixel_us: int) -> npt.NDArray[np.int64]:
    """The level at each step: upward crossings so far, less downward ones."""
    change = np.zeros(784, np.int64)
    np.add.at(change, recording.times_us // pixel_us, np.where(recording.channels < levels, 1, -1))
    return np.cumsum(change)


def crossings(picture: Bytes, order: npt.NDArray[np.int64], levels: int) -> Recording:
    spikes = pictures.crossing_code(picture, order=order, levels=levels, step_us=1000)
    return Recording(*spikes, 2 * levels, 784_000, label=0)


@pytest.mark.long
@given(PICTURES, st.integers(1, 255), st.integers(1000, 100_000))
@example(np.zeros(784, np.uint8), 1, 1000)
@example(RAMP, 1, 1000)
@example(RAMP, 255, 1000)
def test_latency_keeps_the_order_of_brightness(picture: Bytes, threshold: int, duration_us: int) -> None:
    times, channels = pictures.latency_code(picture, threshold=threshold, duration_us=duration_us)
    recording = Recording(times, channels, 784, duration_us, label=0, shape=(1, 28, 28))
    assert sorted(recording.channels) == np.flatnonzero(picture >= threshold).tolist()
    brightness = picture[recording.channels].astype(np.int64)
    assert (np.diff(brightness) <= 0).all()
    later = np.diff(recording.times_us) > 0
    np.testing.assert_array_equal(later, np.diff(brightness) < 0)
    if len(times) and brightness[0] == 255:
        assert recording.times_us[0] == 0


@given(PICTURES, st.integers(1, 255))
@example(RAMP, 255)
@example(RAMP, 1)
def test_crossings_add_up_to_the_picture_again(picture: Bytes, levels: int) -> None:
    found = decoded(crossings(picture, np.arange(784), levels), levels, 1000)
    np.testing.assert_array_equal(found, np.floor(picture * ((levels + 1) / 256)))
    if levels == 255:
        np.testing.assert_array_equal(found, picture)


@pytest.mark.long
@given(PICTURES, st.integers(1, 20), st.integers(0, 2**63 - 1))
def test_permuted_is_sequential_with_its_pixels_in_another_order(picture: Bytes, levels: int, seed: int) -> None:
    order = mnist.pixel_order(seed)
    assert sorted(order) == list(range(784))
    plain, permuted = (crossings(picture, which, levels) for which in (np.arange(784), order))
    np.testing.assert_array_equal(decoded(permuted, levels, 1000), decoded(plain, levels, 1000)[order])
    shuffled = crossings(picture[order], np.arange(784), levels)
    np.testing.assert_array_equal(permuted.times_us, shuffled.times_us)
    np.testing.assert_array_equal(permuted.channels, shuffled.channels)


def test_every_crossing_has_its_channel() -> None:
    picture = np.zeros(784, np.uint8)
    picture[[2, 3, 5]] = 255, 100, 60  # levels 3, 1, 0 of 3
    recording = crossings(picture, np.arange(784), 3)
    spikes = list(zip((recording.times_us // 1000).tolist(), recording.channels.tolist(), strict=True))
    assert spikes == [(2, 0), (2, 1), (2, 2), (3, 4), (3, 5), (4, 3)]


def test_the_order_of_pixels_never_changes() -> None:
    assert mnist.pixel_order(0)[:6].tolist() == [392, 404, 87, 282, 46, 366]
    assert not np.array_equal(mnist.pixel_order(0), mnist.pixel_order(1))


@pytest.mark.parametrize("code", mnist.CODES)
def test_recordings_are_as_described(root: Path, code: str) -> None:
    options: dict[str, object] = {"code": code, "levels": 5}
    splits = mnist.load(code=code, levels=5, root=root)
    described = mnist.describe(options)
    n_channels, shape = described.n_channels, described.shape
    assert (n_channels, shape) == ((784, (1, 28, 28)) if code == "latency" else (10, ()))
    for source, recording in every(splits).items():
        assert (recording.n_channels, recording.shape) == (n_channels, shape)
        assert recording.duration_us == (20_000 if code == "latency" else 784_000)
        assert recording.label == int(source.partition("[")[2].rstrip("]")) % 10


@pytest.mark.long
def test_loaded_recordings_are_the_pictures_in_the_files(root: Path) -> None:
    picture = some(40)[7]
    sequential, permuted = (
        every(mnist.load(code=code, levels=255, pixel_ms=0.5, permutation_seed=3, root=root))["train[7]"]
        for code in ("sequential", "permuted")
    )
    np.testing.assert_array_equal(decoded(sequential, 255, 500), picture)
    np.testing.assert_array_equal(decoded(permuted, 255, 500), picture[mnist.pixel_order(3)])


def test_validation_is_held_out_of_training(root: Path) -> None:
    first, other = (
        mnist.load(validation_fraction=0.25, root=root),
        mnist.load(validation_fraction=0.25, seed=1, root=root),
    )
    assert [len(part) for part in first] == [30, 10, 20]
    assert len(every(first)) == 60
    assert sorted(recording.label for recording in first.validation) == list(range(10))
    assert {recording.source.partition("[")[0] for recording in first.test} == {"t10k"}
    assert {r.source for r in first.validation} != {r.source for r in other.validation}


def test_files_may_be_packed(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "packed"
    elsewhere.mkdir()
    for named in (".gz", ""):  # some programs unpack a file and keep its name, or pack it and drop the ending
        contents = files(some(40), some(20, 1))
        put(elsewhere, {name + named: gzip.compress(content) for name, content in contents.items()})
        plain, packed = every(mnist.load(root=root)), every(mnist.load(root=elsewhere))
        np.testing.assert_array_equal(plain["train[3]"].times_us, packed["train[3]"].times_us)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"split": "fold:1"}, "`split`.*'official'"),
        ({"code": "rate"}, "`code`: got 'rate'; expected one of latency, sequential, permuted"),
        ({"code": "sequential", "levels": 0}, "`levels`: got 0; expected a whole number from 1 to 255"),
        ({"code": "sequential", "levels": 256}, "`levels`: got 256"),
        ({"code": "sequential", "pixel_ms": 0.0}, "`pixel_ms`: got 0.0"),
        ({"code": "permuted", "pixel_ms": float("nan")}, "`pixel_ms`: got nan"),
        ({"code": "permuted", "permutation_seed": -1}, "`permutation_seed`: got -1"),
        ({"threshold": 0}, "`threshold`: got 0; expected a whole number from 1 to 255"),
        ({"threshold": 256}, "`threshold`: got 256"),
        ({"duration_ms": 0.9}, "`duration_ms`: got 0.9; expected 1 to 60000 ms"),
        ({"duration_ms": float("inf")}, "`duration_ms`: got inf"),
        ({"validation_fraction": 1.0}, "`validation_fraction`"),
    ],
)
def test_options_out_of_range_are_named(root: Path, options: dict[str, object], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        mnist.load(root=root, **options)  # type: ignore[arg-type]


def test_descriptions_refuse_what_load_refuses() -> None:
    with pytest.raises(SpikingGammaError, match="`code`"):
        mnist.describe({"code": "rate"})
    with pytest.raises(SpikingGammaError, match=r"`levels`: got 2\.5"):
        mnist.describe({"code": "permuted", "levels": 2.5})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("train-images-idx3-ubyte", b"", "begins with nothing"),
        ("train-images-idx3-ubyte", idx(some(40)), "begins with 00 00 08 02.*expected 00 00 08 03"),
        ("train-images-idx3-ubyte", idx(some(40).reshape(-1, 28, 28))[:-1], "31359 bytes.*40 x 28 x 28"),
        ("train-images-idx3-ubyte", idx(some(40).reshape(-1, 28, 28)) + b"0", "31361 bytes"),
        ("train-images-idx3-ubyte", idx(some(40).reshape(-1, 14, 56)), r"pictures of \(14, 56\)"),
        ("train-images-idx3-ubyte", idx(some(39).reshape(-1, 28, 28)), "40 labels; expected 39"),
        ("train-images-idx3-ubyte", struct.pack(">2xBB3I", 8, 3, 0, 2**32 - 1, 2**32 - 1), "at least one"),
        ("train-images-idx3-ubyte", b"\0\0\x08\x03\0\0", "begins with 00 00 08 03 00 00"),
        ("t10k-labels-idx1-ubyte", idx(np.full(20, 10, np.uint8)), "label 10 at place 0"),
        ("t10k-labels-idx1-ubyte", gzip.compress(idx(np.zeros(20, np.uint8)), mtime=0)[:-3], "not readable"),
        ("t10k-labels-idx1-ubyte", b"\x1f\x8b" + bytes(20), "not readable"),
    ],
)
def test_damaged_files_are_named(root: Path, name: str, content: bytes, says: str) -> None:
    (root / "mnist" / name).write_bytes(content)
    with pytest.raises(SpikingGammaError, match=says) as caught:
        mnist.load(root=root)
    assert name.partition("-")[0] in caught.value.argument


def test_missing_files_are_named_with_a_way_out(root: Path, tmp_path: Path) -> None:
    (root / "mnist" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(SpikingGammaError, match=r"t10k-labels-idx1-ubyte.*no such file.*Put the four IDX files"):
        mnist.load(root=root)
    with pytest.raises(SpikingGammaError, match=r"nowhere.*train-images-idx3-ubyte.*no such file"):
        mnist.load(root=tmp_path / "nowhere")


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, min(len(data), 20 if rng.random() < 0.5 else len(data)))) if data else 0
        kind = rng.integers(0, 4)
        if kind == 0 and data:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1 and data:
            data[at] = int(rng.choice([0, 1, 8, 28, 127, 128, 255]))
        elif kind == 2:
            del data[at : at + int(rng.integers(1, 9))]
        else:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(data)


def fuzz(root: Path, rounds: int) -> int:
    """How many of these mutated files were read all the same."""
    rng = np.random.default_rng(7)
    contents = files(some(3), some(2, 1))
    packed = {name: gzip.compress(content) for name, content in contents.items()}
    survived = 0
    for index in range(rounds):
        put(root, contents)
        name = list(contents)[index % 4]
        (root / "mnist" / name).write_bytes(mutate((packed if rng.random() < 0.5 else contents)[name], rng))
        try:
            splits = mnist.load(root=root, code=mnist.CODES[index % 3])
        except SpikingGammaError:
            continue
        assert [len(splits.train) + len(splits.validation), len(splits.test)] == [3, 2]
        survived += 1
    return survived


@pytest.mark.long
def test_mutated_files_are_refused_or_read(tmp_path: Path) -> None:
    assert 0 < fuzz(tmp_path, 300) < 300


@pytest.mark.slow
def test_many_mutated_files_are_refused_or_read(tmp_path: Path) -> None:
    assert 0 < fuzz(tmp_path, 10_000) < 10_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """A server on this machine that stands for the published one."""
    folder = tmp_path / "served"
    folder.mkdir()
    packed = {f"{name}.gz": gzip.compress(content) for name, content in files(some(20), some(10, 1)).items()}
    for name, content in packed.items():
        (folder / name).write_bytes(content)
    monkeypatch.delenv("SPIKINGGAMMA_DATA", raising=False)
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path / "cache"))
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in packed.items()}
    monkeypatch.setattr(mnist, "_CHECKSUMS", checksums)
    with local_server(folder) as found:
        monkeypatch.setattr(mnist, "_MIRROR", f"{found.address}/")
        yield found


def test_files_are_fetched_once(server: LocalServer) -> None:
    assert len(mnist.load().test) == 10
    assert len(server.asked) == 4
    assert len(mnist.load().test) == 10
    assert len(server.asked) == 4
    (cache_root() / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert len(mnist.load().test) == 10
    assert [path for path, _ in server.asked[4:]] == ["/t10k-labels-idx1-ubyte.gz"]


@pytest.mark.parametrize("fault", ["another", "none"])
def test_what_is_fetched_is_the_published_file_or_nothing(server: LocalServer, fault: str) -> None:
    path = server.folder / "t10k-images-idx3-ubyte.gz"
    if fault == "another":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        path.unlink()
    with pytest.raises(SpikingGammaError, match=r"t10k-images-idx3-ubyte\.gz"):
        mnist.load()
    assert not (cache_root() / "mnist" / path.name).exists()


def test_published_checksums_are_whole() -> None:
    assert len(mnist._CHECKSUMS) == 4
    assert {len(bytes.fromhex(digest)) for digest in mnist._CHECKSUMS.values()} == {32}
