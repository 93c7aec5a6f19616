"""The membrane as a bank of filters, which computes every channel's velocity from a sound, block by block.

The transfer functions of `membrane` are evaluated once, on the frequency grid of one block, and each block of a sound
is filtered by Fourier transforms (overlap-save). Two properties of the membrane save most of the work:

* Neighbouring places have similar velocities. With 700 channels the wave is at least 34 channels long, so only every
third place is filtered, and those between follow by Lagrange interpolation over eight places, to 1e-3 of their root
mean square. A few places beyond both ends, where the formula holds as well, are filtered for the interpolation. The
stride is verified: `filter_bank` compares interpolated transfer functions with exact ones, and uses a smaller stride,
in the end every place, if they differ by more than 3e-3. With few channels, or C0 = 1e8, every place is filtered.
* A place hardly responds above its own frequency. Its filter ends where the gain falls below 1e-6 of its maximum. If
the gain falls below 1e-4 at a low enough frequency, the place is sampled at a half to a sixteenth of the rate and
interpolated in time, by a windowed sinc over twelve samples, to 2e-4.

The file is longer than others since the design of the filters and their check belong together.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import numpy as np
import scipy.fft
from jaxtyping import Complex, Float

from spikinggamma.cochlea.compiled import interpolate
from spikinggamma.cochlea.folding import POINTS_IN_TIME, fold_product, weigh_rows
from spikinggamma.cochlea.membrane import LENGTH_CM, RATE_HZ, transfer

__all__ = ["AHEAD", "BEHIND", "BLOCK", "FilterBank", "filter_bank", "moved_blocks", "velocity_by_blocks"]

BLOCK = 32_768  # samples of sound filtered at once; bins are then 1.5 Hz apart, finer than any resonance
AHEAD = 9_600  # 200 ms by which a place responds before the sound (at most 1e-3 of the filter's energy is earlier)
BEHIND = 960  # 20 ms for the small rest that follows, which rings from the sharp upper end of the spectrum

_POINTS = 8  # number of places for the interpolation between places
_LARGEST_ERROR = 3e-3
_SMALLEST_GAIN = 1e-6
_PLACES_AT_ONCE = 32  # keeps their arrays inside the processor's cache
_LANES = 16
_THINNEST = 16  # divides the number of samples of a block, and of those before its first valid one
# Shape of the window of the interpolation in time, and the highest frequency, relative to half the reduced rate, at which
# the gain may still be 1e-4.
_KAISER_BETA, _REACH, _SMALL_GAIN = 7.0, 0.75, 1e-4


class Places(NamedTuple):
    """Transfer functions of neighbouring places that are filtered together."""

    gains: Complex[np.ndarray, "bins places"]  # complex64, halved and divided by `thin`, as the inverse transform needs
    thin: int  # factor by which the sampling rate is reduced


class FilterBank(NamedTuple):
    """The transfer functions of the filtered places, and the weights by which channels are interpolated from them."""

    groups: tuple[Places, ...]
    weights: Float[
        np.ndarray, "stride points"
    ]  # float32, weights of the neighbours; all zero if every place is filtered
    n_rows: int  # channel stride * r + phase is interpolated from places r to r + points - 1

    @property
    def n_places(self) -> int:
        """Return the number of filtered places."""
        return sum(group.gains.shape[1] for group in self.groups)


_MAKING = Lock()


def filter_bank(n_channels: int, c0: float) -> FilterBank:
    """Return the filters of `n_channels` channels, which are computed once, in about 3 s and 10 MB for 700.

    Args:
        n_channels: Number of channels.
        c0: Stiffness at the base.
    """
    with _MAKING:  # threads that convert in parallel share one
        return _filter_bank(n_channels, c0)


@lru_cache(maxsize=2)
def _filter_bank(n_channels: int, c0: float) -> FilterBank:
    stride = _stride(n_channels, c0)
    places = _places_cm(n_channels, stride)
    omega = _omega(1)
    groups = [
        _places(transfer(omega, places[first : first + _PLACES_AT_ONCE], c0=c0))
        for first in range(0, len(places), _PLACES_AT_ONCE)
    ]
    lacking = -len(places) % _LANES
    groups[-1] = Places(np.pad(groups[-1].gains, ((0, 0), (0, lacking))), groups[-1].thin)  # full vector lanes
    return FilterBank(tuple(_merged(groups)), _weights(stride), -(-n_channels // stride))


def _merged(groups: list[Places]) -> list[Places]:
    """Return groups of slow places merged into larger ones, because more of their samples fit into the cache."""
    merged: list[Places] = []
    for group in groups:
        if (
            merged
            and merged[-1].thin == group.thin
            and merged[-1].gains.shape[1] < _PLACES_AT_ONCE * min(group.thin, 4)
        ):
            both = merged.pop().gains, group.gains
            bins = max(len(gains) for gains in both)
            gains = np.concatenate([np.pad(gains, ((0, bins - len(gains)), (0, 0))) for gains in both], axis=1)
            group = Places(gains, group.thin)
        merged.append(group)
    return merged


def _places(gains: Complex[np.ndarray, "places W"]) -> Places:
    size = np.abs(gains)
    size /= size.max(axis=1, keepdims=True)
    nyquist = BLOCK // 4
    reach = _end(size, _SMALL_GAIN)
    thin = 1
    while 2 * thin <= _THINNEST and reach <= _REACH * nyquist / (2 * thin):
        thin *= 2
    end = _end(size, _SMALLEST_GAIN)
    if thin > 1:
        end = min(end, nyquist // thin)
    return Places(np.ascontiguousarray(gains[:, :end].T * (0.5 / thin), dtype=np.complex64), thin)


def _end(size: Float[np.ndarray, "places W"], least: float) -> int:
    """Return the first bin from which on no place has a gain of `least` or more."""
    return int(np.flatnonzero((size >= least).any(axis=0))[-1]) + 1


@lru_cache
def _weights_in_time(thin: int) -> Float[np.ndarray, "thin points"]:
    """Return a sinc with Kaiser's window, at each phase between two samples."""
    half = POINTS_IN_TIME // 2
    distance = np.arange(thin)[:, None] / thin - np.arange(1 - half, 1 + half)
    window = np.i0(_KAISER_BETA * np.sqrt(1.0 - (distance / half) ** 2)) / np.i0(_KAISER_BETA)
    return np.asarray(np.sinc(distance) * window, dtype=np.float32)


