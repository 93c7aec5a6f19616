"""Structured arrays: there and back to the bit, fields in any order, and arrays that are not what they seem."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from event_strategies import recordings
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.events.structured import from_structured, from_tonic, sensor_size, to_structured

# As Tonic declares them: its own structure, and those of its N-MNIST, DVS Gesture and Heidelberg data sets.
TONIC = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])
NMNIST = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])
GESTURE = np.dtype([("x", np.int16), ("y", np.int16), ("p", bool), ("t", np.int64)])
HEIDELBERG = np.dtype([("t", int), ("x", int), ("p", int)])


def filled(dtype: np.dtype[Any], **columns: Sequence[int] | int) -> np.ndarray[Any, np.dtype[Any]]:
    """What Tonic's own maker of arrays does: a column at a time, as long as the first."""
    array = np.empty(np.shape(columns["t"]), dtype)
    for name, values in columns.items():
        array[name] = values
    return array


@st.composite
def cameras(draw: st.DrawFn, *, kinds: int = 2) -> Recording:
    width, height = draw(st.integers(1, 200)), draw(st.integers(1, 200))
    duration_us, n_events = draw(st.integers(1, 2**40)), draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_channels = kinds * width * height
    times_us, channels = np.sort(rng.integers(0, duration_us, n_events)), rng.integers(0, n_channels, n_events)
    return Recording(times_us, channels, n_channels, duration_us, label=3, shape=(kinds, height, width))


def assert_same(one: Recording, other: Recording) -> None:
    np.testing.assert_array_equal(one.times_us, other.times_us)
    np.testing.assert_array_equal(one.channels, other.channels)
    for name in ("n_channels", "duration_us", "label", "shape", "source", "speaker"):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.long
@given(cameras(), st.sampled_from(["".join(order) for order in permutations("xytp")]))
def test_a_camera_there_and_back_in_any_order(recording: Recording, order: str) -> None:
    array = to_structured(recording, order)
    assert array.dtype == np.dtype([(name, TONIC[name]) for name in order])
    size = sensor_size(recording)
    assert_same(from_structured(array, sensor_size=size, label=3, duration_us=recording.duration_us), recording)


@given(cameras(kinds=1), st.sampled_from(["xyt", "tyx", "xytp"]))
def test_a_camera_of_one_polarity_needs_none(recording: Recording, order: str) -> None:
    array = to_structured(recording, order)
    size = sensor_size(recording)
    assert_same(from_structured(array, sensor_size=size, label=3, duration_us=recording.duration_us), recording)


@given(cameras(kinds=5))
def test_more_than_two_polarities_are_numbers(recording: Recording) -> None:
    array = to_structured(recording)
    assert array.dtype["p"] == np.int16
    size = sensor_size(recording)
    assert_same(from_structured(array, sensor_size=size, label=3, duration_us=recording.duration_us), recording)


@given(recordings(), st.sampled_from(["", "txp", "xtp", "tx", "xt"]))
def test_a_list_of_channels_there_and_back(recording: Recording, order: str) -> None:
    array = to_structured(recording, order)
    assert array.dtype.names == tuple(order or "txp")
    options: dict[str, Any] = {"label": recording.label, "duration_us": recording.duration_us}
    assert_same(from_structured(array, sensor_size=sensor_size(recording), **options), recording)


