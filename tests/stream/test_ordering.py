"""Late items are dropped, refused or put in order as the policy says, and the order depends on the items alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma.errors import SpikingGammaError
from spikinggamma.stream import Items, Kind, Late, Order, join, parse_late

KINDS = [Kind.EVENT, Kind.EVENT, Kind.EVENT, Kind.TICK, Kind.END, Kind.RESET, Kind.LABEL]
SAID = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 60)), max_size=40)
POLICIES = [Late("drop"), Late("reorder", 7), Late("reorder", 1000)]


def items_of(said: list[tuple[Kind, int]]) -> Items:
    kinds = np.array([kind for kind, _ in said], np.uint8)
    times = np.array([time for _, time in said], np.int64)
    numbers = np.arange(len(said))
    return Items(kinds, times, numbers, numbers + 1, numbers + 1)


def ordered(order: Order, items: Items, cuts: list[int]) -> Items:
    edges = [0, *sorted(min(cut, len(items.kinds)) for cut in cuts), len(items.kinds)]
    parts = [order.push(items.take(slice(a, b))).items for a, b in pairwise(edges)]
    return join([*parts, order.finish()])


@pytest.mark.parametrize("late", POLICIES, ids=str)
@given(said=SAID, cuts=st.lists(st.integers(0, 40), max_size=8))
def test_the_order_does_not_depend_on_portions(late: Late, said: list[tuple[Kind, int]], cuts: list[int]) -> None:
    one, other = Order(late), Order(late)
    whole, cut = ordered(one, items_of(said), []), ordered(other, items_of(said), cuts)
    assert whole.values.tolist() == cut.values.tolist()
    assert (one.dropped, one.dropped_marks) == (other.dropped, other.dropped_marks)
    # Nothing is lost but what is counted.
    assert len(whole.kinds) + one.dropped + one.dropped_marks == len(said)


@pytest.mark.parametrize("late", POLICIES, ids=str)
@given(said=SAID)
def test_events_and_segments_run_forwards(late: Late, said: list[tuple[Kind, int]]) -> None:
    found = ordered(Order(late), items_of(said), [])
    heard = found.take((found.kinds != Kind.TICK) & (found.kinds != Kind.LABEL))
    ranks = 2 * heard.times_us + (heard.kinds == Kind.EVENT)
    assert (np.diff(ranks) >= 0).all()


@given(times=st.lists(st.integers(0, 500), max_size=40), within=st.integers(1, 600))
def test_reordering_within_the_window_is_sorting(times: list[int], within: int) -> None:
    """Against a plain reading of the policy: late is what lies further back than the window from the latest so far."""
    order = Order(Late("reorder", within))
    found = ordered(order, items_of([(Kind.EVENT, time) for time in times]), list(range(0, 40, 3)))
    kept, latest = [], 0
    for time in times:
        if time >= latest - within:
            kept.append(time)
        latest = max(latest, time)
    assert found.times_us.tolist() == sorted(kept)
    assert order.dropped == len(times) - len(kept)


def test_an_error_names_the_item_and_takes_what_came_before() -> None:
    order = Order(Late("error"))
    found = order.push(items_of([(Kind.EVENT, 5), (Kind.EVENT, 9), (Kind.EVENT, 8), (Kind.EVENT, 20)]))
    assert (found.taken, found.items.times_us.tolist(), order.highest) == (2, [5, 9], 19)
    assert "`line 3`: got event at 8 after 9" in str(found.fault)


def test_a_segment_cannot_end_before_an_event_that_was_heard() -> None:
    order = Order(Late("drop"))
    found = ordered(order, items_of([(Kind.EVENT, 5), (Kind.END, 5), (Kind.END, 6), (Kind.EVENT, 6)]), [])
    assert found.values.tolist() == [0, 2, 3]
    assert order.dropped_marks == 1


def test_marks_come_before_events_of_their_time_and_labels_are_never_late() -> None:
    said = [(Kind.EVENT, 10), (Kind.END, 10), (Kind.LABEL, 2), (Kind.TICK, 3), (Kind.EVENT, 40)]
    order = Order(Late("reorder", 5))
    assert ordered(order, items_of(said), []).values.tolist() == [2, 3, 1, 0, 4]
    assert order.dropped + order.dropped_marks == 0


def test_a_jump_of_time_is_refused_unless_announced() -> None:
    order = Order(Late("drop"), longest_gap_us=1000)
    assert "`reset`" in str(order.push(items_of([(Kind.EVENT, 1001)])).fault)
    assert order.push(items_of([(Kind.RESET, 10**9), (Kind.EVENT, 10**9 + 1000)])).fault is None


def test_what_waits_is_bounded() -> None:
    order = Order(Late("reorder", 1000), most_held=10)
    assert "at most 10" in str(order.push(items_of([(Kind.EVENT, 1)] * 11)).fault)


def test_policies_are_read_as_they_are_written() -> None:
    for late in POLICIES:
        assert parse_late(str(late)) == late
    assert parse_late("reorder-within 2.5ms") == Late("reorder", 2500)
    for wrong in (
        "",
        "keep",
        "drop=1",
        "reorder-within",
        "reorder-within=-1",
        "reorder-within=x",
        "reorder-within=inf",
    ):
        with pytest.raises(SpikingGammaError, match="drop, error or reorder-within"):
            parse_late(wrong)