def _omega(step: int) -> Float[np.ndarray, " W"]:
    return np.asarray(2.0 * np.pi * np.linspace(1.0, RATE_HZ / 2.0, BLOCK // 2 + 1)[:-1:step])


def _places_cm(n_channels: int, stride: int) -> Float[np.ndarray, " P"]:
    """Return the positions of every `stride`-th place, and beyond both ends those that interpolation needs."""
    apart = LENGTH_CM / max(n_channels - 1, 1)
    n_rows = -(-n_channels // stride)
    if stride == 1:
        return np.arange(n_rows) * apart
    return np.arange(1 - _POINTS // 2, n_rows + _POINTS // 2) * (stride * apart)


def _weights(stride: int) -> Float[np.ndarray, "stride points"]:
    """Return Lagrange's weights: for place x, node a has the product of (x - b) / (a - b) over all other nodes b."""
    if stride == 1:
        return np.zeros((1, 2), dtype=np.float32)
    nodes = np.arange(1 - _POINTS // 2, 1 + _POINTS // 2)
    rows = [
        [np.prod([(phase / stride - b) / (a - b) for b in nodes if b != a]) for a in nodes] for phase in range(stride)
    ]
    return np.array(rows, dtype=np.float32)


def _stride(n_channels: int, c0: float) -> int:
    """Return the largest stride for which interpolated transfer functions agree with exact ones."""
    if n_channels < _POINTS:
        return 1
    omega = _omega(16)
    channels = np.arange(n_channels)
    exact = transfer(omega, channels * LENGTH_CM / (n_channels - 1), c0=c0)
    size = np.linalg.norm(exact, axis=1)
    for stride in (3, 2):
        kept = transfer(omega, _places_cm(n_channels, stride), c0=c0)
        weights = _weights(stride)
        worst = 0.0
        for phase in range(1, stride):
            of_phase = channels[phase::stride]
            near = sum(weight * kept[i : i + len(of_phase)] for i, weight in enumerate(weights[phase]))
            error = np.linalg.norm(near - exact[of_phase], axis=1)
            worst = max(worst, float((error / size[of_phase]).max()))
        if worst <= _LARGEST_ERROR:
            return stride
    return 1


def moved_blocks(sound: Float[np.ndarray, " S"], bank: FilterBank) -> Iterator[Float[np.ndarray, "t P"]]:
    """Yield the velocity of the bank's places, block by block: float32 [samples, places] at 24 kHz.

    The array is used again for the next block. Together the blocks have one sample for every two of the sound. The
    result equals `membrane.velocity` of the sound surrounded by silence, up to the tails beyond `AHEAD` and `BEHIND`.
    """
    n_samples = -(-len(sound) // 2)
    begin, start = BEHIND // 2, 0
    moved = np.empty((min(_hop(1), n_samples), bank.n_places), dtype=np.float32)
    while start < n_samples:
        coarse = 2 if n_samples - start <= _hop(2) else 1  # the last samples may fit into half a block
        length = BLOCK // coarse
        moved = moved[: min(_hop(coarse), n_samples - start)]
        spectrum = scipy.fft.rfft(_block(sound, 2 * start - BEHIND, length))[:-1].astype(np.complex64)
        place = 0
        for gains, thin in bank.groups:
            folded = np.empty((length // 4 // thin + 1, gains.shape[1]), dtype=np.complex64)
            fold_product(gains, coarse, spectrum, folded)
            rows = scipy.fft.irfft(folded, n=length // 2 // thin, axis=0, overwrite_x=True)
            _spread(rows, begin // thin, _weights_in_time(thin), moved[:, place : place + gains.shape[1]])
            place += gains.shape[1]
        yield moved
        start += len(moved)


def _spread(
    rows: Float[np.ndarray, "s places"],
    first: int,
    weights: Float[np.ndarray, "thin points"],
    out: Float[np.ndarray, "t places"],
) -> None:
    """Write samples from row `first` on, and interpolated ones between them, to `out`."""
    thin = len(weights)
    out[::thin] = rows[first : first + len(range(0, len(out), thin))]
    first -= POINTS_IN_TIME // 2 - 1
    for phase in range(1, thin):
        between = np.empty((len(range(phase, len(out), thin)), out.shape[1]), dtype=np.float32)
        weigh_rows(rows[first : first + len(between) + POINTS_IN_TIME - 1], weights[phase], between)
        out[phase::thin] = between


def _hop(coarse: int) -> int:
    """Return the number of valid samples of the transform of a block, or of half a block."""
    return (BLOCK // coarse - AHEAD - BEHIND) // 2


def _block(sound: Float[np.ndarray, " S"], start: int, length: int) -> Float[np.ndarray, " {length}"]:
    """Return samples from `start` on, padded with zeros."""
    block = np.zeros(length)
    part = sound[max(start, 0) : start + length]
    block[max(-start, 0) :][: len(part)] = part
    return block


def velocity_by_blocks(sound: Float[np.ndarray, " S"], n_channels: int, c0: float) -> Float[np.ndarray, "C n"]:
    """Return the velocity of every channel from a sound: float32 [n_channels, (S + 1) // 2] at 24 kHz.

    Args:
        sound: Sound at 48 kHz, [S].
        n_channels: Number of channels.
        c0: Stiffness at the base.
    """
    bank = filter_bank(n_channels, c0)
    stride = len(bank.weights)
    parts = []
    for moved in moved_blocks(sound, bank):
        lanes = np.empty((len(moved), stride * bank.n_rows), dtype=np.float32)
        interpolate(moved, 0, len(moved), bank.weights, bank.n_rows, lanes)
        channels = lanes.reshape(len(moved), stride, bank.n_rows).transpose(2, 1, 0)
        parts.append(channels.reshape(-1, len(moved))[:n_channels])
    return np.concatenate(parts, axis=1)
