"""The formats of a stream: lookup by name, detection from the first bytes, and encoding of recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.stream.aer import HEADER, AerParser, encode_aer
from spikinggamma.stream.parsing import Parser, Vocabulary
from spikinggamma.stream.records import Items, Kind
from spikinggamma.stream.text import TextParser

__all__ = ["FORMATS", "encode_text", "format_of", "header", "make_parser", "recording_items", "spoken"]

FORMATS: dict[str, type[Parser]] = {"text": TextParser, "aer": AerParser}


def format_of(first: bytes) -> str:
    """Return the format of a stream that begins with these bytes; no line of text begins like the binary header.

    Example:
        >>> format_of(b"1500 3"), format_of(b"SGA")
        ('text', 'aer')
    """
    return "aer" if first[:1] == HEADER[:1] else "text"


def make_parser(name: str, vocabulary: Vocabulary, position: int = 0, line: int = 0) -> Parser:
    """Return a parser for a format.

    Raises:
        SpikingGammaError: The format is unknown.
    """
    if name not in FORMATS:
        raise SpikingGammaError("--format", repr(name), f"auto or one of {', '.join(FORMATS)}")
    return FORMATS[name](vocabulary, position, line)


def header(name: str) -> bytes:
    """Return the bytes with which a stream of this format begins."""
    return HEADER if name == "aer" else b""


def encode_text(items: Items) -> bytes:
    """Return items as lines of text.

    Example:
        >>> from spikinggamma.stream.records import no_items
        >>> encode_text(no_items())
        b''
    """
    words = {kind: f"{kind.name.lower()} " for kind in Kind} | {Kind.EVENT: ""}
    lines = (
        f"{words[Kind(kind)]}{time_us}{f' {value}' if kind in (Kind.EVENT, Kind.LABEL) else ''}\n"
        for kind, time_us, value in zip(
            items.kinds.tolist(), items.times_us.tolist(), items.values.tolist(), strict=True
        )
    )
    return "".join(lines).encode()


def recording_items(recording: Recording, begin_us: int = 0, *, labelled: bool = False) -> Items:
    """Return a recording as a segment that begins at `begin_us`: its events, its end, and optionally its label.

    Example:
        >>> one = Recording(np.array([0, 1500]), np.array([3, 1]), n_channels=4, duration_us=2000, label=0)
        >>> encode_text(recording_items(one, 10_000, labelled=True)).decode().split("\\n")
        ['10000 3', '11500 1', 'end 12000', 'label 12000 0', '']
    """
    end_us = begin_us + recording.duration_us
    marks = [(Kind.END, 0), (Kind.LABEL, recording.label)][: 1 + labelled]
    kinds = np.concatenate([np.zeros(recording.n_events, np.uint8), np.array([kind for kind, _ in marks], np.uint8)])
    times_us = np.concatenate([begin_us + recording.times_us, np.full(len(marks), end_us)])
    values = np.concatenate([recording.channels.astype(np.int64), np.array([value for _, value in marks])])
    nowhere = np.zeros(len(kinds), np.int64)
    return Items(kinds, times_us.astype(np.int64), values, nowhere, nowhere)


def spoken(recordings: Iterable[Recording], name: str = "text", *, labelled: bool = False) -> Iterator[bytes]:
    """Yield the bytes of a stream of recordings, one part for each recording.

    Example:
        >>> one = Recording(np.array([0]), np.array([3]), n_channels=4, duration_us=2000, label=0)
        >>> b"".join(spoken([one, one]))
        b'0 3\\nend 2000\\n2000 3\\nend 4000\\n'
    """
    encode = encode_aer if name == "aer" else encode_text
    begin_us = 0
    if header(name):
        yield header(name)
    for recording in recordings:
        yield encode(recording_items(recording, begin_us, labelled=labelled))
        begin_us += recording.duration_us