@given(st.sampled_from([TONIC, NMNIST, GESTURE]), st.data())
def test_an_array_of_tonics_there_and_back(dtype: np.dtype[Any], data: st.DataObject) -> None:
    n_events = data.draw(st.integers(1, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    array = filled(
        dtype,
        x=rng.integers(0, 240, n_events),
        y=rng.integers(0, 180, n_events),
        t=np.sort(rng.integers(0, 2**45, n_events)),
        p=rng.integers(0, 2, n_events),
    )
    recording = from_structured(array, sensor_size=(240, 180, 2), label=0)
    np.testing.assert_array_equal(to_structured(recording, "".join(dtype.names or ())).astype(dtype), array)
    polarity, y, x = recording.pixels
    np.testing.assert_array_equal(np.stack([x, y, polarity], 1), np.stack([array["x"], array["y"], array["p"]], 1))
    assert recording.duration_us == array["t"][-1] + 1


@pytest.mark.parametrize("p", [0, 1])
def test_spoken_digits_are_a_list_whatever_their_polarity(p: int) -> None:
    array = filled(HEIDELBERG, t=[0, 20, 20], x=[699, 0, 5], p=p)
    recording = from_structured(array, sensor_size=(700, 1, 1), label=19, speaker="4", source="digit 7")
    assert recording.channels.tolist() == [699, 0, 5]
    assert (recording.shape, recording.n_channels, recording.duration_us) == ((), 700, 21)
    assert (recording.label, recording.speaker, recording.source) == (19, "4", "digit 7")


def test_two_polarities_of_a_line_of_channels_are_kept_apart() -> None:
    recording = from_structured(filled(HEIDELBERG, t=[1, 2], x=[3, 3], p=[0, 1]), sensor_size=(64, 1, 2), label=0)
    assert recording.channels.tolist() == [3, 67]
    assert recording.shape == (2, 1, 64)


def test_a_wide_sensor_gets_wider_types() -> None:
    recording = Recording(np.array([0]), np.array([39_999]), n_channels=40_000, duration_us=1, label=0)
    array = to_structured(recording)
    assert array.dtype["x"] == np.int32
    assert array["x"].tolist() == [39_999]


def test_no_event_needs_a_length() -> None:
    empty = filled(TONIC, t=[], x=[], y=[], p=[])
    assert from_structured(empty, sensor_size=(8, 8, 2), label=0, duration_us=5).n_events == 0
    with pytest.raises(SpikingGammaError, match="no event; expected one at least, or `duration_us`"):
        from_structured(empty, sensor_size=(8, 8, 2), label=0)


WIDE = np.dtype([("x", np.uint64), ("y", int), ("t", int), ("p", int)])


@pytest.mark.parametrize(
    ("array", "size", "says"),
    [
        (np.zeros(3), (8, 8, 2), "dtype float64, shape .3,.; expected a structured array"),
        (np.zeros((2, 2), TONIC), (8, 8, 2), r"shape \(2, 2\)"),
        (np.zeros(2, HEIDELBERG), (8, 8, 2), "fields t, x, p; expected y beside"),
        (np.zeros(2, [("x", int), ("time", int)]), (8, 1, 2), "fields x, time; expected p, t beside"),
        (np.zeros(2, [*TONIC.descr, ("burst", "?")]), (8, 8, 2), "of which burst unknown.*Leave out the others"),
        (np.zeros(2, [("x", int), ("t", float)]), (8, 1, 1), "field t.*float64; expected integers of microseconds"),
        (np.zeros(2, [("x", int), ("t", int, (2,))]), (8, 1, 1), "field t.*one an event"),
        (np.zeros(2, [("x", bool), ("t", int)]), (8, 1, 1), "field x.*dtype bool"),
        (filled(TONIC, t=[5, 9, 8], x=0, y=0, p=0), (8, 8, 2), "8 after 9 at event 2.*Sort the events: `array.np.arg"),
        (
            filled(NMNIST, t=[5, 9], x=0, y=0, p=[1, -1]),
            (8, 8, 2),
            "field p.*got -1 at event 1.*0 to 1. Write 0 for -1",
        ),
        (filled(NMNIST, t=[5, 9], x=0, y=0, p=[1, 2]), (8, 8, 2), "field p.*got 2 at event 1"),
        (filled(HEIDELBERG, t=[5, 9], x=0, p=[1, 2]), (8, 1, 1), "field p.*got 2 at event 1"),
        (filled(TONIC, t=[5, 9], x=[7, 8], y=0, p=0), (8, 8, 2), "field x.*got 8 at event 1; expected from 0 to 7"),
        (filled(TONIC, t=[5, 9], x=0, y=[-1, 0], p=0), (8, 8, 2), "field y.*got -1 at event 0"),
        (filled(WIDE, t=[5], x=[2**64 - 1], y=0, p=0), (8, 8, 2), "field x.*18446744073709551615 at event 0"),
        (filled(TONIC, t=[-5, 9], x=0, y=0, p=0), (8, 8, 2), "field t.*got -5 at event 0"),
        (filled(TONIC, t=[5], x=0, y=0, p=0), (8, 8, 0), "sensor_size.*each at least 1"),
    ],
)
def test_what_is_wrong_is_named(array: Any, size: tuple[int, int, int], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        from_structured(array, sensor_size=size, label=0)


def test_what_is_wrong_names_its_source() -> None:
    array = filled(TONIC, t=[5, 3], x=0, y=0, p=0)
    with pytest.raises(SpikingGammaError, match="`field t of tape 4`"):
        from_structured(array, sensor_size=(8, 8, 2), label=0, source="tape 4")


@pytest.mark.parametrize(
    ("shape", "order"), [((2, 2, 3), "xyt"), ((2, 2, 3), "txp"), ((1, 2, 6), "xyyt"), ((), "xytp")]
)
def test_an_order_must_fit(shape: Any, order: str) -> None:
    recording = Recording(np.array([0]), np.array([0]), n_channels=12, duration_us=1, label=0, shape=shape)
    with pytest.raises(SpikingGammaError, match=f"`order`: got '{order}'; expected each of"):
        to_structured(recording, order)


class Tapes:
    """Looks as a data set of Tonic's does from outside."""

    sensor_size: Any = (34, 34, 2)

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


def test_a_data_set_of_tonics() -> None:
    one = filled(NMNIST, t=[4, 8], x=[1, 2], y=[3, 4], p=[0, 1])
    found = from_tonic(Tapes([(one, 7), (one[:1], np.int64(2)), (one, np.array(3))]))
    assert [recording.label for recording in found] == [7, 2, 3]
    assert found[1].source == "Tapes 1"
    np.testing.assert_array_equal(to_structured(found[0], "xytp").astype(NMNIST), one)


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (filled(NMNIST, t=[1], x=0, y=0, p=0), "`Tapes 0`: got ndarray; expected a pair"),
        (([[1, 2]], 3), "`Tapes 0`: got events as list.*Leave out transforms"),
        ((np.zeros((4, 2, 34, 34)), 3), "`array of Tapes 0`: got dtype float64"),
        ((filled(NMNIST, t=[1], x=0, y=0, p=0), "seven"), "`class of Tapes 0`: got 'seven'.*target_transform"),
        ((filled(NMNIST, t=[1], x=0, y=0, p=0), {"label": 7}), "`class of Tapes 0`"),
        ((filled(NMNIST, t=[1], x=0, y=0, p=0), -1), "`label of Tapes 0`: got -1"),
        ((filled(NMNIST, t=[2, 1], x=0, y=0, p=0), 0), "`field t of Tapes 0`"),
    ],
)
def test_an_item_that_will_not_do_is_named(item: Any, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        from_tonic(Tapes([item]))


def test_a_sensor_size_must_be_known() -> None:
    all_activations = Tapes([])
    all_activations.sensor_size = None
    with pytest.raises(SpikingGammaError, match=r"sensor_size of Tapes.*the same for all"):
        from_tonic(all_activations)
