"""Every bad sound file is refused by its name and fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import read_sound

TONE = 0.5 * np.sin(np.arange(4000) / 10)


def written(path: Path, samples: np.ndarray = TONE, rate_hz: int = 8000, **options: str) -> Path:
    soundfile.write(path, samples, rate_hz, **options)
    return path


def refused(path: Path) -> str:
    with pytest.raises(SpikingGammaError) as caught:
        read_sound(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("rate_hz", [4000, 8000, 48_000])
def test_reads_what_was_written(tmp_path: Path, name: str, rate_hz: int) -> None:
    sound = read_sound(written(tmp_path / name, rate_hz=rate_hz))
    assert sound.rate_hz == rate_hz
    np.testing.assert_allclose(sound.samples, TONE, atol=2**-15)


def test_reads_float_samples_and_extra_chunks(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", subtype="FLOAT")
    np.testing.assert_allclose(read_sound(path).samples, TONE, atol=1e-7)
    whole = path.read_bytes()
    path.write_bytes(whole + b"LIST\x04\x00\x00\x00INFO")
    np.testing.assert_allclose(read_sound(path).samples, TONE, atol=1e-7)


def test_missing(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "a.wav")


def test_folder(tmp_path: Path) -> None:
    assert "a folder" in refused(tmp_path)


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    assert "an empty file" in refused(path)


def test_no_samples(tmp_path: Path) -> None:
    assert "0 samples" in refused(written(tmp_path / "a.wav", np.zeros(0)))


@pytest.mark.parametrize("kept", [45, 100, 4000, 8043])
def test_cut_short_wav(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:kept])
    said = f"a file cut short: {kept - 44} bytes of samples, though its header promises 8000; expected a whole file"
    assert said in refused(path)


@pytest.mark.parametrize("kept", [5, 12, 20, 40])
def test_wav_cut_within_its_header(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:kept])
    assert "a WAV file without samples" in refused(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_cut_short_flac(tmp_path: Path, share: float) -> None:
    rng = np.random.default_rng(0)
    path = written(tmp_path / "a.flac", 0.1 * rng.normal(size=40_000))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "cut short" in refused(path) or "not readable" in refused(path)


def test_not_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"this is no sound at all" * 10)
    assert "not readable as sound" in refused(path)


def test_stereo(tmp_path: Path) -> None:
    assert "2 channels; expected one channel" in refused(written(tmp_path / "a.wav", np.stack([TONE, TONE], 1)))


def test_rate_too_low(tmp_path: Path) -> None:
    assert "a rate of 3999 Hz; expected at least 4000 Hz" in refused(written(tmp_path / "a.wav", rate_hz=3999))


def test_silent(tmp_path: Path) -> None:
    assert "silence (every sample is 0)" in refused(written(tmp_path / "a.wav", np.zeros(100)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path: Path, value: float) -> None:
    samples = TONE.copy()
    samples[17] = value
    assert f"{value} at sample 17" in refused(written(tmp_path / "a.wav", samples, subtype="FLOAT"))


def test_a_header_that_promises_the_moon_is_refused_without_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "moon.flac"
    soundfile.write(path, np.sin(np.arange(3000) / 3.0) * 0.5, 8000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[21:26] = bytes([content[21] | 0x0F, 255, 255, 255, 255])  # STREAMINFO's 36 bits for the number of samples
    path.write_bytes(content)
    with pytest.raises(SpikingGammaError, match=r"moon\.flac"):
        read_sound(path)
