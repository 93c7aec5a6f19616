"""DVS128 Gesture: cut by labels, parted by people, pooled by squares; and folders that are not what they seem."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from aedat_files import HEADER, Event, other_packets, polarity_packet, sorted_events
from hypothesis import given, settings
from hypothesis import strategies as st
from test_aedat import mutated

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import dvs_gesture

COLUMNS = "class,startTime_usec,endTime_usec\n"
EVENTS: list[Event] = [(99, 0, 0, 0), (100, 127, 1, 1), (150, 5, 6, 0), (199, 7, 8, 1), (200, 9, 9, 1), (450, 3, 4, 0)]
LABELS = COLUMNS + "2,100,200\n11,200,451\n"


def a_trial(folder: Path, name: str = "user03_led", labels: str = LABELS, data: bytes | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.aedat"
    path.write_bytes(HEADER + other_packets() + polarity_packet(EVENTS) if data is None else data)
    (folder / f"{name}_labels.csv").write_text(labels)
    return path


def a_root(root: Path, train: list[str], test: list[str]) -> Path:
    folder = root / "dvs_gesture" / "DvsGesture"
    for name in {*train, *test}:
        a_trial(folder, name)
    for part, names in (("train", train), ("test", test)):
        (folder / f"trials_to_{part}.txt").write_text("".join(f"{name}.aedat\n" for name in names))
    return folder


PEOPLE = [f"user{number:02}" for number in range(1, 30)]
TRAIN = [f"{user}_{light}" for user in PEOPLE[:23] for light in ("fluorescent_led", "lab")]
TEST = [f"{user}_natural" for user in PEOPLE[23:]]


def test_recordings_are_cut_by_their_labels(tmp_path: Path) -> None:
    one, two = dvs_gesture.read_recordings(a_trial(tmp_path))
    assert (one.label, two.label) == (1, 10)
    assert (one.duration_us, two.duration_us) == (100, 251)
    assert one.times_us.tolist() == [0, 50, 99]
    assert two.times_us.tolist() == [0, 250]
    polarity, y, x = one.pixels
    assert list(zip(x.tolist(), y.tolist(), polarity.tolist(), strict=True)) == [(127, 1, 1), (5, 6, 0), (7, 8, 1)]
    assert (one.shape, one.n_channels) == (dvs_gesture.INFO.shape, dvs_gesture.INFO.n_channels)
    assert one.speaker == two.speaker == "user03"
    assert two.source == "user03_led.aedat, trial 2"


@settings(max_examples=40)
@given(st.lists(sorted_events(), min_size=1, max_size=4), st.data())
def test_every_event_is_in_the_stretch_where_it_happened(
    tmp_path_factory: pytest.TempPathFactory, packets: list[list[Event]], data: st.DataObject
) -> None:
    events = sorted(one for packet in packets for one in packet)
    ends = data.draw(st.sets(st.sampled_from([one[0] + 1 for one in events]), min_size=1))
    bounds = sorted({0, *ends})
    labels = COLUMNS + "".join(f"7,{start},{end}\n" for start, end in pairwise(bounds))
    path = a_trial(tmp_path_factory.mktemp("dvs"), labels=labels, data=HEADER + polarity_packet(events))
    recordings = dvs_gesture.read_recordings(path)
    seen = []
    for recording, start in zip(recordings, bounds, strict=False):
        p, y, x = recording.pixels
        seen += np.stack([recording.times_us + start, x, y, p], 1).tolist()
    assert seen == [list(one) for one in events if one[0] < bounds[-1]]


@pytest.mark.parametrize("pool", [2, 4, 128])
def test_pooled_pixels_are_sums_of_squares(tmp_path: Path, pool: int) -> None:
    path = a_trial(tmp_path)
    side = 128 // pool
    for whole, pooled in zip(
        dvs_gesture.read_recordings(path), dvs_gesture.read_recordings(path, pool=pool), strict=True
    ):
        assert pooled.shape == (2, side, side)
        picture = np.bincount(whole.channels, minlength=whole.n_channels).reshape(2, side, pool, side, pool).sum((2, 4))
        np.testing.assert_array_equal(np.bincount(pooled.channels, minlength=pooled.n_channels), picture.ravel())
        np.testing.assert_array_equal(pooled.times_us, whole.times_us)


@pytest.mark.long
def test_official_parts_and_people_held_out(tmp_path: Path) -> None:
    a_root(tmp_path, TRAIN, TEST)
    splits = dvs_gesture.load(root=tmp_path, pool=4)
    assert [len(part) for part in splits] == [84, 8, 12]
    train, validation, test = ({recording.speaker for recording in part} for part in splits)
    assert len(validation) == 2
    assert train | validation == set(PEOPLE[:23])
    assert not train & validation
    assert test == set(PEOPLE[23:])
    assert all(recording.shape == (2, 32, 32) for part in splits for recording in part)


@pytest.mark.long
def test_the_people_held_out_depend_on_the_seed_alone(tmp_path: Path) -> None:
    names = TRAIN[::2]
    folder = a_root(tmp_path, names, TEST[:1])

    def held(seed: int) -> set[str]:
        return {one.speaker for one in dvs_gesture.load(root=tmp_path, seed=seed, validation_fraction=0.2).validation}

    choices = [held(seed) for seed in range(3)]
    assert all(len(choice) == 5 for choice in choices)
    assert len(set(map(frozenset, choices))) > 1
    (folder / "trials_to_train.txt").write_text("".join(f"{name}.aedat\n" for name in reversed(names)))
    assert [held(seed) for seed in range(3)] == choices


def test_a_small_share_holds_out_one_and_none_holds_out_nobody(tmp_path: Path) -> None:
    a_root(tmp_path, ["user01_led", "user02_led"], ["user24_led"])
    assert len(dvs_gesture.load(root=tmp_path, validation_fraction=0.01).validation) == 2
    assert dvs_gesture.load(root=tmp_path, validation_fraction=0.0).validation == []
    with pytest.raises(SpikingGammaError, match=r"validation_fraction.*leaves one of 2 people"):
        dvs_gesture.load(root=tmp_path, validation_fraction=0.9)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("", "got ''; expected 'class,startTime_usec"),
        ("class,start,end\n2,100,200\n", "'class,start,end'; expected 'class,startTime_usec"),
        (COLUMNS, "no gesture"),
        (COLUMNS + "2,100,200\n2,200,100\n", "line 3`: got from 200 to 100 us; expected a start before"),
        (COLUMNS + "2,100,100\n", "from 100 to 100 us"),
        (COLUMNS + "0,100,200\n", "line 2`: got class 0; expected 1 to 11"),
        (COLUMNS + "12,100,200\n", "class 12"),
        (COLUMNS + "2,100\n", r"line 2`: got '2,100'; expected whole numbers"),
        (COLUMNS + "2,1e2,200\n", "'2,1e2,200'"),
        (COLUMNS + "2,-100,200\n", "'2,-100,200'"),
        (COLUMNS + "2,100,200\n\n2,100,200\n", "line 3`: got ''"),
        (COLUMNS + "2,151,199\n", r"trial 1`: got no event from 151 to 199 us"),
        (COLUMNS + "2,100,200\n3,200,900000\n", "trial 2`: got a gesture until 900000 us and no event after 450 us"),
        (COLUMNS + "2,5000,6000\n", "trial 1`: got no event"),
    ],
)
def test_labels_that_are_wrong_are_named(tmp_path: Path, labels: str, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says) as caught:
        dvs_gesture.read_recordings(a_trial(tmp_path, labels=labels))
    assert "user03_led" in str(caught.value)


def test_labels_may_end_in_blank_lines_and_windows_ends(tmp_path: Path) -> None:
    path = a_trial(tmp_path, labels=LABELS.replace("\n", "\r\n") + "\r\n\n")
    assert len(dvs_gesture.read_recordings(path)) == 2


def test_labels_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = a_trial(tmp_path)
    path.with_name("user03_led_labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpikingGammaError, match=r"user03_led_labels.csv`: got not readable as text"):
        dvs_gesture.read_recordings(path)


def test_a_clock_that_goes_back_within_a_gesture_is_named(tmp_path: Path) -> None:
    data = HEADER + polarity_packet(EVENTS[:4]) + polarity_packet([(120, 1, 1, 1), *EVENTS[4:]])
    with pytest.raises(SpikingGammaError, match=r"times_us of user03_led.aedat, trial 1`: got 20 after 99"):
        dvs_gesture.read_recordings(a_trial(tmp_path, data=data))


def test_a_damaged_recording_is_named(tmp_path: Path) -> None:
    whole = HEADER + polarity_packet(EVENTS)
    for data, says in ((whole[:-3], "cut short"), (HEADER, "no polarity event"), (whole[5:], "AEDAT 3.1")):
        with pytest.raises(SpikingGammaError, match=says) as caught:
            dvs_gesture.read_recordings(a_trial(tmp_path, data=data))
        assert "user03_led.aedat" in str(caught.value)


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (write("trials_to_train.txt", "user01_led.aedat\nuser07_led.aedat\n"), "line 2`: got user07_led.aedat, which is not"),
        (write("trials_to_train.txt", ""), r"trials_to_train.txt`: got no line"),
        (write("trials_to_train.txt", "../user01_led.aedat\n"), "line 1`: got '../user01_led.aedat'"),
        (write("trials_to_train.txt", "user01_led.aedat\nuser01_led.aedat\n"), "line 2`: .* expected every file once"),
        (write("trials_to_test.txt", "user01_led.aedat\n"), "user01; expected nobody from"),
        (lambda folder: (folder / "trials_to_test.txt").unlink(), r"trials_to_test.txt`: got no such file"),
        (lambda folder: (folder / "user24_led_labels.csv").unlink(), r"user24_led_labels.csv`: got no such file"),
    ],
)  # fmt: skip
def test_lists_that_are_wrong_are_named(tmp_path: Path, damage: Callable[[Path], object], says: str) -> None:
    damage(a_root(tmp_path, ["user01_led", "user02_led"], ["user24_led"]))
    with pytest.raises(SpikingGammaError, match=says):
        dvs_gesture.load(root=tmp_path)


def test_arguments_that_are_wrong_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"DvsGesture`: got no such folder.*Download it from"):
        dvs_gesture.load(root=tmp_path)
    a_root(tmp_path, ["user01_led", "user02_led"], ["user24_led"])
    with pytest.raises(SpikingGammaError, match="split"):
        dvs_gesture.load(split="fold:1", root=tmp_path)
    for pool in (0, 3, 256):
        with pytest.raises(SpikingGammaError, match=f"`pool`: got {pool}; expected a divisor of 128"):
            dvs_gesture.load(pool=pool, root=tmp_path)
    with pytest.raises(SpikingGammaError, match="`seed`"):
        dvs_gesture.load(seed=-1, root=tmp_path)


def survives(folder: Path, n_cases: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = [HEADER + other_packets() + polarity_packet(EVENTS), LABELS.encode()]
    read_again = 0
    for _ in range(n_cases):
        place = int(rng.random() < 0.3)
        damaged = [mutated(data, rng) if index == place else data for index, data in enumerate(whole)]
        path = a_trial(folder, data=damaged[0])
        path.with_name("user03_led_labels.csv").write_bytes(damaged[1])
        try:
            found = dvs_gesture.read_recordings(path)
        except SpikingGammaError:
            continue
        read_again += 1
        assert found
        for recording in found:
            assert recording.n_events
            assert 0 <= recording.label < 11
    assert 0 < read_again < 0.9 * n_cases


def test_damaged_files_are_an_error_or_recordings(tmp_path: Path) -> None:
    survives(tmp_path, 300, seed=3)


@pytest.mark.slow
def test_many_damaged_files_are_an_error_or_recordings(tmp_path: Path) -> None:
    survives(tmp_path, 10_000, seed=4)
