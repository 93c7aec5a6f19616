"""A stream in text may be written by hand, and a bad line is named while what came before it is read."""

from __future__ import annotations

import pytest

from spikinggamma.stream import Kind, Vocabulary, join, make_parser

WORDS = Vocabulary(40, ("left", "right", "none of them"))


def test_lines_may_be_written_by_hand() -> None:
    text = b"# from the left ear\n\n  0   3 \r\ntick 50\nlabel 60 none of them\nlabel 70 1\nstop\n80 what follows is not read"
    for cuts in ([], list(range(len(text)))):
        parser = make_parser("text", WORDS)
        found = join([parser.feed(text[a:b]).items for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)])
        assert found.kinds.tolist() == [Kind.EVENT, Kind.TICK, Kind.LABEL, Kind.LABEL]
        assert found.values.tolist() == [3, 0, 2, 1]
        assert found.places.tolist() == [3, 4, 5, 6]
        assert parser.stopped
        assert text[parser.position :].startswith(b"80 what")


BAD_LINES = [
    (b"7 -1\n", "line 3, byte 8"), (b"7\n", "line 3, byte 8"), (b"7 x\n", "line 3, byte 8"), (b"7 1 2\n", "line 3, byte 8"),
    (b"7 40\n", "channel 40"), (b"label 7 3\n", "class 3"), (b"label 7 up\n", "left, right"), (b"tick\n", "line 3"),
    (b"%d 1\n" % 10**16, "time out of range"), (b"\xff\xfe\n", "line 3"), (b"x" * 2000 + b"\n", "at most 1024 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "named"), BAD_LINES, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("cut", [1, 9, 4096])
def test_a_bad_line_is_named_and_what_came_before_it_is_read(bad: bytes, named: str, cut: int) -> None:
    text = b"0 1\n5 2\n" + bad + b"9 1\n"
    parser = make_parser("text", WORDS)
    times, fault = [], None
    for start in range(0, len(text), cut):
        parsed = parser.feed(text[start : start + cut])
        times += parsed.items.times_us.tolist()
        fault = parsed.fault
        if fault is not None:
            break
    assert fault is not None
    assert named in str(fault)
    assert "line 3" in str(fault)
    assert times == [0, 5]
    assert parser.position == 8
