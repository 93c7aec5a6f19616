"""Each perturbation does what it says to the events, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from event_strategies import recordings
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.events import Augment, Recording, bin_events, gather

MANY = gather(
    [
        Recording(np.arange(0, 100_000, 50), np.full(2000, 50), n_channels=100, duration_us=100_000, label=0)
        for _ in range(200)
    ]
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_off_by_default() -> None:
    assert not Augment().active
    assert Augment()(MANY, rng()) is MANY


def test_channel_shift_moves_a_recording_as_one() -> None:
    found = Augment(channel_shift=3)(MANY, rng())
    shifts = (found.channels - 50).reshape(200, 2000)
    assert (shifts == shifts[:, :1]).all()
    assert set(shifts[:, 0]) == set(range(-3, 4))
    np.testing.assert_array_equal(found.times_us, MANY.times_us)


def test_channel_shift_loses_what_leaves_the_sensor() -> None:
    edge = MANY._replace(channels=np.where(np.arange(400_000) % 2, 0, 99).astype(np.int32))
    found = Augment(channel_shift=1)(edge, rng())
    kept = np.bincount(found.samples, minlength=200)
    assert set(kept) == {1000, 2000}  # one edge, where the recording moved; both, where it stayed
    assert found.channels.min() == 0
    assert found.channels.max() == 99


def test_time_stretch_scales_times_and_duration_together() -> None:
    found = Augment(time_stretch=0.2)(MANY, rng())
    factors = found.durations_us / 100_000
    assert factors.min() >= 0.8
    assert factors.max() <= 1.2
    assert factors.std() == pytest.approx(0.4 / np.sqrt(12), rel=0.15)
    np.testing.assert_allclose(found.times_us, MANY.times_us * factors[MANY.samples], atol=2)


def test_jitter_has_its_width_and_loses_nothing() -> None:
    found = Augment(jitter_ms=2.0)(MANY, rng())
    moves = found.times_us - MANY.times_us
    middle = (MANY.times_us > 20_000) & (MANY.times_us < 80_000)
    assert moves[middle].std() == pytest.approx(2000, rel=0.01)
    assert abs(moves[middle].mean()) < 20
    assert len(found.times_us) == len(MANY.times_us)
    # Reflected at the ends, an even train stays even up to the very edge.
    assert np.histogram(found.times_us, bins=100, range=(0, 100_000))[0] == pytest.approx(4000, rel=0.1)


def test_deletion_takes_its_share() -> None:
    found = Augment(deletion=0.3)(MANY, rng())
    assert len(found.times_us) / len(MANY.times_us) == pytest.approx(0.7, abs=0.005)
    assert len(Augment(deletion=1.0)(MANY, rng()).times_us) == 0


@given(
    st.lists(recordings(), min_size=1, max_size=4),
    st.integers(0, 20),
    st.floats(0, 0.99),
    st.floats(0, 100.0),
    st.floats(0, 1),
    st.integers(0, 1000),
)
def test_always_leaves_events_that_can_be_binned(
    members: list[Recording], shift: int, stretch: float, jitter_ms: float, deletion: float, seed: int
) -> None:
    before = gather(members)
    copy = gather(members)
    found = Augment(channel_shift=shift, time_stretch=stretch, jitter_ms=jitter_ms, deletion=deletion)(
        before, rng(seed)
    )
    assert (found.times_us >= 0).all()
    assert (found.times_us < found.durations_us[found.samples]).all()
    assert (found.channels >= 0).all()
    assert (found.channels < 12).all()
    assert bin_events(found, dt_ms=1.0)[0].sum() == len(found.times_us)
    assert all(np.array_equal(a, b) for a, b in zip(before, copy, strict=True)), "what was given is as it was"


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel_shift": -1},
        {"time_stretch": 1.0},
        {"time_stretch": -0.1},
        {"jitter_ms": float("nan")},
        {"deletion": 1.1},
    ],
)
def test_refused_amounts(wrong: dict[str, float]) -> None:
    with pytest.raises(SpikingGammaError, match=next(iter(wrong))):
        Augment(**wrong)  # type: ignore[arg-type]
