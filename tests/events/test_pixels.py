"""Pictures move as a whole: shifted, turned and grown, with polarity and time left alone."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.events import Augment, Gathered, Recording, gather
from spikinggamma.events.pixels import Move, move_pixels

SIDE = 41


def cross(n: int = 60) -> Gathered:
    """A cross of four points about the middle, of both polarities, in each recording."""
    y = np.array([20, 20, 10, 30] * 2)
    x = np.array([10, 30, 20, 20] * 2)
    polarity = np.repeat([0, 1], 4)
    channels = (polarity * SIDE + y) * SIDE + x
    one = Recording(np.arange(8), channels, 2 * SIDE * SIDE, 10, label=0, shape=(2, SIDE, SIDE))
    return gather([one] * n)


def places(events: Gathered) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    polarity, y, x = np.unravel_index(events.channels, (2, SIDE, SIDE))
    return polarity.reshape(-1, 8), y.reshape(-1, 8), x.reshape(-1, 8)


def test_a_shift_moves_every_point_alike() -> None:
    before, after = cross(), move_pixels(cross(), Move(3.0, 0.0, 0.0), np.random.default_rng(0))
    (kinds, y0, x0), (kinds_after, y, x) = places(before), places(after)
    np.testing.assert_array_equal(kinds_after, kinds)
    for moved in (y - y0, x - x0):
        assert (moved == moved[:, :1]).all()
        assert set(moved[:, 0]) == set(range(-3, 4))
    np.testing.assert_array_equal(after.times_us, before.times_us)


def test_a_turn_keeps_distances_and_right_angles() -> None:
    _, y, x = places(move_pixels(cross(), Move(0.0, 90.0, 0.0), np.random.default_rng(0)))
    from_middle = np.stack([y - 20, x - 20]).astype(float)
    assert np.abs(np.hypot(*from_middle) - 10.0).max() < 1.0
    left, right, up, down = (from_middle[:, :, k] for k in range(4))
    assert np.abs(left + right).max() <= 1.0
    assert np.abs((left * up).sum(0)).max() <= 15.0, "perpendicular, up to whole pixels"
    assert np.ptp(np.arctan2(right[0], right[1])) > 2.0, "angles are spread over half a circle"
    assert np.abs(up + down).max() <= 1.0


def test_a_zoom_scales_about_the_middle() -> None:
    _, y, x = places(move_pixels(cross(), Move(0.0, 0.0, 0.5), np.random.default_rng(0)))
    radii = np.abs(y - 20) + np.abs(x - 20)
    assert (radii == radii[:, :1]).all()
    assert radii.min() in (5, 6)
    assert radii.max() in (14, 15)


def test_what_leaves_the_sensor_is_lost_and_nothing_else() -> None:
    corner = Recording(np.array([0, 1]), np.array([0, 20 * SIDE + 20]), SIDE * SIDE, 10, label=0, shape=(1, SIDE, SIDE))
    found = move_pixels(gather([corner] * 400), Move(5.0, 0.0, 0.0), np.random.default_rng(0))
    lost = 400 - int((found.times_us == 0).sum())
    assert (found.times_us == 1).sum() == 400
    # The corner stays where both shifts round to at least 0: (5.5 / 10)^2 of the draws.
    assert abs(lost / 400 - (1 - 0.55**2)) < 0.08
    assert len(found.samples) == len(found.channels) == len(found.times_us)


def test_augment_moves_pictures_and_refuses_lists() -> None:
    events = cross(4)
    assert Augment(zoom=0.1).active
    once, again = (Augment(pixel_shift=2.0, rotation_deg=10.0)(events, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(once.channels, again.channels)
    assert (once.channels != events.channels).any()
    flat = gather([Recording(np.array([0]), np.array([0]), 8, 10, label=0)])
    with pytest.raises(SpikingGammaError, match="one camera"):
        Augment(pixel_shift=1.0)(flat, np.random.default_rng(0))
    for wrong in ({"pixel_shift": -1.0}, {"rotation_deg": 181.0}, {"zoom": 1.0}):
        with pytest.raises(SpikingGammaError, match=next(iter(wrong))):
            Augment(**wrong)
