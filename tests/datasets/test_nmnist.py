"""N-MNIST: five bytes an event, real ones where there are some, and files that are not what they seem."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import nmnist

DATA = Path(os.environ.get("SPIKINGGAMMA_DATA", "")) / "nmnist"
real = pytest.mark.skipif(
    not os.environ.get("SPIKINGGAMMA_DATA") or not DATA.is_dir(), reason="SPIKINGGAMMA_DATA names no folder with nmnist"
)


def packed(events: list[tuple[int, int, int, int]]) -> bytes:
    """(time, x, y, polarity) as published."""
    return b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for t, x, y, p in events)


def a_file(folder: Path, data: bytes) -> Path:
    path = folder / "Train" / "7" / "00001.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@given(
    st.lists(
        st.tuples(st.integers(0, 2**23 - 1), st.integers(0, 33), st.integers(0, 33), st.integers(0, 1)), min_size=1
    ).map(sorted)
)
def test_every_bit_of_an_event(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, int, int, int]]
) -> None:
    recording = nmnist.read_recording(a_file(tmp_path_factory.mktemp("nmnist"), packed(events)), 7)
    np.testing.assert_array_equal(recording.times_us, [t for t, _, _, _ in events])
    polarity, y, x = np.unravel_index(recording.channels, (2, 34, 34))
    np.testing.assert_array_equal(np.stack([x, y, polarity], 1), [event[1:] for event in events])
    assert recording.duration_us == events[-1][0] + 1
    assert recording.source == "Train/7/00001.bin"


def test_a_clock_that_runs_over_goes_on(tmp_path: Path) -> None:
    data = packed([(8000, 1, 1, 0), (0, 0, 240, 0), (5, 2, 1, 1), (0, 0, 240, 0), (7, 3, 1, 1)])
    assert nmnist.read_recording(a_file(tmp_path, data), 7).times_us.tolist() == [8000, 8197, 16391]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "0 bytes"),
        (packed([(1, 1, 1, 1)])[:-1], "4 bytes"),
        (packed([(1, 1, 1, 1), (2, 34, 0, 0)]), "x 34, y 0 at event 1; expected 0 to 33"),
        (packed([(1, 1, 34, 1)]), "x 1, y 34 at event 0"),
        (packed([(9, 1, 1, 1), (8, 1, 1, 0)]), "8 after 9 at event 1"),
        (packed([(9, 0, 240, 1)]), "no event but overflows"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, data: bytes, says: str) -> None:
    path = a_file(tmp_path, data)
    with pytest.raises(SpikingGammaError, match=says) as caught:
        nmnist.read_recording(path, 7)
    assert "00001.bin" in str(caught.value)


def test_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"Train.*no such folder.*Download N-MNIST"):
        nmnist.load(root=tmp_path)
    (tmp_path / "nmnist" / "Train").mkdir(parents=True)
    with pytest.raises(SpikingGammaError, match=r"no `\.bin` file"):
        nmnist.load(root=tmp_path)
    with pytest.raises(SpikingGammaError, match="'fold:K' with K from 0 to 4"):
        nmnist.load(split="fold:5", root=tmp_path)


def test_folds_cover_every_recording_once(tmp_path: Path) -> None:
    for part, count in (("Train", 9), ("Test", 4)):
        for label in range(10):
            folder = tmp_path / "nmnist" / part / str(label)
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{number:05}.bin").write_bytes(packed([(number, label, 0, 0)]))
    seen: list[str] = []
    for fold in range(5):
        splits = nmnist.load(split=f"fold:{fold}", root=tmp_path)
        test = [recording.source for recording in splits.test]
        others = {recording.source for part in (splits.train, splits.validation) for recording in part}
        assert not others & set(test)
        assert len(others) + len(test) == 130
        counts = np.bincount([recording.label for recording in splits.test], minlength=10)
        assert counts.max() - counts.min() <= 1
        seen += test
    assert len(seen) == len(set(seen)) == 130
    official = nmnist.load(root=tmp_path)
    assert (len(official.train), len(official.validation), len(official.test)) == (81, 9, 40)


@pytest.mark.long
@real
def test_real_recordings() -> None:
    splits = nmnist.load(root=DATA.parent)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (900, 100, 100)
    counts = np.array([recording.n_events for recording in splits.train])
    assert 3000 < counts.mean() < 5000
    durations = np.array([recording.duration_us for recording in splits.train])
    assert durations.min() > 290_000
    assert durations.max() < 350_000
    # A digit is a figure on an empty ground: the border of the sensor sees little.
    image = sum(np.bincount(recording.channels, minlength=2312).reshape(2, 34, 34).sum(0) for recording in splits.train)
    assert image[8:26, 8:26].mean() > 10 * image[:3].mean()
