"""The whole chain: against a published spike train, and what must not change its spikes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spikinggamma import SpikingGammaError
from spikinggamma.cochlea import Cochlea, SpikeTrain, convert, prepare

SMALL = Cochlea(n_channels=12)


def tone(hz: float, *, rate_hz: int = 48_000, seconds: float = 0.1) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz)


def same(first: SpikeTrain, second: SpikeTrain) -> bool:
    return np.array_equal(first.times_us, second.times_us) and np.array_equal(first.channels, second.channels)


@pytest.mark.long
def test_published_train_of_one_digit(data_root: Path) -> None:
    clip = data_root / "heidelberg-clip"
    sound, rate_hz = soundfile.read(clip / "spoken_digit.flac")
    times_s, published = np.load(clip / "reference_spikes_70ch.npz")["arr_0"]
    expected = np.bincount(published.astype(int), minlength=70)
    coincidences = np.zeros(41)
    for seed in range(10):
        train = convert(sound, rate_hz, Cochlea(n_channels=70, c0=1e8), seed=seed)
        found = np.bincount(train.channels, minlength=70)
        assert 560 <= found.sum() <= 680
        assert np.corrcoef(found, expected)[0, 1] >= 0.93
        for channel in range(70):
            gaps = train.times_us[train.channels == channel, None] - times_s[published == channel] * 1e6
            coincidences += np.histogram(gaps, bins=41, range=(-20_500, 20_500))[0]
    # Same places at the same times: spikes coincide to the millisecond at lag 0, more often than a pitch period away.
    assert coincidences.argmax() == 20
    assert coincidences[20] > 1.4 * np.delete(coincidences, [19, 20, 21]).max()


@pytest.mark.long
def test_second_parameter_set_moves_the_response_up(data_root: Path) -> None:
    sound, rate_hz = soundfile.read(data_root / "heidelberg-clip" / "spoken_digit.flac")
    first, second = (convert(sound, rate_hz, Cochlea(n_channels=70, c0=c0), seed=0) for c0 in (1e8, 1e9))
    # ln(10)/3 cm of 3.5 cm: ten times the stiffness is found 15 of 70 channels further up.
    assert second.channels.mean() - first.channels.mean() == pytest.approx(15, abs=1.5)
    assert 0.85 < len(second.channels) / 711 < 1.15


def test_events_are_ordered_and_inside() -> None:
    sound = sum(tone(hz) for hz in (150.0, 300.0, 600.0, 1200.0, 2400.0))
    train = convert(sound, 48_000, SMALL, seed=1)
    assert len(train.times_us) > 10
    assert train.times_us.dtype == np.int64
    assert train.channels.dtype == np.int32
    assert (np.diff(train.times_us) >= 0).all()
    assert train.times_us[0] >= 0
    assert train.times_us[-1] < train.duration_us == 100_000
    assert set(train.channels) <= set(range(12))


def test_tones_are_found_in_their_places() -> None:
    centres = [np.median(convert(tone(hz), 48_000, SMALL, seed=0).channels) for hz in (300.0, 1000.0, 4000.0)]
    assert centres[0] > centres[1] > centres[2]


def test_seed_decides_and_order_does_not() -> None:
    sounds = [tone(hz) for hz in (200.0, 500.0, 1200.0, 3000.0)]
    one_by_one = [convert(sound, 48_000, SMALL, seed=7) for sound in sounds]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda sound: convert(sound, 48_000, SMALL, seed=7), sounds[::-1]))[::-1]
    assert all(same(a, b) for a, b in zip(one_by_one, at_once, strict=True))
    assert not same(one_by_one[0], convert(sounds[0], 48_000, SMALL, seed=8))


@pytest.mark.parametrize("scale", [1e-200, 2.0**-40, 2.0**15, 1e200])
def test_loudness_does_not_matter(scale: float) -> None:
    expected = prepare(tone(500.0), 48_000)
    np.testing.assert_allclose(prepare(tone(500.0) * scale, 48_000), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rate_hz", [4000, 8000, 11_025, 44_100, 96_000])
def test_any_rate_gives_about_the_same_sound(rate_hz: int) -> None:
    found = prepare(tone(300.0, rate_hz=rate_hz), rate_hz)
    expected = prepare(tone(300.0), 48_000)
    assert len(found) == pytest.approx(len(expected), abs=10)
    n = min(len(found), len(expected))
    assert np.corrcoef(found[:n], expected[:n])[0, 1] > 0.999


def test_normalised_before_it_is_faded() -> None:
    flat = prepare(np.sign(tone(1000.0) + 1e-9), 48_000, ramp_ms=0.0)
    np.testing.assert_allclose(np.abs(flat), 0.3, rtol=1e-12)


@pytest.mark.parametrize("n_samples", [4800, 4801])
def test_window_rises_and_falls(n_samples: int) -> None:
    steady = np.tile([1.0, -1.0], n_samples)[:n_samples]
    full = np.abs(prepare(steady, 48_000)) / 0.3
    short = np.abs(prepare(steady, 48_000, ramp_ms=10.0)) / 0.3
    assert full[0] == 0.0
    assert full[n_samples // 2] == pytest.approx(1.0)
    assert full[n_samples // 4] == pytest.approx(0.5, abs=1e-3)
    assert short[240] == pytest.approx(0.5)
    np.testing.assert_allclose(short[480:-480], 1.0)
    assert short[-1] < 1e-4


def test_pre_emphasis_lifts_tones_as_its_transfer_function_says() -> None:
    # Two tones far apart: their ratio after the filter is the ratio of |1 - a e^(-iω)|, whatever the normalisation.
    corner, low, high = 50.0, 200.0, 3200.0
    both = tone(low) + tone(high)
    spectrum = np.abs(np.fft.rfft(prepare(both, 48_000, pre_emphasis_hz=corner) * np.hanning(len(both))))
    found = np.array([spectrum[round(f * len(both) / 48_000)] for f in (low, high)])
    gain = np.abs(1.0 - np.exp(-2.0 * np.pi * (corner + 1j * np.array([low, high])) / 48_000))
    assert found[1] / found[0] == pytest.approx(gain[1] / gain[0], rel=0.01)
    assert gain[1] / gain[0] == pytest.approx(16.0, rel=0.05)  # four octaves of 6 dB


def test_emphasised_sound_has_the_same_root_mean_square() -> None:
    steady = prepare(tone(300.0), 48_000, ramp_ms=0.0, pre_emphasis_hz=50.0)
    assert np.sqrt(np.mean(steady**2)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("sound", "rate_hz", "said"),
    [
        (np.zeros((100, 2)), 8000, "shape (100, 2); expected one channel"),
        (np.zeros(0), 8000, "got 0 samples; expected at least 2"),
        (np.zeros(100), 8000, "silence"),
        (np.array([0.1, np.nan, 0.2]), 8000, "got nan at sample 1; expected finite"),
        (np.array([0.1, 0.2, np.inf]), 8000, "got inf at sample 2; expected finite"),
        (np.ones(100), 3999, "`rate_hz`: got 3999; expected a whole number of at least 4000 Hz"),
        (np.ones(100), 8000.5, "`rate_hz`: got 8000.5"),
        (np.ones(100), float("nan"), "`rate_hz`: got nan"),
    ],
)
def test_refused_sounds(sound: np.ndarray, rate_hz: float, said: str) -> None:
    with pytest.raises(SpikingGammaError) as caught:
        convert(sound, rate_hz, SMALL)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"n_channels": 0},
        {"c0": float("nan")},
        {"c0": 1.0},
        {"ramp_ms": -1.0},
        {"pre_emphasis_hz": 0.0},
        {"pre_emphasis_hz": 24_000.0},
        {"pre_emphasis_hz": float("nan")},
    ],
)
def test_refused_parameters(options: dict[str, float]) -> None:
    with pytest.raises(SpikingGammaError, match=next(iter(options))):
        Cochlea(**options)  # type: ignore[arg-type]


def test_refused_seed() -> None:
    with pytest.raises(SpikingGammaError, match="seed"):
        convert(tone(500.0), 48_000, SMALL, seed=-1)
