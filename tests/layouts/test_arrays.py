"""Arrays x and y, and files in SHD's layout, as the recordings that they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikinggamma.datasets.heidelberg_writer import write_heidelberg
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.layouts import Found, find_recordings
from spikinggamma.layouts.recordings_file import write_recordings


def found(path: Path, arrays: dict[str, Any], **options: object) -> list[Found]:
    np.savez(path, **{name: np.array(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    entry, recordings = find_recordings(path, "", options)
    assert entry.name == "arrays"
    return recordings


def test_whole_numbers_are_counts_of_spikes(tmp_path: Path) -> None:
    x = [[[0, 2], [1, 0]], [[0, 0], [0, 1]]]
    first, second = found(tmp_path / "a.npz", {"x": x, "y": ["no", "yes"], "subject": ["s1", "s2"]}, sample_ms=4)
    assert first.events is not None
    assert second.events is not None
    assert (first.events.times_us.tolist(), first.events.channels.tolist()) == ([2000, 2000, 6000], [1, 1, 0])
    assert (first.events.duration_us, first.sensor, first.label, first.speaker) == (8000, (2,), "no", "s1")
    assert (second.events.times_us.tolist(), second.label) == ([6000], "yes")


def test_vectors_are_one_sample_and_series_end_at_their_length(tmp_path: Path) -> None:
    (one,) = found(tmp_path / "a.npz", {"x": [[0.25, 0.5]], "y": [1], "class_names": ["a", "b"]}, sample_ms=30)
    assert one.signal is not None
    assert (one.signal.values.tolist(), one.signal.duration_us, one.label) == ([[0.25, 0.5]], 30_000, "b")
    series = {"x": np.zeros((2, 5, 3)), "y": [[0, 1, 1, 2, -1], [1, 1, 1, 1, 1]], "lengths": [4, 5]}
    first, second = found(tmp_path / "b.npz", series, sample_ms=2)
    assert first.signal is not None
    assert first.signal.values.shape == (4, 3)
    assert np.asarray(first.answer).tolist() == [0, 1, 1, 2]
    assert (second.answer_us, np.asarray(second.answer).dtype.kind) == (2000, "i")


@pytest.mark.parametrize(
    ("y", "answer", "answer_us"),
    [
        ([[0.5], [np.nan]], [0.5], 0),
        ([0.5, 1.5], [0.5], 0),
        ([[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0], 0),
        (np.arange(12.0).reshape(2, 3, 2), [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], 1000),
    ],
)
def test_numbers_with_a_point_are_values(y: Any, answer: Any, answer_us: int, tmp_path: Path) -> None:
    first, _ = found(tmp_path / "a.npz", {"x": np.zeros((2, 3, 2)), "y": y})
    assert (np.asarray(first.answer).tolist(), first.answer_us, first.label) == (answer, answer_us, "")


def test_pairs_of_arrays_are_parts(tmp_path: Path) -> None:
    arrays = {"x_train": np.ones((2, 3, 1), int), "y_train": [0, 1], "x_test": np.ones((1, 3, 1), int), "y_test": [1]}
    assert [(one.part, one.label) for one in found(tmp_path / "a.npz", arrays)] == [
        ("test", "1"),
        ("train", "0"),
        ("train", "1"),
    ]


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x": np.zeros((2, 3, 1))}, "an array `y`"),
        ({"x": np.zeros((2, 3, 1)), "y": [1]}, "y of .*1 rows; expected 2"),
        ({"x": np.full((2, 3, 1), -1), "y": [0, 1]}, r"from -1 to -1; expected counts of spikes.*counts = false"),
        ({"x": np.zeros((2, 3, 1)), "y": [0, 1], "lengths": [4, 1]}, "lengths of .*from 1 to 4; expected .* 1 to 3"),
        ({"x": np.zeros((2, 3, 1)), "y": [0, 2], "class_names": ["a", "b"]}, "0 to 2; expected 0 to 1"),
        ({"x": np.zeros((2, 3, 1, 1)), "y": [0, 1]}, r"\[2, 3, 1, 1\]; expected numbers \[N, C\] or \[N, T, C\]"),
    ],
)
def test_arrays_that_do_not_fit_are_named(arrays: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        found(tmp_path / "a.npz", arrays)


def recordings(count: int, n_channels: int, first_class: int = 0) -> list[Recording]:
    rng = np.random.default_rng(count)
    return [
        Recording(
            np.sort(rng.integers(0, 400_000, 30)),
            rng.integers(0, n_channels, 30),
            n_channels,
            400_000,
            first_class + index % 3,
            f"p{index % 2}",
            f"r{index}",
        )
        for index in range(count)
    ]


def test_what_data_convert_writes_is_read_back(tmp_path: Path) -> None:
    written = recordings(6, 24)
    write_heidelberg(tmp_path / "digits_train.h5", written[:4], ("null", "eins", "zwei"))
    write_heidelberg(tmp_path / "digits_test.h5", written[4:], ("null", "eins", "zwei"))
    read = find_recordings(tmp_path)[1]
    assert [one.part for one in read] == ["test"] * 2 + ["train"] * 4
    for one, was in zip([*read[2:], *read[:2]], written, strict=True):
        assert one.events is not None
        assert np.array_equal(one.events.times_us, was.times_us)
        assert np.array_equal(one.events.channels, was.channels)
        assert (one.sensor, one.label, one.speaker) == ((24,), ("null", "eins", "zwei")[was.label], was.speaker)


def foreign(path: Path, made: list[Recording], *, scale: float = 1.0) -> None:
    """Write a file without anything that the layout does not ask for."""
    with h5py.File(path, "w") as file:
        spikes = file.create_group("spikes")
        for name, kind in (("times", np.float32), ("units", np.uint16)):
            lists = spikes.create_dataset(name, (len(made),), dtype=h5py.vlen_dtype(kind))
            for index, one in enumerate(made):
                lists[index] = (one.times_us / 1e6 * scale if name == "times" else one.channels).astype(kind)
        file["labels"] = np.array([one.label for one in made], np.uint16)


def test_any_number_of_channels_and_classes(tmp_path: Path) -> None:
    foreign(tmp_path / "a.h5", recordings(6, 1400, first_class=3))
    read = find_recordings(tmp_path / "a.h5")[1]
    largest = max(int(one.channels.max()) for one in recordings(6, 1400))
    assert {one.sensor for one in read} == {(largest + 1,)}
    assert {one.label for one in read} == {"3", "4", "5"}
    assert find_recordings(tmp_path / "a.h5", "", {"n_channels": 1400})[1][0].sensor == (1400,)


def test_times_in_milliseconds_are_read_where_that_is_said(tmp_path: Path) -> None:
    foreign(tmp_path / "a.h5", recordings(3, 8), scale=1000.0)
    one = find_recordings(tmp_path / "a.h5", "", {"seconds": 1e-3})[1][0]
    assert one.events is not None
    assert np.abs(one.events.times_us - recordings(3, 8)[0].times_us).max() <= 1


def test_recordings_from_python_come_back_whole(tmp_path: Path) -> None:
    made = recordings(4, 8)
    splits = Splits(made[:2], made[2:3], made[3:])
    write_recordings(tmp_path / "recordings.npz", splits, ("a", "b", "c"))
    entry, read = find_recordings(tmp_path / "recordings.npz")
    assert entry.name == "recordings"
    assert [one.part for one in read] == ["train", "train", "validation", "test"]
    for one, was in zip(read, made, strict=True):
        assert one.events is not None
        assert np.array_equal(one.events.times_us, was.times_us)
        assert (one.label, one.speaker, one.source) == ("abc"[was.label], was.speaker, was.source)


def test_the_cache_gives_the_same_and_sees_a_change(tmp_path: Path) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text("time_ms,channel,label,recording\n1,2,a,r\n2,0,a,r\n")
    first, again = find_recordings(path)[1][0], find_recordings(path)[1][0]
    assert first.events is not None
    assert again.events is not None
    assert not again.events.times_us.flags.writeable  # mapped from a file
    assert np.array_equal(first.events.times_us, again.events.times_us)
    assert (first.label, first.columns, first.sensor) == (again.label, again.columns, again.sensor)
    path.write_text("time_ms,channel,label,recording\n1,2,a,r\n2,0,a,r\n3,1,a,r\n")
    third = find_recordings(path)[1][0].events
    assert third is not None
    assert len(third.times_us) == 3
