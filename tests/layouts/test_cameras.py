"""Files of event cameras give the very events that were written, whatever their clock, and damaged ones are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from camera_files import Event, aedat2, aedat4, dat, evt2, evt3
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts import Found, find_recordings
from spikinggamma.layouts.cameras import unwrapped

EVENTS: list[Event] = [(100, 1, 2, 1), (5000, 3, 2, 0), (70_000, 31, 15, 1), (70_001, 0, 0, 0)]
WRITERS: dict[str, tuple[str, Callable[[Sequence[Event]], bytes]]] = {
    "evt3": ("raw", evt3),
    "evt2": ("raw", evt2),
    "dat": ("dat", dat),
    "aedat4": ("aedat4", aedat4),
}


def read(folder: Path, suffix: str, content: bytes, **options: object) -> Found:
    for name in ("wave", "clap"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / f"1.{suffix}").write_bytes(content)
    _, found = find_recordings(folder, "", options)
    assert [one.label for one in found] == ["clap", "wave"]
    return found[0]


def check(one: Found, events: Sequence[Event], *, width: int = 32, height: int = 16, start: int | None = None) -> None:
    assert one.events is not None
    assert one.sensor == (2, height, width)
    first = events[0][0] if start is None else start
    assert one.events.times_us.tolist() == [time - first for time, *_ in events]
    assert one.events.channels.tolist() == [(p * height + y) * width + x for _, x, y, p in events]


@pytest.mark.parametrize("name", WRITERS)
def test_events_are_read_as_they_were_written(name: str, tmp_path: Path) -> None:
    suffix, write = WRITERS[name]
    check(read(tmp_path, suffix, write(EVENTS)), EVENTS)


@pytest.mark.parametrize(("name", "bits"), [("evt3", 24), ("evt2", 34), ("dat", 32)])
def test_a_clock_that_begins_anew_goes_on(name: str, bits: int, tmp_path: Path) -> None:
    suffix, write = WRITERS[name]
    turn = 1 << bits
    events = [(turn - 5000, 1, 2, 1), (turn - 10, 3, 2, 0), (turn + 7, 4, 2, 1), (turn + 9000, 5, 2, 0)]
    check(read(tmp_path, suffix, write(events)), events)


def test_a_camera_that_tells_the_time_of_day_begins_at_its_first_event(tmp_path: Path) -> None:
    of_day = [(1_600_000_000_000_000 + time, x, y, p) for time, x, y, p in EVENTS]
    check(read(tmp_path, "aedat4", aedat4(of_day)), of_day)
    long = [*of_day, (of_day[0][0] + 4_000_000_000, 0, 0, 1)]
    with pytest.raises(SpikingGammaError, match="expected a recording of less than an hour"):
        read(tmp_path, "aedat4", aedat4(long))


@pytest.mark.parametrize(("chip", "width", "height"), [("dvs128", 128, 128), ("davis240", 240, 180)])
def test_version_2_knows_its_cameras(chip: str, width: int, height: int, tmp_path: Path) -> None:
    events = [(2**32 - 10, 127, 120, 1), (2**32 - 2, 0, 0, 0), (2**32 + 4, 5, 99, 1)]
    check(read(tmp_path, "aedat", aedat2(events, chip=chip), chip=chip), events, width=width, height=height)


def test_bin_files_may_be_of_another_sensor(tmp_path: Path) -> None:
    rows = [bytes([x, y, p << 7 | time >> 16, time >> 8 & 255, time & 255]) for time, x, y, p in EVENTS]
    check(read(tmp_path, "bin", b"".join(rows)), EVENTS, width=34, height=34)
    check(read(tmp_path, "bin", b"".join(rows), width=40, height=20), EVENTS, width=40, height=20)
    with pytest.raises(SpikingGammaError, match=r"x 31 at event 2; expected 0 to 15"):
        read(tmp_path, "bin", b"".join(rows), width=16, height=16)


def test_squares_of_pixels_are_summed(tmp_path: Path) -> None:
    one = read(tmp_path, "raw", evt3(EVENTS), pool=5)
    assert one.sensor == (2, 3, 6)
    assert one.events is not None
    # The third event lies beyond the last whole square.
    assert one.events.channels.tolist() == [3 * 6, 0, 0]


@pytest.mark.parametrize(
    ("suffix", "content", "says"),
    [
        ("raw", b"% evt 3.0\n% geometry 32x16\n", "no event; expected at least one"),
        ("raw", evt3(EVENTS)[:-1], "not readable"),
        ("raw", evt2(EVENTS)[:-1], "bytes of events; expected four bytes a word"),
        ("raw", b"% Date 2020\n% no version\n" + bytes(8), "no version of its events"),
        ("raw", b"% evt 4.0\n" + bytes(8), "EVT4; expected a raw file of EVT2 or EVT3"),
        ("dat", dat(EVENTS, text=b"% none\n"), "its events reach x 31 and y 15"),
        ("aedat4", aedat4(EVENTS)[:60], "not readable"),
        ("aedat", b"#!AER-DAT2.0\r\n" + bytes(9), "eight bytes an event"),
        ("aedat", b"#!AER-DAT1.0\r\n" + bytes(8), "expected AEDAT 2.0, 3.1 or 4"),
    ],
)
def test_a_damaged_file_is_named(suffix: str, content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=says) as raised:
        read(tmp_path, suffix, content)
    assert f"1.{suffix}" in str(raised.value)


def test_a_missing_reader_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpikingGammaError, match=r"the package evt3, which reads raw files of EVT3. .*pip install evt3"):
        read(tmp_path, "raw", evt3(EVENTS))


@given(st.lists(st.integers(0, 100), min_size=1, max_size=60), st.integers(8, 12))
def test_a_clock_of_few_bits_is_undone(steps: list[int], bits: int) -> None:
    times = np.cumsum(np.array(steps))
    assert np.array_equal(unwrapped(times % (1 << bits), bits), times - (times[0] >> bits << bits))
