"""The layout of the Spiking Heidelberg Digits: round trips, both published revisions, and files that are not what they seem."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.heidelberg import made_with, read_heidelberg
from spikinggamma.datasets.heidelberg_writer import write_heidelberg
from spikinggamma.events import Recording, bin_recording

TIMES_S = [[0.1, 0.25, 0.25, 0.9], [], [0.0, 1.34]]
UNITS = [[3, 699, 0, 41], [], [12, 12]]


def published(path: Path, dtype: type = np.float16, **changes: Any) -> Path:
    """A file as the authors publish it, by h5py alone."""
    parts: dict[str, Any] = {
        "spikes/times": [np.array(times, dtype) for times in TIMES_S],
        "spikes/units": [np.array(units, np.uint16) for units in UNITS],
        "labels": np.array([4, 0, 19], np.uint16),
        "extra/speaker": np.array([2, 7, 2], np.uint16),
        "extra/keys": np.array([b"zero", b"one"], "S8"),
    } | changes
    with h5py.File(path, "w") as file:
        for name, value in parts.items():
            if value is None:
                continue
            if isinstance(value, h5py.Empty):
                file.create_dataset(name, (0,), dtype=h5py.vlen_dtype(value.dtype))
            elif isinstance(value, list):
                lists = file.create_dataset(name, (len(value),), dtype=h5py.vlen_dtype(value[0].dtype))
                for index, part in enumerate(value):
                    lists[index] = part
            else:
                file[name] = value
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_both_published_revisions_read_right(tmp_path: Path, dtype: type) -> None:
    recordings, class_names = read_heidelberg(published(tmp_path / "shd.h5", dtype))
    assert class_names == ("zero", "one")
    for recording, times, units in zip(recordings, TIMES_S, UNITS, strict=True):
        expected = np.rint(np.array(times, dtype).astype(np.float64) * 1e6).astype(np.int64)
        np.testing.assert_array_equal(recording.times_us, expected)
        np.testing.assert_array_equal(recording.channels, units)
        assert recording.n_channels == 700
    assert [recording.label for recording in recordings] == [4, 0, 19]
    assert [recording.speaker for recording in recordings] == ["2", "7", "2"]
    assert [recording.duration_us for recording in recordings][1] == 1  # nothing says how long silence lasts
    assert recordings[2].source == "shd.h5[2]"
    for dt_ms in (1.0, 2.0, 4.0):
        assert float(bin_recording(recordings[0], dt_ms=dt_ms).sum()) == 4.0


def test_what_half_precision_keeps(tmp_path: Path) -> None:
    """Half of the gap between neighbouring numbers: what the file's own documentation promises."""
    rng = np.random.default_rng(0)
    wanted_us = np.sort(rng.integers(0, 2_000_000, 4000))
    half = [(wanted_us / 1e6).astype(np.float16), np.array([], np.float16), np.array([], np.float16)]
    units = [np.zeros(len(part), np.uint16) for part in half]
    path = published(tmp_path / "half.h5", **{"spikes/times": half, "spikes/units": units})
    off_us = np.abs(read_heidelberg(path).recordings[0].times_us - wanted_us)
    for below_us, bound_us in ((125_000, 31), (1_000_000, 245), (2_000_000, 489)):
        assert off_us[wanted_us < below_us].max() <= bound_us
    assert off_us.max() > 400
    single = [part.astype(np.float32) for part in (wanted_us / 1e6, half[1], half[2])]
    path = published(tmp_path / "single.h5", **{"spikes/times": single, "spikes/units": units})
    np.testing.assert_array_equal(read_heidelberg(path).recordings[0].times_us, wanted_us)


def test_single_precision_keeps_microseconds_up_to_eight_seconds() -> None:
    times_us = np.concatenate([np.arange(7_900_000, 8_000_000), np.arange(0, 8_000_000, 997)])
    np.testing.assert_array_equal(np.rint((times_us / 1e6).astype(np.float32).astype(np.float64) * 1e6), times_us)


def test_lengths_and_names_are_read_as_others_write_them(tmp_path: Path) -> None:
    more = {"extra/duration": np.array([0.9001, 0.25, 1.5], np.float32), "extra/source": np.array([b"a", b"b", b"c"])}
    found = read_heidelberg(published(tmp_path / "a.h5", np.float32, **more)).recordings
    assert [(one.source, one.duration_us) for one in found] == [("a", 900_100), ("b", 250_000), ("c", 1_500_000)]
    for wrong in (np.array([1, 1, 2]), np.array([1.0, 2.0], np.float32), np.array([1.0, float("nan"), 2.0])):
        with pytest.raises(SpikingGammaError, match="extra/duration of"):
            read_heidelberg(published(tmp_path / "b.h5", np.float32, **{"extra/duration": wrong}))


