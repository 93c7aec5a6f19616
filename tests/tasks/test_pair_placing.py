"""The placing of pairs against trial and error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from spikinggamma.tasks.pair_placing import PACKING, separate_starts


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=30),
    st.integers(0, 2**32),
)
@settings(max_examples=50)
def test_starts_keep_apart_and_inside(rows: list[tuple[int, int]], seed: int) -> None:
    n, apart = np.array(rows).T
    places = np.maximum(1, np.ceil(n * (apart + 1) / PACKING).astype(np.int64))
    starts = separate_starts(np.random.default_rng(seed), n, places, apart)
    for row, many, inside, gap in zip(starts, n, places, apart, strict=True):
        kept = row[:many]
        assert (np.diff(kept) > gap).all()
        assert ((kept >= 0) & (kept < inside)).all()


def test_starts_are_those_of_trial_and_error() -> None:
    # All ways to place three starts more than one apart on eight places, one after the other: with two of them at, say,
    # 2 and 5, nothing is free but 0 and 7; at 1 and 4, only 6 and 7. No two of them fill all eight.
    exact: dict[tuple[int, ...], float] = {}
    for trial in itertools.permutations(range(8), 3):
        chance, taken = 1.0, []
        for place in trial:
            free = [t for t in range(8) if all(abs(t - s) > 1 for s in taken)]
            chance = chance / len(free) if place in free else 0.0
            taken.append(place)
        key = tuple(sorted(trial))
        exact[key] = exact.get(key, 0.0) + chance
    exact = {key: chance for key, chance in exact.items() if chance}
    assert sum(exact.values()) == pytest.approx(1.0)
    rows = 40_000
    starts = separate_starts(
        np.random.default_rng(0), np.full(rows, 3), np.full(rows, 8), np.ones(rows, dtype=np.int64)
    )
    found = dict.fromkeys(exact, 0)
    for row in starts.tolist():
        found[tuple(row)] += 1
    statistic = sum((found[key] - rows * chance) ** 2 / (rows * chance) for key, chance in exact.items())
    assert statistic < chi2.ppf(1 - 1e-5, len(exact) - 1)


def test_where_no_place_is_left_the_row_starts_afresh() -> None:
    # Two starts more than two apart on four places: only 0 and 3, and half of all first starts leave nothing free.
    starts = separate_starts(np.random.default_rng(0), np.full(500, 2), np.full(500, 4), np.full(500, 2))
    assert (starts == [0, 3]).all()
