"""What a program reads: well-formed input exactly, malformed input with its line and exit code 2, mutated input never badly.

By hand, a hundred thousand mutations of each format: `pytest -m slow -s tests/export/test_c_program_input.py`.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from c_programs import SANITIZED, build, call, needs_compiler, read_answers, small_case, small_program

from spikinggamma.events import Recording
from spikinggamma.export import event_bytes, event_text, write_events

HARNESS = Path(__file__).with_name("fuzz_harness.c")

pytestmark = needs_compiler


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(small_program(), tmp_path_factory.mktemp("program"), *SANITIZED)


MALFORMED = {
    "a word": ("0 1\nhello\n", 2, "neither a time"),
    "a sign": ("-1 1\nend\n", 1, "neither a time"),
    "a fraction": ("1.5 1\nend\n", 1, "neither a time"),
    "no channel": ("0 1\n\n5\nend\n", 3, "no channel"),
    "a channel too many": ("0 8\nend\n", 1, "does not have"),
    "a count of none": ("0 1 0\nend\n", 1, "a count"),
    "a count beyond all": ("0 1 16777217\nend\n", 1, "a count"),
    "four fields": ("0 1 1 1\nend\n", 1, "more than"),
    "time runs back": ("5 1\n4 1\nend\n", 2, "before that"),
    "beyond a day": ("86400000000 1\nend\n", 1, "beyond"),
    "beyond 64 bits": ("99999999999999999999999 1\nend\n", 1, "neither a time"),
    "a duration of none": ("end 0\n", 1, "duration"),
    "a duration too short": ("5 1\nend 5\n", 2, "before its last event"),
    "a duration too long": ("end 86400000001\n", 1, "beyond"),
    "two durations": ("end 5 5\n", 1, "duration"),
    "an end grown on": ("ending\n", 1, "neither a time"),
    "no end": ("end\n0 1\n", 3, "inside a recording"),
    "a long line": (" " * 200 + "\n", 1, "longer than"),
    "a zero byte": ("0 1\n0\0 1\n", 2, "no text"),
    "a byte above 127": ("0 1\n\udcff 1\n", 2, "neither a time"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_input_is_named_by_its_line(program: Path, name: str) -> None:
    text, line, message = MALFORMED[name]
    said = call(program, text.encode(errors="surrogateescape"))
    assert said.returncode == 2
    assert re.fullmatch(rf"line {line}: .*{message}.*\n", said.stderr.decode())


def test_recordings_before_a_malformed_line_are_answered(program: Path) -> None:
    said = call(program, b"0 1\nend\n0 1\nend\nwrong\n")
    assert said.returncode == 2
    assert len(read_answers(said.stdout.decode())) == 2


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("end", [1]),
        ("end 1000\n", [1]),
        ("end 1001\n", [2]),
        ("999 0\nend\n1000 0\nend\n", [1, 2]),
        ("# remark\n\n \t0\t7 3 \r\nend 5000\r\n#" + "x" * 500 + "\nend 86400000000", [5, 86_400_000]),
        ("", []),
    ],
)
def test_lengths_follow_from_durations_and_events(program: Path, text: str, steps: list[int]) -> None:
    said = call(program, text.encode())
    assert said.returncode == 0, said.stderr
    assert [answer.steps for answer in read_answers(said.stdout.decode())] == steps


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack("<II", 0, 8), "event 1: a channel"),
        (struct.pack("<IIIII", 0, 1, 0, 1, 7), "event 3: cut short"),
        (struct.pack("<II", 0, 1), "event 2: the input ends inside"),
        (struct.pack("<II", 5, 0xFFFFFFFE) * 2, "event 3: the input ends inside"),
        (struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFE) * 21, "event 21: a time beyond"),
    ],
)
def test_malformed_binary_is_named_by_its_event(program: Path, data: bytes, message: str) -> None:
    said = call(program, data, "-b")
    assert said.returncode == 2
    assert said.stderr.decode().startswith(message)


def test_time_can_pass_beyond_four_bytes(program: Path) -> None:
    late = Recording(np.array([2**32 + 10**9]), np.array([0]), 8, 2**32 + 2 * 10**9, 0)
    in_binary, in_text = call(program, event_bytes([late]), "-b"), call(program, event_text([late]).encode())
    assert in_binary.returncode == in_text.returncode == 0
    assert in_binary.stdout == in_text.stdout


def test_an_unknown_option_is_bad_input(program: Path) -> None:
    said = call(program, b"", "-x")
    assert said.returncode == 2
    assert said.stderr.startswith(b"usage:")


def test_files_of_events_go_by_their_names(tmp_path: Path) -> None:
    recordings = small_case().recordings
    assert write_events(recordings, tmp_path / "events.bin").read_bytes() == event_bytes(recordings)
    assert write_events(recordings, tmp_path / "events.txt").read_text() == event_text(recordings)


class SpikeCounter(NamedTuple):
    """Inputs read and refused, by their format, and messages of the sanitizers."""

    outcomes: Counter[tuple[str, int]]
    messages: Counter[str]


def seeds() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    recordings = [
        Recording(np.sort(rng.integers(0, 90_000, 12)), rng.integers(0, 8, 12), 8, 90_000, 0),
        Recording(np.zeros(2, int), np.array([1, 1]), 8, 1, 0),
    ]
    return [("t", event_text(recordings).encode()), ("b", event_bytes(recordings)), ("t", b"end\n#\n7 7 7\nend 100000")]


WORDS = [
    b"0",
    b"-1",
    b"99999999999999999999",
    b"100000",
    b"1 1 16777216",
    b"end",
    b"end 99999",
    b"\r",
    b"#",
    b"\0",
    b"\xff",
]
NUMBERS = [0, 1, 7, 8, 99_999, 100_000, 2**31, 2**32 - 2, 2**32 - 1]


def mutated(kind: str, whole: bytes, rng: np.random.Generator) -> bytes:
    """One to four changes: of bytes, of words and lines, or in binary of numbers."""
    data = bytearray(whole)
    for _ in range(int(rng.integers(1, 5))):
        at, choice = int(rng.integers(0, len(data) + 1)), int(rng.integers(0, 7))
        if choice == 0 and at < len(data):
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif choice == 1:
            del data[at : at + int(rng.integers(1, 9))]
        elif choice == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        elif choice == 3:
            here = int(rng.integers(0, len(data) + 1))
            data[at:at] = data[here : here + int(rng.integers(1, 40))]
        elif choice == 4:
            del data[at:]
        elif kind == "t":
            word = WORDS[int(rng.integers(0, len(WORDS)))]
            begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
            if choice == 5:
                data[begin : len(data) if end < 0 else end] = word
            else:
                data[at : at + 1] = b" " + word
        else:
            number = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
            data[at // 4 * 4 : at // 4 * 4 + 4] = struct.pack("<I", number)
    return bytes(data)


def inputs(cases: int) -> Iterator[tuple[str, bytes]]:
    rng, known = np.random.default_rng(0), seeds()
    for case in range(cases):
        kind, whole = known[case % len(known)]
        yield kind, mutated(kind, whole, rng)


def fuzz(folder: Path, number: str, cases: int) -> SpikeCounter:
    """Every mutation in one process, under the sanitizers; what each of them must say is checked."""
    (folder / "program.c").write_text(small_program(number))
    flags = [*SANITIZED, "-DLONGEST_US=100000", f'-DPROGRAM="{folder / "program.c"}"']
    harness = build(HARNESS.read_text(), folder, *flags, name="harness")
    given = [*inputs(cases)]
    data = b"".join(kind.encode() + struct.pack("<I", len(one)) + one for kind, one in given)
    said = call(harness, data)
    lines = said.stderr.decode().splitlines()
    assert said.returncode == 0, lines[-40:]
    outcomes: Counter[tuple[str, int]] = Counter()
    messages: Counter[str] = Counter()
    at = iter(lines)
    for kind, one in given:
        line = next(at)
        if not line.startswith("status"):
            unit = "event" if kind == "b" else "line"
            assert re.match(rf"{unit} \d+: ", line), (line, one)
            messages[line.split(": ", 1)[1]] += 1
            line = next(at)
            assert line == "status 2", (line, one)
        else:
            assert line == "status 0", (line, one)
        outcomes[kind, int(line.split()[1])] += 1
    assert next(at, None) is None
    return SpikeCounter(outcomes, messages)


@pytest.mark.long
@pytest.mark.parametrize("number", ["float", "int16"])
def test_mutated_input_is_read_or_refused(tmp_path: Path, number: str) -> None:
    tally = fuzz(tmp_path, number, 2000)
    assert tally.outcomes["t", 0] > 0
    assert tally.outcomes["t", 2] > 500
    assert tally.outcomes["b", 2] > 200


@pytest.mark.slow
@pytest.mark.parametrize("number", ["float", "int16", "int32"])
def test_a_hundred_thousand_mutations_are_read_or_refused(
    tmp_path: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = fuzz(tmp_path, number, 100_000)
    with capsys.disabled():
        print(f"\n{number}: {dict(tally.outcomes)}\n{dict(tally.messages)}")  # noqa: T201