def test_numbered_speakers_are_written_as_numbers(tmp_path: Path) -> None:
    one = [Recording(np.array([5]), np.array([0]), 1, 10, 0, speaker) for speaker in ("11", "2", "10")]
    write_heidelberg(tmp_path / "own.h5", one, made_with="hand")
    with h5py.File(tmp_path / "own.h5") as file:
        assert file["extra/speaker"][:].tolist() == [11, 2, 10]
        assert "speaker_names" not in file["extra"]
    assert [found.speaker for found in read_heidelberg(tmp_path / "own.h5").recordings] == ["11", "2", "10"]
    assert made_with(tmp_path / "own.h5") == "hand"
    write_heidelberg(tmp_path / "named.h5", [*one, Recording(np.array([5]), np.array([0]), 1, 10, 0, "02")])
    assert [found.speaker for found in read_heidelberg(tmp_path / "named.h5").recordings] == ["11", "2", "10", "02"]
    assert made_with(tmp_path / "named.h5") == ""


@st.composite
def any_recordings(draw: st.DrawFn) -> list[Recording]:
    n_channels = draw(st.integers(1, 900))
    longest = draw(st.sampled_from([1_000, 2_000_000, 90_000_000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    result = []
    for index in range(draw(st.integers(1, 4))):
        duration = int(rng.integers(1, longest))
        count = int(rng.integers(0, 40))
        times, channels = np.sort(rng.integers(0, duration, count)), rng.integers(0, n_channels, count)
        label, speaker = int(rng.integers(0, 20)), draw(st.sampled_from(["", "Jürgen", "7", "a b"]))
        result.append(Recording(times, channels, n_channels, duration, label, speaker, f"word {index}"))
    return result


@pytest.mark.long
@given(any_recordings())
@settings(max_examples=50, deadline=None)
def test_written_and_read_is_the_same_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, given_recordings: Any
) -> None:
    path = tmp_path_factory.mktemp("heidelberg") / "own.h5"
    write_heidelberg(path, given_recordings, ["nought", "fünf"])
    found, class_names = read_heidelberg(path)
    assert class_names == ("nought", "fünf")
    assert len(found) == len(given_recordings)
    for one, other in zip(found, given_recordings, strict=True):
        np.testing.assert_array_equal(one.times_us, other.times_us)
        np.testing.assert_array_equal(one.channels, other.channels)
        for name in ("n_channels", "duration_us", "label", "speaker", "source"):
            assert getattr(one, name) == getattr(other, name)


def test_the_usual_length_fits_into_single_precision(tmp_path: Path) -> None:
    times = np.arange(0, 1_400_000, 7)
    write_heidelberg(tmp_path / "own.h5", [Recording(times, times % 700, 700, 1_400_000, 0)])
    with h5py.File(tmp_path / "own.h5") as file:
        assert h5py.check_vlen_dtype(file["spikes/times"].dtype) == np.float32


def swapped(times: list[float]) -> list[np.ndarray]:
    return [np.array(TIMES_S[0], np.float32), np.array([], np.float32), np.array(times, np.float32)]


EMPTY = {"times": h5py.Empty(np.float32), "units": h5py.Empty(np.uint16)}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no times": ({"spikes/times": None}, "no `spikes/times` in it"),
    "no labels": ({"labels": None}, "no `labels` in it"),
    "fewer labels": ({"labels": np.array([1, 2], np.uint16)}, r"labels of .*shape \(2,\); expected 3 integers"),
    "labels of floats": ({"labels": np.array([1.0, 2.0, 3.0])}, "labels of .*float64"),
    "fewer units": ({"spikes/units": [np.array([1], np.uint16)]}, "3 `spikes/times` and 1 `spikes/units`"),
    "flat times": ({"spikes/times": np.array([0.1, 0.2, 0.3])}, "expected a list of floats a recording"),
    "times of integers": ({"spikes/times": [np.array([1, 2])] * 3}, "expected a list of floats a recording"),
    "unsorted": ({"spikes/times": swapped([0.5, 0.4])}, r"bad.h5\[2\].*400000 after 500000 at event 1"),
    "negative": ({"spikes/times": swapped([-0.1, 0.4])}, r"bad.h5\[2\].*-0.1.* at spike 0; expected seconds from 0"),
    "not a number": ({"spikes/times": swapped([0.1, float("nan")])}, r"bad.h5\[2\].*nan at spike 1"),
    "milliseconds": ({"spikes/times": swapped([0.1, 5e4])}, r"bad.h5\[2\].*expected seconds from 0 to below 3600"),
    "one time too many": ({"spikes/times": swapped([0.1, 0.2, 0.3])}, r"bad.h5\[2\].*two lists of one length"),
    "endless": ({"spikes/times": swapped([0.1, float("inf")])}, r"bad.h5\[2\].*inf at spike 1"),
    "no recordings": (
        {"spikes/times": EMPTY["times"], "spikes/units": EMPTY["units"], "labels": np.array([], np.uint16)},
        "bad.h5.*no recordings; expected at least one",
    ),
    "a negative label": (
        {"labels": np.array([1, -1, 2], np.int16)},
        r"label of bad.h5\[1\].*got -1; expected at least 0",
    ),
    "labels in a table": ({"labels": np.zeros((3, 1), np.uint16)}, r"labels of .*shape \(3, 1\); expected 3 integers"),
    "fewer speakers": ({"extra/speaker": np.array([1], np.uint16)}, r"extra/speaker of .*shape \(1,\)"),
    "channels of floats": (
        {"spikes/units": [np.array([1.0, 2.0, 3.0, 4.0]), np.array([]), np.array([1.0, 2.0])]},
        "expected a list of integers a recording",
    ),
    "a negative channel": (
        {"spikes/units": [np.array([-1, 1, 2, 3], np.int16), np.array([], np.int16), np.array([1, 2], np.int16)]},
        r"bad.h5\[0\].*channel -1 at event 0; expected channels from 0 to 699",
    ),
    "a speaker without a name": (
        {"extra/speaker_names": np.array([b"a", b"b"], "S2")},
        r"extra/speaker of bad.h5\[0\].*got 2; expected 0 to 1",
    ),
    "a duration too short": (
        {"extra/duration_us": np.array([10, 10, 10])},
        r"bad.h5\[0\].*times from 100000 to 900000; expected times from 0 to 9",
    ),
    "a group for a list": ({"labels": None, "labels/a": np.array([1])}, "no `labels` in it"),
    "a channel too high": (
        {"spikes/units": [np.array([700, 1, 2, 3], np.uint16), np.array([], np.uint16), np.array([1, 2], np.uint16)]},
        r"bad.h5\[0\].*channel 700 at event 0; expected channels from 0 to 699",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(tmp_path: Path, name: str) -> None:
    changes, says = BAD[name]
    with pytest.raises(SpikingGammaError, match=says):
        read_heidelberg(published(tmp_path / "bad.h5", np.float32, **changes))


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"RIFF" + data])
def test_a_damaged_file_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = published(tmp_path / "cut.h5")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(SpikingGammaError, match=r"cut\.h5.*not readable"):
        read_heidelberg(path)
    with pytest.raises(SpikingGammaError, match="no such file"):
        read_heidelberg(tmp_path / "none.h5")


def test_a_heap_that_the_library_would_never_leave_is_named(tmp_path: Path) -> None:
    path = published(tmp_path / "loop.h5")
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 32] = bytes(16)  # an object number 0 of size 0
    path.write_bytes(content)
    with pytest.raises(SpikingGammaError, match=rf"loop\.h5.*no size at byte {heap + 16}, in the heap at byte {heap}"):
        read_heidelberg(path)


