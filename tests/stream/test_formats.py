"""Bytes say the same however they are cut, in either format, and what is wrong with them is named by its place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma.stream import (
    Items,
    Kind,
    Parser,
    Vocabulary,
    encode_aer,
    encode_text,
    format_of,
    header,
    join,
    make_parser,
)

WORDS = Vocabulary(40, ("left", "right", "none of them"))
SAID = st.one_of(
    st.tuples(st.just(Kind.EVENT), st.integers(0, 10**15), st.integers(0, 39)),
    st.tuples(st.sampled_from([Kind.TICK, Kind.END, Kind.RESET]), st.integers(0, 10**15), st.just(0)),
    st.tuples(st.just(Kind.LABEL), st.integers(0, 10**15), st.integers(0, 2)),
)


def items_of(said: list[tuple[Kind, int, int]]) -> Items:
    kinds, times, values = zip(*said, strict=True) if said else ((), (), ())
    nothing = np.zeros(len(said), np.int64)
    return Items(np.array(kinds, np.uint8), np.array(times, np.int64), np.array(values, np.int64), nothing, nothing)


def encoded(items: Items, name: str) -> bytes:
    return header(name) + (encode_aer if name == "aer" else encode_text)(items)


def fed(parser: Parser, data: bytes, cuts: list[int]) -> Items:
    found = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        parsed = parser.feed(data[start:end])
        assert parsed.fault is None
        found.append(parsed.items)
    last = parser.finish()
    assert last.fault is None
    return join([*found, last.items])


@pytest.mark.parametrize("name", ["text", "aer"])
@given(said=st.lists(SAID, max_size=30), cuts=st.lists(st.integers(0, 600), max_size=12))
def test_any_cutting_of_the_bytes_gives_the_same_items(
    name: str, said: list[tuple[Kind, int, int]], cuts: list[int]
) -> None:
    items = items_of(said)
    data = encoded(items, name)
    parser = make_parser(name, WORDS)
    found = fed(parser, data, cuts)
    for column in ("kinds", "times_us", "values"):
        assert np.array_equal(getattr(found, column), getattr(items, column))
    assert parser.position == len(data)
    whole = fed(make_parser(name, WORDS), data, [])
    assert all(np.array_equal(one, other) for one, other in zip(found, whole, strict=True))
    if data:
        assert format_of(data) == name


@pytest.mark.parametrize("name", ["text", "aer"])
@given(said=st.lists(SAID, min_size=1, max_size=12), data=st.data())
def test_reading_goes_on_behind_any_item(name: str, said: list[tuple[Kind, int, int]], data: st.DataObject) -> None:
    stream = encoded(items_of(said), name)
    whole = fed(make_parser(name, WORDS), stream, [])
    taken = data.draw(st.integers(1, len(said)))
    position = int(whole.ends[taken - 1])
    rest = fed(make_parser(name, WORDS, position, taken if name == "text" else 0), stream[position:], [5])
    assert all(np.array_equal(one, other) for one, other in zip(rest, whole.take(slice(taken, None)), strict=True))


def test_what_is_cut_short_is_said() -> None:
    parser = make_parser("text", WORDS)
    assert parser.feed(b"0 1\n1500 1").fault is None
    fault = parser.finish().fault
    assert "cut short" in str(fault)
    assert parser.position == 4
    binary = make_parser("aer", WORDS)
    stream = encoded(items_of([(Kind.EVENT, 5, 1)] * 2), "aer")
    assert len(binary.feed(stream[:-3]).items.kinds) == 1
    assert "byte 20`: got 9 bytes" in str(binary.finish().fault)
