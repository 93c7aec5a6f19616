"""What is wrong with a binary stream is named by its byte."""

from __future__ import annotations

from spikinggamma.stream import Vocabulary, header, make_parser

WORDS = Vocabulary(40, ("left", "right", "none of them"))


def test_binary_faults_are_named_by_their_byte() -> None:
    wrong = make_parser("aer", WORDS).feed(b"SGAER2\r\n" + bytes(12)).fault
    assert "header" in str(wrong)
    kind = make_parser("aer", WORDS).feed(header("aer") + bytes(12) + bytes(8) + (9 << 28).to_bytes(4, "little"))
    assert len(kind.items.kinds) == 1
    assert "`byte 20`: got a record of kind 9" in str(kind.fault)
    endless = make_parser("aer", WORDS).feed(header("aer") + b"\xff" * 8 + bytes(4)).fault
    assert "time out of range" in str(endless)
    channel = make_parser("aer", WORDS).feed(header("aer") + bytes(8) + (40).to_bytes(4, "little")).fault
    assert "`byte 8`: got channel 40" in str(channel)
