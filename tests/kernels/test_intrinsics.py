"""What compiled code asks of LLVM: vectors without zeros, side effects of nothing else, and functions that are as they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from spikinggamma.kernels.intrinsics import LANES, compress, prefetch, wide_vectors

NUMBERS = st.sampled_from([0.0, -0.0, 1.0, -2.5, 1e-45, 1e-300, float("inf"), float("nan")])


@njit
def listed(line, columns, values, place):
    return compress(line, 3, columns, values, place)


@njit
def summed(values):
    wide_vectors()
    prefetch(values)
    total = values.dtype.type(0)
    for i in range(values.size):
        values[i] = values[i] * values[i]
    for i in range(values.size):
        total += values[i]
    return total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(numbers=st.lists(NUMBERS, min_size=LANES, max_size=LANES), place=st.integers(0, 4))
@example(numbers=[0.0] * LANES, place=0)
@example(numbers=[1.0] * LANES, place=4)
def test_compress_lists_what_is_not_zero_and_touches_nothing_else(
    dtype: type, numbers: list[float], place: int
) -> None:
    line = np.concatenate([[7.0] * 3, numbers, [8.0] * 2]).astype(dtype)
    columns, values = np.full(LANES + 5, -1, np.int32), np.full(LANES + 5, -1, dtype)
    (wanted,) = np.nonzero(line[3 : 3 + LANES])
    end = place + len(wanted)
    assert listed(line, columns, values, place) == len(wanted)
    np.testing.assert_array_equal(columns[place:end], wanted + 3)
    np.testing.assert_array_equal(values[place:end], line[wanted + 3])
    for array in (columns, values):
        assert (array[:place] == -1).all()
        assert (array[end:] == -1).all()


def test_wide_vectors_change_no_result_and_are_asked_for() -> None:
    values = np.arange(1000, dtype=np.float32) % 7
    assert summed(values.copy()) == (values**2).sum()
    (code,) = summed.inspect_llvm().values()
    assert '"prefer-vector-width"="512"' in code
    assert "llvm.prefetch" in code
