"""What is said to fit was measured to fit; amounts of memory are read as they are written."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.planning import Fit, largest_fitting, parse_memory

floors = st.floats(50.0, 500.0)
slopes = st.floats(0.05, 50.0)


@given(floors, slopes, st.integers(2, 512), st.integers(512, 4096), st.floats(1.0, 20_000.0))
def test_of_a_line_the_very_largest_is_found(floor: float, slope: float, size: int, most: int, budget: float) -> None:
    def peak(size: int) -> float:
        return floor + slope * size

    assume(slope * size > 0.02 * peak(size))
    best = min(int((budget - floor) / slope + 1e-9), most)
    found = largest_fitting(peak, budget, size=size, peak_mib=peak(size), smaller=size // 2, most=most)
    assert found is not None
    if best < 1:
        assert found.size == 0
    else:
        assert abs(found.size - best) <= 1  # the line is known to rounding
        assert found.peak_mib == peak(found.size) <= budget


@given(floors, slopes, st.floats(0.0, 2000.0), st.integers(8, 512), st.floats(60.0, 4000.0))
def test_what_is_said_to_fit_was_measured_to_fit(
    floor: float, slope: float, plateau: float, size: int, budget: float
) -> None:
    """Something else, which does not depend on the size, may hold the peak."""
    measured: dict[int, float] = {}

    def peak(size: int) -> float:
        measured[size] = max(floor + slope * size, plateau)
        return measured[size]

    found = largest_fitting(peak, budget, size=size, peak_mib=peak(size), smaller=size // 4, most=size)
    if found is None:
        assert max(measured.values()) - min(measured.values()) < 0.02 * max(measured.values())
    elif found.size:
        assert measured[found.size] == found.peak_mib <= budget
    else:
        assert min(measured.values()) > budget
        assert found.peak_mib == measured[min(measured)]
    assert len(measured) <= 6  # each takes seconds


def test_memory_that_does_not_depend_on_the_size_has_no_answer() -> None:
    assert largest_fitting(lambda size: 300.0, 200.0, size=64, peak_mib=300.0, smaller=16, most=64) is None


def test_nothing_fits_where_one_is_too_many() -> None:
    found = largest_fitting(lambda size: 100.0 + size, 50.0, size=64, peak_mib=164.0, smaller=32, most=64)
    assert found == Fit(0, 101.0)


@given(st.integers(1, 999), st.sampled_from(["K", "M", "G", "T"]), st.sampled_from(["", "B"]), st.booleans())
def test_amounts_of_memory_are_powers_of_a_thousand_or_of_1024(
    number: int, prefix: str, byte: str, binary: bool
) -> None:
    power = "KMGT".index(prefix) + 1
    wanted = number * (1024.0 if binary else 1000.0) ** power / 2**20
    text = f"{number} {prefix}{'i' if binary else ''}{byte}"
    assert parse_memory(text) == pytest.approx(wanted)
    assert parse_memory(text.lower()) == pytest.approx(wanted)


@pytest.mark.parametrize("text", ["", "GB", "two GB", "-2GB", "0", "0.0GB", "2GB of it", "1e9", "nan"])
def test_other_text_is_named(text: str) -> None:
    with pytest.raises(SpikingGammaError, match=r"`--budget`: got .*expected an amount of memory"):
        parse_memory(text)
