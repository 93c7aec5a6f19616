"""Conversion of sound to spikes by the whole model, in this order:

    sound -> 48 kHz (-> pre-emphasis) -> root mean square 0.3 -> Hann window -> membrane -> hair cell -> bushy cell ->
    spikes

Source: Cramer, Stradmann, Schemmel, Zenke (2020), "The Heidelberg spiking data sets", arXiv 1910.07407.

The same sound, parameters and seed give the same spikes within one `VERSION`. Version 2 computes in single precision
and interpolates between places (see `filter_bank`). Its spikes have the statistics of version 1 and use its random
numbers, so about 997 of 1000 spikes of a recording are the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int

from spikinggamma.cochlea.bushy_cell import bushy_cells, padded
from spikinggamma.cochlea.compiled import cells_of_places
from spikinggamma.cochlea.filter_bank import filter_bank, moved_blocks
from spikinggamma.cochlea.hair_cell import resting_pools
from spikinggamma.cochlea.membrane import RATE_HZ
from spikinggamma.errors import SpikingGammaError

__all__ = ["VERSION", "Cochlea", "SpikeTrain", "convert", "prepare"]

VERSION = 2  # changes whenever the same seed gives other spikes; it is part of the key of every cache of spikes

_RMS = 0.3
_LOWEST_RATE_HZ = 4000
_MOST_CHANNELS = 10_000  # filters of more channels would not fit into the memory of a small machine


@dataclass(frozen=True, slots=True)
class Cochlea:
    """Parameters of a conversion.

    Args:
        n_channels: Number of places along the membrane, from the base (high tones) on; the published sets have 700.
        c0: Stiffness at the base; 1e9, or 1e8 as in spike trains published before August 2021.
        ramp_ms: Length of the Hann fade-in and fade-out in ms; with None they meet in the middle, the default of the
            published tool. The published spikes of the Heidelberg Digits were very probably made with ramps of 30 ms.
        pre_emphasis_hz: Corner frequency in Hz of a first-order high-pass before the membrane, which raises tones above
            it by 6 dB per octave, like outer and middle ear; None for no filter, as in the published tool. The level of
            speech falls by about as much towards high tones, so without it vowels saturate the hair cells while most
            consonants stay below their threshold.

    Raises:
        SpikingGammaError: A parameter is out of range.
    """

    n_channels: int = 700
    c0: float = 1e9
    ramp_ms: float | None = None
    pre_emphasis_hz: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.n_channels <= _MOST_CHANNELS:
            raise SpikingGammaError("n_channels", self.n_channels, f"1 to {_MOST_CHANNELS}")
        if not (np.isfinite(self.c0) and self.c0 > 1e4):
            raise SpikingGammaError("c0", self.c0, "a stiffness above 1e4", "The published values are 1e9 and 1e8.")
        if self.ramp_ms is not None and not (np.isfinite(self.ramp_ms) and self.ramp_ms >= 0.0):
            raise SpikingGammaError("ramp_ms", self.ramp_ms, "None or a length in ms, at least 0")
        if self.pre_emphasis_hz is not None and not 0.0 < self.pre_emphasis_hz < RATE_HZ / 2:
            wanted = f"None or a frequency between 0 and {RATE_HZ // 2} Hz"
            raise SpikingGammaError("pre_emphasis_hz", self.pre_emphasis_hz, wanted)


class SpikeTrain(NamedTuple):
    """Spikes of one sound, ordered by time, then channel.

    Attributes:
        times_us: Times in microseconds, int64 [E].
        channels: Channels, int32 [E].
        duration_us: Length of the sound in microseconds.
    """

    times_us: Int[np.ndarray, " E"]  # int64
    channels: Int[np.ndarray, " E"]  # int32
    duration_us: int


def convert(
    sound: npt.NDArray[Any], rate_hz: float | int, cochlea: Cochlea | None = None, *, seed: int = 0
) -> SpikeTrain:
    """Convert a sound to spikes.

    Args:
        sound: One channel of audio, [S], at any scale, since it is normalised.
        rate_hz: Sampling rate in Hz, an integer of at least 4000.
        cochlea: Parameters; those of the published tool if not given.
        seed: Seed of the random release of transmitter; the same seed gives the same spikes.

    Raises:
        SpikingGammaError: The sound is empty, silent, not finite or not one-dimensional, or its rate is not supported.

    Example:
        >>> tone = np.sin(2 * np.pi * 440 * np.arange(4800) / 48000)
        >>> convert(tone, 48000, Cochlea(n_channels=8), seed=1).duration_us
        100000
    """
    cochlea = cochlea or Cochlea()
    if not 0 <= seed < 2**64:
        raise SpikingGammaError("seed", seed, "an integer from 0 to 2**64 - 1")
    prepared = prepare(sound, rate_hz, ramp_ms=cochlea.ramp_ms, pre_emphasis_hz=cochlea.pre_emphasis_hz)
    samples, channels = _spikes(prepared, cochlea, seed)
    # Times are rounded to whole microseconds: sample i is at i * 125/3 µs.
    times_us = samples * 2_000_000 // RATE_HZ
    duration_us = -(-len(prepared) * 1_000_000 // RATE_HZ)
    return SpikeTrain(times_us, channels.astype(np.int32), duration_us)


def _spikes(
    prepared: Float[np.ndarray, " S"], cochlea: Cochlea, seed: int
) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return samples at 24 kHz and channels of all spikes, ordered by time, then channel."""
    bank = filter_bank(cochlea.n_channels, cochlea.c0)
    stride = len(bank.weights)
    # Lane `phase * n_rows + r` is channel `stride * r + phase`; the last lanes may be beyond the last channel.
    channels = (np.arange(stride)[:, None] + stride * np.arange(bank.n_rows)).ravel()
    channels = padded(np.where(channels < cochlea.n_channels, channels, -1))
    step_s = 2.0 / RATE_HZ
    cells, pools = bushy_cells(channels, step_s, seed=seed), resting_pools(len(channels))
    first, found = 0, []
    for moved in moved_blocks(prepared, bank):
        some = np.empty(cells.most_spikes(len(moved)), dtype=np.int64)
        n_found = cells_of_places(moved, first, bank.weights, bank.n_rows, step_s, pools, *cells, some)
        found.append(some[:n_found])
        first += len(moved)
    samples, lanes = np.divmod(np.concatenate(found), len(channels))
    heard = channels[lanes]
    real = heard >= 0
    key = np.sort(samples[real] * cochlea.n_channels + heard[real])
    samples, heard = np.divmod(key, cochlea.n_channels)
    return samples, heard


