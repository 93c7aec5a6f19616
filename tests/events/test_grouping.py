"""Neighbours summed: no event is lost or moved."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, bin_recording, group_channels

RNG = np.random.default_rng(0)
ONE = Recording(
    np.sort(RNG.integers(0, 9000, 200)), RNG.integers(0, 12, 200), 12, 9000, 3, speaker="ann", shape=(2, 2, 3)
)


def test_grouping_is_what_binning_does_with_fewer_channels() -> None:
    (grouped,) = group_channels([ONE], 4)
    assert (bin_recording(grouped, dt_ms=1.0) == bin_recording(ONE, dt_ms=1.0, n_channels=4)).all()
    assert (grouped.label, grouped.speaker, grouped.shape) == (3, "ann", ())
    np.testing.assert_array_equal(grouped.times_us, ONE.times_us)


def test_as_many_channels_as_before_change_nothing() -> None:
    (same,) = group_channels([ONE], 12)
    np.testing.assert_array_equal(same.channels, ONE.channels)
    assert same.shape == (2, 2, 3)


@pytest.mark.parametrize("wanted", [0, 5, 24])
def test_a_number_that_divides_nothing_is_named(wanted: int) -> None:
    with pytest.raises(SpikingGammaError, match=f"`n_channels`: got {wanted}; expected a divisor of 12"):
        group_channels([ONE], wanted)
