"""Sizes of batches are those that training meets, and the time of all follows from a few where time is a line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.planning.batch_sizes import BatchSize, batch_sizes, representative, seconds_of_all

durations = st.lists(st.integers(1, 90_000), min_size=1, max_size=60)
sizes_of_batches = st.lists(
    st.builds(lambda members, steps: BatchSize(tuple(range(members)), steps), st.integers(1, 20), st.integers(1, 500)),
    min_size=1,
    max_size=30,
)


def recordings(lengths: list[int]) -> list[Recording]:
    silent = np.zeros(0, np.int64)
    return [Recording(silent, silent, n_channels=3, duration_us=length, label=0) for length in lengths]


@given(durations, st.integers(1, 8), st.booleans(), st.sampled_from([0.5, 1.0, 4.0]))
def test_sizes_are_those_of_the_batches_that_training_meets(
    lengths: list[int], batch_size: int, shuffle: bool, dt_ms: float
) -> None:
    given_ones = recordings(lengths)
    sizes = batch_sizes(given_ones, batch_size=batch_size, dt_ms=dt_ms, seed=3, shuffle=shuffle)
    assert sorted(member for size in sizes for member in size.members) == list(range(len(lengths)))
    for size in sizes:
        batch = make_batch([given_ones[member] for member in size.members], dt_ms=dt_ms)
        assert batch.spikes.shape[:2] == (size.steps, len(size.members))


@given(durations, st.integers(1, 8), st.integers(1, 8))
def test_a_part_keeps_the_longest_recording(lengths: list[int], batch_size: int, share: int) -> None:
    for size in batch_sizes(recordings(lengths), batch_size=batch_size, dt_ms=1.0, shuffle=True):
        part = size.part(share)
        assert set(part.members) <= set(size.members)
        assert len(part.members) == max(1, len(size.members) // share)
        assert max(lengths[member] for member in part.members) == max(lengths[member] for member in size.members)


@given(sizes_of_batches, st.integers(1, 6))
def test_the_chosen_are_different_and_hold_the_largest_first_and_the_smallest(
    sizes: list[BatchSize], count: int
) -> None:
    chosen = representative(sizes, count)
    works = [size.work for size in chosen]
    assert works == sorted(set(works), reverse=True)
    assert len(works) == min(count, len({size.work for size in sizes}))
    assert works[0] == max(size.work for size in sizes)
    if count > 1:
        assert works[-1] == min(size.work for size in sizes)


@given(sizes_of_batches, st.floats(0.0, 2.0), st.floats(1e-6, 1e-2), st.integers(2, 6))
def test_where_time_is_a_line_the_time_of_all_is_exact(
    sizes: list[BatchSize], base: float, slope: float, count: int
) -> None:
    measured = {size.work: base + slope * size.work for size in representative(sizes, count)}
    wanted = sum(base + slope * size.work for size in sizes)
    assert seconds_of_all(sizes, measured) == pytest.approx(wanted, rel=1e-9)


def test_beyond_what_was_measured_time_is_in_proportion() -> None:
    sizes = [BatchSize((0, 1, 2, 3), 100)]
    assert seconds_of_all(sizes, {100: 0.5}) == pytest.approx(2.0)
    assert seconds_of_all([BatchSize((0,), 50)], {100: 0.5}) == pytest.approx(0.5)


def test_no_batch_is_an_error() -> None:
    with pytest.raises(SpikingGammaError, match="`sizes`"):
        representative([], 3)
