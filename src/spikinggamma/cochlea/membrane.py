"""The basilar membrane, which maps a sound to the velocity of each place of the cochlea.

A sound drives a travelling wave along the membrane. Each place is a resonator, stiffest at the base (position 0, high
tones) and softest at the apex (3.5 cm, low tones). The wave equation has a closed-form approximate solution, so each
place is one transfer function `v(ω, c)` from sound to velocity.

Source: Sieroka, Dosch, Rupp (2006), "Semirealistic models of the cochlea", J. Acoust. Soc. Am. 120, 297; parameters and
sampling of Cramer, Stradmann, Schemmel, Zenke (2020), arXiv 1910.07407.

Caveat: the transfer function is written for waves `exp(-iωt)`, but the inverse Fourier transform composes `exp(+iωt)`,
so places respond *before* the sound reaches them, by less than 1 ms at the base and tens of ms at the apex. The
published spike trains have this reversal (with it these spikes coincide with them at lag zero, without it at no lag),
so it is kept.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float
from scipy.special import hankel1, j0, j1, y0, y1

__all__ = ["LENGTH_CM", "RATE_HZ", "positions_cm", "transfer", "velocity"]

RATE_HZ = 48_000  # sampling rate of the sound; the membrane is sampled at half of it

LENGTH_CM = 3.5
_STIFFNESS_OFFSET, _ALPHA, _RHO = 3500.0, 3.0, 1.0
_DAMPING, _HEIGHT, _MASS = 0.15, 0.1, 0.05


def positions_cm(n_channels: int) -> Float[np.ndarray, " C"]:
    """Return the positions of the channels in cm, from the base (high tones) on: float64 [C]."""
    return np.linspace(0.0, LENGTH_CM, n_channels)


def transfer(
    omega: Float[np.ndarray, " W"], position_cm: Float[np.ndarray, " C"], *, c0: float
) -> Complex[np.ndarray, "C W"]:
    """Return the membrane velocity for a unit tone, `v(ω, c) = (2ω/ξ) p(ω, c)/p(ω, 0) Z(ω)`.

    Args:
        omega: Angular frequencies in rad/s, above 0, [W].
        position_cm: Positions in cm, [C].
        c0: Stiffness at the base.

    Returns:
        Velocities, complex128 [C, W].
    """
    w = np.asarray(omega, dtype=np.float64)[None, :]
    c = np.asarray(position_cm, dtype=np.float64)[:, None]
    r0 = _DAMPING * np.sqrt(c0 * _MASS)
    base = np.zeros((1, 1))
    z = np.sqrt(2.0 * c0 / _HEIGHT)
    zeta = 2.0 * w / _ALPHA * np.sqrt(2.0 / (_HEIGHT * c0))
    impedance = z * (1j * j0(zeta) + y0(zeta)) / (j1(zeta) - 1j * y1(zeta))
    pressure = _pressure(w, c, c0, r0) / _pressure(w, base, c0, r0)
    return np.asarray(2.0 * w / _stiffness(w, c, c0, r0) * pressure * impedance)


def _stiffness(
    w: Float[np.ndarray, "1 W"], c: Float[np.ndarray, "C 1"], c0: float, r0: float
) -> Complex[np.ndarray, "C W"]:
    spring = c0 * np.exp(-_ALPHA * c) - _STIFFNESS_OFFSET
    return np.asarray(spring - _MASS * w**2 - 1j * w * r0 * np.exp(-_ALPHA * c / 2.0))


def _pressure(
    w: Float[np.ndarray, "1 W"], c: Float[np.ndarray, "C 1"], c0: float, r0: float
) -> Complex[np.ndarray, "C W"]:
    wave_number = w * np.sqrt(_RHO / (_HEIGHT * _stiffness(w, c, c0, r0)))
    phase = _phase(w, c, c0, r0)
    return np.asarray(np.sqrt(phase / wave_number) * hankel1(0, phase))


def _phase(
    w: Float[np.ndarray, "1 W"], c: Float[np.ndarray, "C 1"], c0: float, r0: float
) -> Complex[np.ndarray, "C W"]:
    """Return `G(ω, c)`: the wave number at the base over α, plus its integral up to place c."""
    a, m, h = _STIFFNESS_OFFSET, _MASS, _HEIGHT
    root = np.sqrt(a + m * w**2)
    decay = np.exp(-_ALPHA * c / 2.0)
    at_base = (
        -_ALPHA * np.sqrt(c0 - a - w * (m * w + 1j * r0)) + 0.5j * _ALPHA * (2 * a + w * (2 * m * w + 1j * r0)) / root
    )
    inner = np.sqrt(c0 * decay**2 - a - m * w**2 - 1j * decay * w * r0)
    at_place = 0.5 * _ALPHA / decay * (-2.0 * inner + 1j * (2 * a + w * (2 * m * w + 1j * decay * r0)) / root)
    wave_number = w * np.sqrt(_RHO / (h * _stiffness(w, np.zeros((1, 1)), c0, r0)))
    scale = 2j * np.sqrt(2.0) * w / (_ALPHA * np.sqrt(2.0 * h * (m * w**2 + a)))
    return np.asarray(2.0 * wave_number / _ALPHA - scale * np.log(at_base / at_place))


def velocity(
    sound: Float[np.ndarray, " S"], position_cm: Float[np.ndarray, " C"], *, c0: float
) -> Float[np.ndarray, "C n"]:
    """Return the membrane velocity exactly as published, by one Fourier transform of the whole sound.

    This is the specification with which the filter bank is tested. It is slow, as it evaluates `transfer` at every bin.

    Args:
        sound: Sound at 48 kHz, [S].
        position_cm: Positions in cm, [C].
        c0: Stiffness at the base.

    Returns:
        Velocities, float64 [C, S // 2 + 1], sampled at 24 kHz.
    """
    bins = len(sound) // 2 + 1
    omega = 2.0 * np.pi * np.linspace(1.0, RATE_HZ / 2.0, bins)
    spectrum = np.fft.fft(sound)[:bins]
    return np.asarray(np.fft.ifft(transfer(omega, position_cm, c0=c0) * spectrum).real)
