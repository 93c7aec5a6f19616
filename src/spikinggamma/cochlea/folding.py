"""The compiled loops of the filter bank: before and after the inverse Fourier transform of some places.

The real part of a complex inverse transform is a real one of half the work:

    Re(ifft(V)) = irfft(F),   F[k] = (V[k] + conj(V[n - k])) / 2,   V[n] = V[0]

as the real part of a signal has the Hermitian part of its spectrum. Places that move slowly are transformed at an n-th of the
rate and brought to the full one by interpolation in time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["POINTS_IN_TIME", "fold_product", "write_rows"]

POINTS_IN_TIME = 12


@njit(cache=True, nogil=True, fastmath=True)
def fold_product(gains, spectrum, out):  # type: ignore[no-untyped-def]
    """Write F of V = gains * spectrum into `out`, with gains that are halved already and end where no place answers.

    Shapes:
        gains complex64 [bins, places]; spectrum complex64 [n], n even; out complex64 [m, places], m at most n // 2 + 1.
    """
    n, n_places = len(spectrum), gains.shape[1]
    low = min(len(gains), len(out))
    for k in range(low):
        sound = spectrum[k]
        for p in range(n_places):
            out[k, p] = gains[k, p] * sound
    out[low:] = 0.0
    for k in range(n // 2, len(gains)):
        sound = spectrum[k]
        for p in range(n_places):
            out[n - k, p] += np.conj(gains[k, p] * sound)
    for p in range(n_places):
        out[0, p] = complex(np.float32(2.0) * out[0, p].real, np.float32(0.0))


@njit(cache=True, nogil=True, fastmath={"contract"})
def write_rows(rows, begin, weights, out, first):  # type: ignore[no-untyped-def]
    """Write samples of some places, from sample `begin` on, into columns `first` and on of `out`; `thin` divides `begin`.

    Shapes:
        rows float32 [samples // thin, places]; weights float32 [thin, POINTS_IN_TIME], of the neighbours at each phase between
        two samples; out float32 [samples, all places].
    """
    thin, n_places = len(weights), rows.shape[1]
    start = begin // thin
    for phase in range(thin):
        w0, w1, w2, w3 = weights[phase, 0], weights[phase, 1], weights[phase, 2], weights[phase, 3]
        w4, w5, w6, w7 = weights[phase, 4], weights[phase, 5], weights[phase, 6], weights[phase, 7]
        w8, w9, w10, w11 = weights[phase, 8], weights[phase, 9], weights[phase, 10], weights[phase, 11]
        for t in range(phase, len(out), thin):
            i = start + t // thin - (POINTS_IN_TIME // 2 - 1)
            target = out[t, first : first + n_places]
            for p in range(n_places):
                near = w0 * rows[i, p] + w1 * rows[i + 1, p] + w2 * rows[i + 2, p] + w3 * rows[i + 3, p]
                near += w4 * rows[i + 4, p] + w5 * rows[i + 5, p] + w6 * rows[i + 6, p] + w7 * rows[i + 7, p]
                near += w8 * rows[i + 8, p] + w9 * rows[i + 9, p] + w10 * rows[i + 10, p] + w11 * rows[i + 11, p]
                target[p] = near