def prepare(
    sound: npt.NDArray[Any], rate_hz: float | int, *, ramp_ms: float | None = None, pre_emphasis_hz: float | None = None
) -> Float[np.ndarray, " S"]:
    """Return a sound at 48 kHz with root mean square 0.3 and faded ends, float64 [S].

    Args:
        sound: One channel of audio, [S].
        rate_hz: Sampling rate in Hz.
        ramp_ms: As in `Cochlea`.
        pre_emphasis_hz: As in `Cochlea`.

    Raises:
        SpikingGammaError: As `convert`.
    """
    sound = np.asarray(sound)
    if sound.ndim != 1:
        raise SpikingGammaError(
            "sound", f"shape {sound.shape}", "one channel of samples, shape [S]", "Mix it to one channel first."
        )
    if len(sound) < 2:
        raise SpikingGammaError("sound", f"{len(sound)} samples", "at least 2")
    if not (_LOWEST_RATE_HZ <= rate_hz < 2**31 and rate_hz == int(rate_hz)):
        raise SpikingGammaError("rate_hz", rate_hz, f"a whole number of at least {_LOWEST_RATE_HZ} Hz")
    sound = sound.astype(np.float64)
    if not np.isfinite(sound).all():
        place = int(np.flatnonzero(~np.isfinite(sound))[0])
        raise SpikingGammaError("sound", f"{sound[place]} at sample {place}", "finite samples only")
    if not sound.any():
        raise SpikingGammaError("sound", "silence (every sample is 0)", "a sound", "It cannot be normalised.")
    ratio = Fraction(RATE_HZ, int(rate_hz))
    if ratio != 1:
        from scipy.signal import resample_poly  # takes a second to import, and is not needed to read cached spikes

        sound = resample_poly(sound, ratio.numerator, ratio.denominator)
    if pre_emphasis_hz is not None:
        sound = _emphasised(sound, pre_emphasis_hz)
    sound = sound / np.abs(sound).max()  # avoids overflow and underflow of squares
    sound *= _RMS / np.sqrt(np.mean(sound**2))
    return np.asarray(sound * _window(len(sound), ramp_ms))


def _emphasised(sound: Float[np.ndarray, " S"], corner_hz: float) -> Float[np.ndarray, " S"]:
    """Return s(i) - a s(i - 1) with a = exp(-2π f / rate); the sample before the first is assumed equal to it."""
    before = np.concatenate([sound[:1], sound[:-1]])
    return np.asarray(sound - math.exp(-2.0 * math.pi * corner_hz / RATE_HZ) * before)


def _window(n_samples: int, ramp_ms: float | None) -> Float[np.ndarray, " {n_samples}"]:
    longest = n_samples // 2
    rise = longest if ramp_ms is None else min(longest, round(ramp_ms * RATE_HZ / 1000))
    fall = n_samples - longest if ramp_ms is None else rise
    window = np.ones(n_samples)
    window[:rise] = 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / max(rise, 1))
    window[n_samples - fall :] = 0.5 + 0.5 * np.cos(np.pi * np.arange(fall) / max(fall, 1))
    return window
