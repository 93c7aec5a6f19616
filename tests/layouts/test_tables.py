"""Tables of events and of signals: the same recordings from CSV, NPZ, NPY and Parquet; what is wrong names its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet
import pytest

from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts import Found, find_recordings, recognised

EVENTS: dict[str, list[Any]] = {
    "time_ms": [3.5, 0.25, 9.0, 1.0, 2.0],
    "channel": [2, 0, 1, 1, 3],
    "recording": ["b", "b", "a", "a", "b"],
    "label": ["up", "up", "down", "down", "up"],
    "speaker": ["ann", "ann", "bob", "bob", "ann"],
    "day": [1, 1, 2, 2, 1],
}
SIGNALS: dict[str, list[Any]] = {
    "time_s": [0.0, 0.01, 0.02, 0.0, 0.01],
    "recording": [1, 1, 1, 2, 2],
    "ax": [0.5, 0.25, 0.0, 1.0, 2.0],
    "ay": [1, 2, 3, 4, 5],
    "subject": ["s1", "s1", "s1", "s2", "s2"],
    "label": ["sit", "sit", "sit", "run", "run"],
}


def write(path: Path, table: dict[str, list[Any]]) -> Path:
    columns = {name: np.array(values) for name, values in table.items()}
    if path.suffix in (".csv", ".tsv"):
        between = "," if path.suffix == ".csv" else "\t"
        lines = [between.join(table), *(between.join(map(str, row)) for row in zip(*table.values(), strict=True))]
        path.write_text("# a comment\n" + "\n".join(lines) + "\n", encoding="utf-8-sig")
    elif path.suffix == ".npz":
        np.savez(path, **columns)  # type: ignore[arg-type]
    elif path.suffix == ".npy":
        array = np.empty(len(columns["recording"]), [(name, column.dtype) for name, column in columns.items()])
        for name, column in columns.items():
            array[name] = column
        np.save(path, array)
    else:
        pyarrow.parquet.write_table(pyarrow.table(table), path)
    return path


def found(path: Path, **options: object) -> list[Found]:
    return find_recordings(path, "", options)[1]


def events(one: Found) -> tuple[list[int], list[int], int]:
    assert one.events is not None
    return one.events.times_us.tolist(), one.events.channels.tolist(), one.events.duration_us


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".npz", ".npy", ".parquet"])
def test_rows_of_events_are_recordings(suffix: str, tmp_path: Path) -> None:
    first, second = found(write(tmp_path / f"spikes{suffix}", EVENTS))
    assert events(first) == ([250, 2000, 3500], [0, 3, 2], 3501)
    assert events(second) == ([1000, 9000], [1, 1], 9001)
    assert (first.label, first.speaker, dict(first.columns)) == ("up", "ann", {"day": "1"})


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".npy", ".parquet"])
def test_rows_of_samples_are_signals(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"motion{suffix}", SIGNALS)
    assert recognised(path).entry.name == "signal_table"
    first, second = found(path)
    assert first.signal is not None
    assert second.signal is not None
    assert first.signal.values.tolist() == [[0.5, 1.0], [0.25, 2.0], [0.0, 3.0]]
    assert first.signal.times_us.tolist() == [0, 10_000, 20_000]
    assert (first.signal.duration_us, second.signal.duration_us) == (30_000, 20_000)
    assert [(one.label, one.speaker) for one in (first, second)] == [("sit", "s1"), ("run", "s2")]


def test_each_file_is_a_recording_where_no_column_says_so(tmp_path: Path) -> None:
    for name in ("up", "down"):
        plain = {key: values for key, values in EVENTS.items() if key in ("time_ms", "channel")}
        write(tmp_path / f"{name}.csv", plain | {"label": [name] * 5})
    assert [(one.label, len(events(one)[0])) for one in found(tmp_path)] == [("down", 5), ("up", 5)]


def test_a_camera_s_rows_have_x_y_and_p(tmp_path: Path) -> None:
    table = {"t": [5, 3], "x": [2, 0], "y": [1, 0], "p": [1, 0], "recording": [0, 0], "label": ["a", "a"]}
    path = write(tmp_path / "pixels.csv", table)
    (one,) = found(path, time_unit="us", width=4, height=3)
    assert one.sensor == (2, 3, 4)
    assert events(one) == ([3, 5], [0, (3 + 1) * 4 + 2], 6)
    assert found(path, time_unit="us")[0].sensor == (2, 2, 3)


def test_targets_by_step_may_be_missing(tmp_path: Path) -> None:
    table: dict[str, list[Any]] = {"time_ms": [0, 10, 20], "left": [1, 2, 3], "target_speed": [0.5, "", 1.5]}
    (one,) = found(write(tmp_path / "drive.csv", table))
    assert one.answer is not None
    assert (one.answer_us, one.answer_names) == (10_000, ("speed",))
    assert np.array_equal(one.answer, [[0.5], [np.nan], [1.5]], equal_nan=True)
    (whole,) = found(write(tmp_path / "drive.csv", table | {"target_speed": [2.0, 2.0, 2.0]}))
    assert whole.answer is not None
    assert (whole.answer.tolist(), whole.answer_us) == ([2.0], 0)


def test_a_label_that_changes_is_a_class_at_each_step(tmp_path: Path) -> None:
    table = {"time_ms": [0, 10, 20, 30], "left": [1, 2, 3, 4], "label": ["P", "", "T", "P"]}
    (one,) = found(write(tmp_path / "heart.csv", table))
    answer: npt.NDArray[Any] = np.asarray(one.answer)
    assert answer.tolist() == [0, -1, 1, 0]
    assert one.answer_names == ("P", "T")


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ({"time_ms": None, "time": [1, 2, 3, 4, 5]}, {}, "times without a unit; expected s, ms, us or ns"),
        ({"time_ms": [1, 2, np.nan, 4, 5]}, {}, "nan in row 2; expected finite times"),
        ({"time_ms": [1, 2, -3, 4, 5]}, {}, r"a time of -3000 us.*start_at_first"),
        ({"time_ms": [1, 2, 1e300, 4, 5]}, {}, "below 2"),
        ({"channel": [0, 1, -1, 0, 0]}, {}, "-1; expected whole numbers from 0"),
        ({"channel": [0, 1, 2**31, 0, 0]}, {}, r"2147483648; expected whole numbers from 0 to below 2\^31"),
        ({"channel": [0, 1, 1.5, 0, 0]}, {}, "expected whole numbers"),
        ({"label": ["up", "down", "down", "down", "up"]}, {}, "label of recording b of .* got down and up"),
        ({}, {"duration_ms": 3.0}, r"3\.0 ms, and an event at 3\.5 ms"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(
    changes: dict[str, Any], options: dict[str, object], says: str, tmp_path: Path
) -> None:
    table = {name: values for name, values in (EVENTS | changes).items() if values is not None}
    with pytest.raises(SpikingGammaError, match=says):
        found(write(tmp_path / "spikes.csv", table), **options)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"time_ms,channel\n1,2\n3\n", "row 3"),
        (b"time_ms,channel\n", "a table without rows"),
        (b"time_ms,channel,channel\n1,2,3\n", "each once"),
    ],
)
def test_a_damaged_text_is_named(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "spikes.csv").write_bytes(content)
    with pytest.raises(SpikingGammaError, match=says):
        found(tmp_path / "spikes.csv")


def test_samples_at_one_time_or_with_gaps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match="two samples at 10000 us"):
        found(write(tmp_path / "a.csv", SIGNALS | {"time_s": [0.0, 0.01, 0.01, 0.0, 0.01]}))
    with pytest.raises(SpikingGammaError, match=r"nan in row 1 of it; expected finite numbers. Fill gaps"):
        found(write(tmp_path / "a.csv", SIGNALS | {"ax": [0.5, "", 0.0, 1.0, 2.0]}))
    uneven: dict[str, list[Any]] = {"time_ms": [0, 10, 35], "left": [1, 2, 3], "target": [1.0, 2.0, 3.0]}
    with pytest.raises(SpikingGammaError, match="evenly spaced"):
        found(write(tmp_path / "b.csv", uneven))
