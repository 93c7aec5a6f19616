"""What an encoder sends says what was encoded, to within the error that it states."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spikinggamma.encoders import ENCODERS, SampledSignal, make_encoder
from spikinggamma.encoders.receptive_fields import ReceptiveFields
from spikinggamma.errors import SpikingGammaError

Table = npt.NDArray[np.float64]
SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 3))
every_encoder = pytest.mark.parametrize("name", ENCODERS.names())


def tables(low: float, high: float) -> st.SearchStrategy[Table]:
    return arrays.arrays(np.float64, SHAPES, elements=st.floats(low, high, allow_subnormal=False))


def there_and_back(name: str, values: Table, step_us: int = 10_000, **options: Any) -> Table:
    encoder, signal = make_encoder(name, options), SampledSignal.regular(values, step_us)
    recording = encoder.encode(signal)
    assert recording.n_channels == values.shape[1] * encoder.channels_per_signal
    assert recording.duration_us == signal.duration_us
    return encoder.decode(recording, signal.times_us)


@given(values=tables(-5.0, 5.0), level=st.floats(0.05, 2.0), offset=st.floats(-1.0, 1.0))
def test_level_crossing_is_half_a_level_off_at_most(values: Table, level: float, offset: float) -> None:
    found = there_and_back("level_crossing", values, level=level, offset=offset)
    assert np.abs(found - values).max() <= level / 2 * (1 + 1e-9) + 1e-12


@given(values=tables(-5.0, 5.0), level=st.floats(0.05, 2.0), start=st.floats(-1.0, 1.0))
def test_delta_is_a_level_off_at_most_and_silent_within_one(values: Table, level: float, start: float) -> None:
    found = there_and_back("delta", values, level=level, start=start)
    assert np.abs(found - values).max() <= level * (1 + 1e-9) + 1e-12
    within = start + 0.9 * level * np.sin(values)
    encoder = make_encoder("delta", {"level": level, "start": start})
    assert encoder.encode(SampledSignal.regular(within, 1000)).n_events == 0


@given(values=tables(-5.0, 5.0), unit=st.floats(0.05, 2.0))
def test_graded_is_half_a_unit_off_at_most(values: Table, unit: float) -> None:
    assert np.abs(there_and_back("graded", values, unit=unit) - values).max() <= unit / 2 * (1 + 1e-9)


def test_a_ramp_by_hand() -> None:
    ramp = SampledSignal.regular(np.array([[0.0], [0.6], [1.2], [0.4]]), 1000)
    crossing = make_encoder("level_crossing", {"level": 0.5}).encode(ramp)
    assert list(zip(crossing.times_us, crossing.channels, strict=True)) == [(1000, 0), (2000, 0), (3000, 1), (3000, 1)]
    delta = make_encoder("delta", {"level": 0.5}).encode(ramp)
    assert list(zip(delta.times_us, delta.channels, strict=True)) == [(1000, 0), (2000, 0), (3000, 1)]
    graded = make_encoder("graded", {"unit": 0.2}).encode(ramp)
    assert np.bincount(graded.times_us // 1000, minlength=4).tolist() == [0, 3, 6, 2]


@given(values=tables(-0.5, 1.5), step_us=st.integers(2, 50_000))
def test_latency_is_off_by_the_rounding_of_its_times(values: Table, step_us: int) -> None:
    found = there_and_back("latency", values, step_us)
    assert np.abs(found - np.clip(values, 0.0, 1.0)).max() <= 0.5 / (step_us - 1) + 1e-12


def test_larger_samples_come_earlier_and_small_ones_not_at_all() -> None:
    recording = make_encoder("latency").encode(SampledSignal.regular(np.array([[-0.1, 0.2, 0.9, 5.0]]), 1001))
    assert recording.channels.tolist() == [3, 2, 1]
    assert recording.times_us.tolist() == [0, 100, 800]


@given(
    values=tables(-2.5, 3.5),
    channels=st.integers(2, 12),
    spread=st.floats(0.5, 2.0),
    step_us=st.integers(1000, 50_000),
)
def test_receptive_fields_are_off_by_the_rounding_of_their_times(
    values: Table, channels: int, spread: float, step_us: int
) -> None:
    options = {"low": -2.0, "high": 3.0, "channels": channels, "spread": spread, "threshold": 0.05}
    found = there_and_back("receptive_fields", values, step_us, **options)
    encoder = make_encoder("receptive_fields", options)
    assert isinstance(encoder, ReceptiveFields)
    rounding = 0.5 / (step_us - 1)
    least = math.exp(-0.5 / spread**2) - rounding
    distance = 5.0 / (channels - 1)
    bound = encoder.width**2 / distance * 2.0 * rounding / (least - rounding)
    assert np.abs(found - np.clip(values, -2.0, 3.0)).max() <= bound * (1 + 1e-6) + 1e-9


def test_the_best_liked_channel_is_first() -> None:
    encoder = make_encoder("receptive_fields", {"channels": 5})
    for place in range(5):
        recording = encoder.encode(SampledSignal.regular(np.array([[place / 4]]), 1000))
        assert (recording.channels[0], recording.times_us[0]) == (place, 0)


def test_poisson_counts_have_the_stated_mean_and_variance() -> None:
    steps, rate_hz = 20_000, 200.0
    values = np.tile([0.0, 0.25, 1.0, 2.0], (steps, 1))
    encoder = make_encoder("poisson", {"rate_hz": rate_hz})
    signal = SampledSignal.regular(values, 10_000)
    recording = encoder.encode(signal, np.random.default_rng(1))
    found = encoder.decode(recording, signal.times_us)
    shares = np.array([0.0, 0.25, 1.0, 1.0])
    deviation = np.sqrt(shares * rate_hz * 0.01) / (rate_hz * 0.01)
    assert (np.abs(found.mean(0) - shares) <= 5.0 * deviation / math.sqrt(steps)).all()
    # The variance of a Poisson number's sample variance is about (m + 2 m²) / steps.
    mean = shares * rate_hz * 0.01
    spread = np.abs((found * rate_hz * 0.01).var(0) - mean)
    assert (spread <= 5.0 * np.sqrt((mean + 2.0 * mean**2) / steps)).all()
    assert np.array_equal(encoder.encode(signal, np.random.default_rng(1)).times_us, recording.times_us)
    within = recording.times_us % 10_000
    assert abs(within.mean() - 4999.5) < 5.0 * 10_000 / math.sqrt(12 * len(within))


@every_encoder
@given(values=tables(0.0, 1.0), gaps=st.lists(st.integers(1, 5000), min_size=20, max_size=20), first=st.integers(0, 99))
def test_samples_may_be_unevenly_spaced(name: str, values: Table, gaps: list[int], first: int) -> None:
    """`Recording` itself checks order and range; nothing is sent before its sample or after the next."""
    times_us = first + np.concatenate([[0], np.cumsum(gaps)])
    signal = SampledSignal(values, times_us[: len(values)], int(times_us[len(values)]))
    encoder = make_encoder(name)
    recording = encoder.encode(signal, label=3, source="here")
    assert (recording.label, recording.source) == (3, "here")
    assert encoder.decode(recording, signal.times_us).shape == values.shape
    assert (recording.times_us >= first).all()


@every_encoder
def test_each_signal_is_encoded_by_itself(name: str) -> None:
    values = np.random.default_rng(0).uniform(0.0, 1.0, (30, 2))
    encoder = make_encoder(name)
    if name == "poisson":
        pytest.skip("signals share one random generator")
    both = encoder.encode(SampledSignal.regular(values, 1000))
    for index in range(2):
        alone = encoder.encode(SampledSignal.regular(values[:, [index]], 1000))
        own = both.channels // encoder.channels_per_signal == index
        assert np.array_equal(both.times_us[own], alone.times_us)
        assert np.array_equal(both.channels[own] % encoder.channels_per_signal, alone.channels)


@every_encoder
@pytest.mark.parametrize(
    ("signal", "says"),
    [
        (SampledSignal(np.zeros((0, 1)), np.zeros(0, np.int64), 1), r"`signal`: got \[0, 1\]"),
        (SampledSignal(np.full((2, 1), np.nan), np.arange(2), 2), "`signal`.*not finite"),
        (SampledSignal(np.zeros((2, 1)), np.arange(3), 3), "`times_us`.*2 whole numbers"),
        (SampledSignal(np.zeros((2, 1)), np.array([1, 1]), 3), "`times_us`.*ascend"),
        (SampledSignal(np.zeros((2, 1)), np.array([0, 1]), 1), "`times_us`.*ascend"),
    ],
)
def test_what_cannot_be_encoded_is_named(name: str, signal: SampledSignal, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        make_encoder(name).encode(signal)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("delta", {"level": 0.0}, "`encoder.level`: got 0.0; expected above 0"),
        ("delta", {"levels": 1.0}, "Did you mean `level`?"),
        ("latency", {"low": 2.0}, "a `low` below `high`"),
        ("receptive_fields", {"spread": 0.3}, "two channels respond"),
        ("level_crosing", {}, "Did you mean `level_crossing`?"),
    ],
)
def test_options_out_of_range_are_named(name: str, options: dict[str, float], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says.replace("?", r"\?")):
        make_encoder(name, options)
