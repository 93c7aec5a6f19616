"""Scales: everything fits, and nothing would fit a smaller unit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.export import program_net
from spikinggamma.export.c_tables import chain_powers, real
from spikinggamma.export.fixed_point import WIDTHS, leak, scaled, state_shift
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import dense_net

SIZES = st.floats(1e-9, 3e4)


@given(
    st.lists(st.builds(float.__mul__, SIZES, st.sampled_from([1.0, -1.0])), min_size=1), st.sampled_from([16, 24, 32])
)
def test_numbers_fit_the_smallest_unit(values: list[float], bits: int) -> None:
    found = scaled("weights", values, bits)
    most = 2 ** (bits - 1) - 1
    assert np.abs(found.values).max() <= most
    assert np.abs(found.values - np.array(values) * 2.0**found.shift).max() <= 0.5
    assert found.shift == 40 or round(max(map(abs, values)) * 2.0 ** (found.shift + 1)) > most


@given(st.floats(1e-8, 1.0), st.sampled_from([16, 31]))
def test_a_leak_is_as_precise_as_its_bits(take: float, bits: int) -> None:
    value, shift = leak(take, bits)
    assert 1 <= value < 2 ** (bits - 1)
    assert value <= 2**shift  # never more than there is
    assert math.isclose(value / 2.0**shift, take, rel_tol=2.0 ** -(bits - 2))


def test_a_number_too_large_is_refused_by_name() -> None:
    with pytest.raises(SpikingGammaError, match="weights of layer 1"):
        scaled("weights of layer 1", [1.0, -4e4], 16)


@pytest.mark.parametrize("threshold", [1e-3, 0.1, 1.0, 1000.0])
@pytest.mark.parametrize("tau_ms", [(4.0,), (4.0, 20.0), (4.0, 4000.0)])
def test_a_threshold_is_many_units_and_states_far_larger(threshold: float, tau_ms: tuple[float, ...]) -> None:
    shift = state_shift(program_net(dense_net((2, 3, 2), tau_ms=tau_ms, code=SigmaDelta(threshold)), dt_ms=2.0))
    assert threshold * 2.0**shift >= 2**12
    assert 2.0 ** (31 - shift) >= 2**7


def test_no_product_leaves_64_bits() -> None:
    state = 2**31
    for widths in WIDTHS.values():
        assert 256 * state * 2 ** (widths.bucket_weight - 1) <= 2**62
        assert state * 2 ** (widths.weight - 1) <= 2**62
        assert 2 * state * 2 ** (widths.leak - 1) <= 2**62


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_constant_is_itself_to_the_bit(value: float) -> None:
    assert np.float32(real(value).removesuffix("f")) == np.float32(value)
    assert any(mark in real(value) for mark in ".e")


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8), st.integers(0, 2**12))
def test_powers_of_the_chain_are_its_steps(take: list[float], steps: int) -> None:
    shares = np.array(take)
    packed, count = chain_powers(shares)
    chain = np.diag(1.0 - shares) + np.diag(shares[1:], -1)
    wanted = np.linalg.matrix_power(chain, steps)
    if steps >> count:
        assert np.abs(wanted).max() < 1e-25
        return
    size = len(take) * (len(take) + 1) // 2
    found = np.eye(len(take))
    for place in range(count):
        if steps >> place & 1:
            power = np.zeros_like(chain)
            power[np.tril_indices(len(take))] = packed[place * size : (place + 1) * size]
            found = power @ found
    assert np.allclose(found, wanted, rtol=1e-9, atol=1e-20)