@pytest.mark.parametrize("chunks", [None, (2,)])
def test_a_list_longer_than_the_file_is_named(tmp_path: Path, chunks: tuple[int] | None) -> None:
    path = published(tmp_path / "long.h5")
    with h5py.File(path, "r+") as file:
        del file["spikes/times"]
        times = file.create_dataset("spikes/times", (3,), dtype=h5py.vlen_dtype(np.float16), chunks=chunks)
        for index, one in enumerate(TIMES_S):
            times[index] = np.array(one, np.float16)
        file.flush()
        offset = times.id.get_offset() if chunks is None else times.id.get_chunk_info(1).byte_offset
    assert len(read_heidelberg(path).recordings) == 3
    content = bytearray(path.read_bytes())
    content[offset : offset + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SpikingGammaError, match=r"long\.h5.*of `/spikes/times` has 2147483648 items, in \d+ bytes"):
        read_heidelberg(path)


FULL = """
import resource, signal, sys
import numpy as np
from pathlib import Path
from spikinggamma.datasets.heidelberg_writer import write_heidelberg
from spikinggamma.events import Recording
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
times = np.arange(100_000)
try:
    write_heidelberg(Path(sys.argv[1]), [Recording(times, times % 700, 700, 100_000, 0)])
except ValueError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="bounds the size of files as POSIX does")
def test_a_disk_that_fills_up_is_named_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "own.h5"
    path.write_bytes(b"the old one")
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False)
    assert re.search(r"^SpikingGammaError `.*own\.h5`: got .*File too large.* while writing it", done.stdout), done
    assert path.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == ["own.h5"]


def test_nothing_half_written(tmp_path: Path) -> None:
    one = Recording(np.array([1]), np.array([1]), 4, 10, 0)
    path = tmp_path / "own.h5"
    write_heidelberg(path, [one])
    before = path.read_bytes()
    with pytest.raises(SpikingGammaError, match="all of one sensor"):
        write_heidelberg(path, [one, Recording(np.array([1]), np.array([1]), 5, 10, 0)])
    steps = Recording(np.array([1]), np.array([1]), 4, 10, -1, source="a beat", step_labels=np.array([0]), step_us=10)
    with pytest.raises(SpikingGammaError, match=r"label of a beat.*got -1; expected one label"):
        write_heidelberg(path, [steps])
    with pytest.raises(SpikingGammaError, match="while writing it"):
        write_heidelberg(tmp_path / "no" / "folder.h5", [one])
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]
