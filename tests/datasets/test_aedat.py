"""AEDAT 3.1: every bit of an event, packets of other kinds, clocks that run over, and files that are not what they seem."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from aedat_files import HEADER, Event, event, other_packets, packet, polarity_packet, sorted_events
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.aedat import PixelEvents, read_aedat

TWO = polarity_packet([(10, 1, 2, 1), (11, 127, 0, 0)])


def read(folder: Path, data: bytes) -> PixelEvents:
    path = folder / "tape.aedat"
    path.write_bytes(data)
    return read_aedat(path, height=128, width=128)


def listed(found: PixelEvents) -> list[Event]:
    return [tuple(row) for row in np.stack([found.times_us, found.x, found.y, found.polarity], 1).tolist()]


@settings(max_examples=40)
@given(st.lists(sorted_events(), min_size=1, max_size=5), st.sets(st.integers(0, 4)))
def test_every_bit_of_an_event(
    tmp_path_factory: pytest.TempPathFactory, packets: list[list[Event]], others: set[int]
) -> None:
    data = HEADER
    for place, events in enumerate(packets):
        data += other_packets() if place in others else b""
        data += polarity_packet(events)
    found = read(tmp_path_factory.mktemp("aedat"), data)
    assert listed(found) == [one for events in packets for one in events]


def test_a_clock_that_runs_over_goes_on(tmp_path: Path) -> None:
    data = HEADER + polarity_packet([(2**31 - 1, 1, 1, 0)]) + polarity_packet([(0, 2, 2, 1), (9, 3, 3, 1)], overflows=1)
    data += other_packets() + polarity_packet([(4, 5, 6, 0)], overflows=3)
    assert read(tmp_path, data).times_us.tolist() == [2**31 - 1, 2**31, 2**31 + 9, 3 * 2**31 + 4]


def test_events_that_are_not_valid_are_left_out(tmp_path: Path) -> None:
    outside = event(4, 1000, 1000, 1, valid=0)
    data = HEADER + packet(event(1, 7, 8, 1) + event(2, 7, 9, 1, valid=0) + outside + event(5, 3, 4, 0), valid=2)
    assert listed(read(tmp_path, data)) == [(1, 7, 8, 1), (5, 3, 4, 0)]


def test_lines_of_text_may_be_few_or_many(tmp_path: Path) -> None:
    for lines in (b"", b"#Format: RAW\r\n", b"#-Source 0: DVS128\r\n" * 40):
        data = b"#!AER-DAT3.1\r\n" + lines + b"#!END-HEADER\r\n" + TWO
        assert len(read(tmp_path, data).times_us) == 2


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "starts with b''; expected AEDAT 3.1"),
        (HEADER.replace(b"3.1", b"2.0") + TWO, r"starts with b'#!AER-DAT2.0\\r\\n'"),
        (HEADER.replace(b"3.1", b"4.0") + TWO, "AER-DAT4.0"),
        (HEADER[:-16] + TWO, "lines of text without an end"),
        (HEADER.replace(b"#Format", b"Format") + TWO, "lines of text without an end"),
        (HEADER.replace(b"RAW", b"SerializedTS") + TWO, "SerializedTS'; expected '#Format: RAW', not compressed"),
        (HEADER, "no polarity event"),
        (HEADER + other_packets(), "no polarity event"),
        (HEADER + packet(b""), "no polarity event"),
        (HEADER + packet(event(1, 1, 1, 1, valid=0)), "no valid event"),
        (HEADER + TWO + TWO[:27], r"packet at byte \d+`: got 27 bytes; expected 28, at least: is it cut short"),
        (HEADER + TWO + TWO[:-1], "got 15 bytes of events; expected 2 events of 8 bytes"),
        (HEADER + packet(b"", count=2**31 - 1), "got 0 bytes of events"),
        (HEADER + TWO + other_packets()[:-40], "is it cut short"),
        (HEADER + packet(event(1, 1, 1, 1), room=2), "room for 2 events and 1 events; expected the same"),
        (HEADER + packet(event(1, 1, 1, 1), valid=2), "2 valid of 1 events"),
        (HEADER + packet(event(1, 1, 1, 1), count=-1), "-1 valid of -1 events"),
        (HEADER + packet(event(1, 1, 1, 1), overflows=-1), "-1 overflows"),
        (HEADER + packet(event(1, 1, 1, 1), kind=-32767), "kind -32767"),
        (HEADER + packet(bytes(8), size=0, count=0, kind=3), "0 bytes an event"),
        (HEADER + packet(event(1, 1, 1, 1) * 3, size=12), "12 bytes an event, its time at byte 4; expected 8 and 4"),
        (HEADER + packet(event(1, 1, 1, 1), offset=0), "its time at byte 0"),
        (HEADER + packet(event(1, 1, 1, 1) + event(2, 128, 3, 1)), "x 128, y 3, time 2 at polarity event 1; expected x below"),
        (HEADER + TWO + packet(event(1, 1, 200, 1)), "x 1, y 200, time 1 at polarity event 2"),
        (HEADER + packet(event(-1, 1, 1, 1)), "time 4294967295 at polarity event 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says) as caught:
        read(tmp_path, data)
    assert "tape.aedat" in str(caught.value)


def test_a_file_cut_anywhere_is_an_error_or_whole_packets(tmp_path: Path) -> None:
    data = HEADER + TWO + other_packets() + TWO
    whole = {len(HEADER) + len(TWO)}
    for other in (36, 36 + 96, 36 + 96 + 64, 36 + 96 + 64 + 28):
        whole.add(len(HEADER) + len(TWO) + other)
    for length in range(len(data)):
        if length in whole:
            assert len(read(tmp_path, data[:length]).times_us) == 2
        else:
            with pytest.raises(SpikingGammaError):
                read(tmp_path, data[:length])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikingGammaError, match=r"nothing.aedat`: got no such file"):
        read_aedat(tmp_path / "nothing.aedat", height=128, width=128)


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes changed, left out, doubled or put in, or a number overwritten: one to four times."""
    for _ in range(rng.integers(1, 5)):
        place, kind = int(rng.integers(0, len(data) + 1)), rng.integers(0, 5)
        if kind == 0 and place < len(data):
            data = data[:place] + bytes([int(rng.integers(0, 256))]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + data[place + int(rng.integers(1, 40)) :]
        elif kind == 2:
            data = data[:place] + data[max(place - int(rng.integers(1, 40)), 0) :]
        elif kind == 3:
            data = data[:place] + rng.bytes(int(rng.integers(1, 10))) + data[place:]
        else:
            number = int(rng.choice([-1, 0, 1, 2, 2**31 - 1, -(2**31)]))
            data = data[:place] + struct.pack("<i", number) + data[place + 4 :]
    return data


def survives(folder: Path, n_cases: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    packets = [
        polarity_packet([(t, t % 128, 3, t % 2) for t in range(9)]),
        other_packets(),
        polarity_packet([(20, 1, 1, 1)]),
    ]
    good = HEADER + b"".join(packets)
    read_again = 0
    for _ in range(n_cases):
        # Mostly behind the text, where what is wrong is harder to see.
        first = len(HEADER) if rng.random() < 0.8 else 0
        try:
            found = read(folder, good[:first] + mutated(good[first:], rng))
        except SpikingGammaError:
            continue
        read_again += 1
        assert 1 <= len(found.times_us) == len(found.x) == len(found.y) == len(found.polarity)
        assert found.times_us.min() >= 0
        assert set(np.unique(found.polarity)) <= {0, 1}
        assert 0 <= min(found.x.min(), found.y.min()) <= max(found.x.max(), found.y.max()) < 128
    assert 0.02 * n_cases < read_again < 0.9 * n_cases


def test_damaged_files_are_an_error_or_events(tmp_path: Path) -> None:
    survives(tmp_path, 300, seed=1)


@pytest.mark.slow
def test_many_damaged_files_are_an_error_or_events(tmp_path: Path) -> None:
    survives(tmp_path, 10_000, seed=2)
