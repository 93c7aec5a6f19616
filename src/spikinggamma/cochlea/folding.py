"""The compiled loops of the filter bank, before and after the inverse Fourier transform of some places.

The real part of a complex inverse transform is a real inverse transform with half the work:

    Re(ifft(V)) = irfft(F),   F[k] = (V[k] + conj(V[n - k])) / 2,   V[n] = V[0]

because the real part of a signal has the Hermitian part of its spectrum. Places that move slowly are transformed at a
fraction of the rate and interpolated in time to the full rate.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["POINTS_IN_TIME", "fold_product", "weigh_rows"]

POINTS_IN_TIME = 12


@njit(cache=True, nogil=True, fastmath=True)
def fold_product(gains, coarse, spectrum, out):  # type: ignore[no-untyped-def]
    """Write F of V = gains * spectrum to `out`; the gains are halved already and end where no place responds.

    Args:
        gains: complex64 [bins, places]; every `coarse`-th bin is one of the spectrum.
        coarse: Number of bins of the gains per bin of the spectrum.
        spectrum: complex64 [n], with n even.
        out: complex64 [m, places], with m at most n // 2 + 1.
    """
    n, n_places = len(spectrum), gains.shape[1]
    width = (len(gains) - 1) // coarse + 1
    low = min(width, len(out))
    for k in range(low):
        sound = spectrum[k]
        for p in range(n_places):
            out[k, p] = gains[k * coarse, p] * sound
    out[low:] = 0.0
    for k in range(n // 2, width):
        sound = spectrum[k]
        for p in range(n_places):
            out[n - k, p] += np.conj(gains[k * coarse, p] * sound)
    for p in range(n_places):
        out[0, p] = complex(np.float32(2.0) * out[0, p].real, np.float32(0.0))


@njit(cache=True, nogil=True, fastmath={"contract"})
def weigh_rows(rows, w, out):  # type: ignore[no-untyped-def]
    """Write sums of `POINTS_IN_TIME` successive rows, weighted by `w`, to `out`.

    Args:
        rows: float32 [n + POINTS_IN_TIME - 1, places].
        w: float32 [POINTS_IN_TIME].
        out: float32 [n, places].
    """
    n_places, flat, sums = (
        rows.shape[1],
        rows.ravel(),
        out.ravel(),
    )  # flat arrays, so that one loop covers any number of places
    r1, r2, r3, r4 = flat[n_places:], flat[2 * n_places :], flat[3 * n_places :], flat[4 * n_places :]
    r5, r6, r7, r8 = flat[5 * n_places :], flat[6 * n_places :], flat[7 * n_places :], flat[8 * n_places :]
    r9, r10, r11 = flat[9 * n_places :], flat[10 * n_places :], flat[11 * n_places :]
    w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11 = (
        w[0],
        w[1],
        w[2],
        w[3],
        w[4],
        w[5],
        w[6],
        w[7],
        w[8],
        w[9],
        w[10],
        w[11],
    )
    for x in range(len(sums)):
        near = w0 * flat[x] + w1 * r1[x] + w2 * r2[x] + w3 * r3[x]
        near += w4 * r4[x] + w5 * r5[x] + w6 * r6[x] + w7 * r7[x]
        sums[x] = near + (w8 * r8[x] + w9 * r9[x] + w10 * r10[x] + w11 * r11[x])
