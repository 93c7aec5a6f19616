"""The real part of a complex inverse Fourier transform, at half the work.

    Re(ifft(V)) = irfft(F),   F[k] = (V[k] + conj(V[n - k])) / 2,   V[n] = V[0]

as the real part of a signal has the Hermitian part of its spectrum.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["fold_product"]


@njit(cache=True, nogil=True, fastmath=True)
def fold_product(bank, spectrum, out):  # type: ignore[no-untyped-def]
    """Write F of V = bank * spectrum into `out`.

    Shapes:
        bank complex64 [C, n]; spectrum complex64 [n], n even; out complex64 [C, n // 2 + 1].
    """
    n = spectrum.shape[0]
    half = np.float32(0.5)
    for c in range(bank.shape[0]):
        out[c, 0] = (bank[c, 0] * spectrum[0]).real
        for k in range(1, n // 2 + 1):
            up = bank[c, k] * spectrum[k]
            down = bank[c, n - k] * spectrum[n - k]
            out[c, k] = complex(half * (up.real + down.real), half * (up.imag - down.imag))
