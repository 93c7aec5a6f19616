"""Adaptive LIF neurons over a sequence and their adjoint, compiled for the processor by numba; each neuron has its own factors.

One recursion serves both forms, `functional.adlif` and `functional.se_adlif`:

    û = α v + (1 - α) (u - w),    s = H(û - ϑ),    r = û (1 - e s),    v ← r - d s,    w ← β w + p r + j s

A spike erases the share e of the membrane, which passes no gradient, and takes d from it, which does: e = 1 and d = 0 for
the symplectic form, e = 0 and d = ϑ for the other. Jobs, recurrence and what is kept (û and w of every step) are as in
`brf_cpu`. With error signals of v and w (m, k) after a step,

    x = ψ (b_s + Rᵀ ∂ℓ/∂u(t+1) + j k - d m),    f = m + p k,    h = f (1 - e s) + x        h: error signal of û
    ∂ℓ/∂u(t) = (1 - α) h,    ∂ℓ/∂α = Σ h (v - û) / (1 - α),    ∂ℓ/∂β = Σ k w,    ∂ℓ/∂p = Σ k r,    ∂ℓ/∂j = Σ k s
    m ← α h,    k ← β k - (1 - α) h                                                        v and w of the state before
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import wide_vectors
from spikinggamma.kernels.rows import add_heard, add_told, copy, settled

__all__ = ["adlif_adjoint", "adlif_forward"]

TINY = 1e-20  # silent state decays into subnormal numbers, which are slow; to be used as the element type


@compiled
def adlif_forward(
    share,
    shares,
    drive,
    alpha,
    beta,
    pull,
    jump,
    threshold,
    erased,
    dropped,
    heard_weight,
    said,
    membrane,
    adaptation,
    spikes,
    kept,
):
    """Drive to `spikes` [T,B,N] and, as many steps as it has room for, û and w to `kept` [T,2,B,N]; state [B,N] in place.

    `heard_weight` is Rᵀ [N,N], or [0,N] without recurrence; `said` [B,N] are the spikes of the step before.
    """
    steps, batch, size = drive.shape
    tiny = drive.dtype.type(TINY)
    one = drive.dtype.type(1)
    zero = drive.dtype.type(0)
    wide_vectors()
    for b in range(share, batch, shares):
        v = membrane[b].copy()
        w = adaptation[b].copy()
        last = said[b].copy()
        heard = np.empty_like(v)
        for t in range(steps):
            copy(drive[t, b], heard)
            add_heard(heard_weight, last, heard)
            room = min(t, kept.shape[0] - 1)
            out = spikes[t, b]
            kept_u = kept[room, 0, b]
            kept_w = kept[room, 1, b]
            for i in range(size):
                u = settled(alpha[i] * v[i] + (one - alpha[i]) * (heard[i] - w[i]), tiny)
                spike = one if u - threshold >= zero else zero
                rest = u * (one - erased * spike)
                new_w = settled(beta[i] * w[i] + pull[i] * rest + jump[i] * spike, tiny)
                v[i] = rest - dropped * spike
                w[i] = new_w
                last[i] = spike
                out[i] = spike
                kept_u[i] = u
                kept_w[i] = new_w
        copy(v, membrane[b])
        copy(w, adaptation[b])


@compiled
def adlif_adjoint(
    share,
    shares,
    grad,
    slope,
    spikes,
    kept,
    start,
    alpha,
    beta,
    pull,
    jump,
    erased,
    dropped,
    weight,
    said,
    membrane,
    adaptation,
    sums,
    result,
):
    """Error signals of spikes and their slopes [T,B,N] to `result`, that of the drive, recurrent part included.

    `start` [2,B,N] is the state before the first step, `weight` R; error signals of the state after the last step [B,N], and
    zeros in `said`, become those of the state and the spikes before the first; `sums` [4,B,N], of the factors, is written.
    """
    steps, batch, size = grad.shape
    tiny = grad.dtype.type(TINY)
    one = grad.dtype.type(1)
    wide_vectors()
    for b in range(share, batch, shares):
        m = membrane[b].copy()
        k = adaptation[b].copy()
        told = said[b].copy()
        on_alpha = np.zeros_like(m)
        on_beta = np.zeros_like(m)
        on_pull = np.zeros_like(m)
        on_jump = np.zeros_like(m)
        v = np.empty_like(m)
        for t in range(steps - 1, -1, -1):
            out = result[t, b]
            bump = slope[t, b]
            asked = grad[t, b]
            spoke = spikes[t, b]
            u = kept[t, 0, b]
            if t > 0:
                before = kept[t - 1, 0, b]
                spoke_before = spikes[t - 1, b]
                for i in range(size):
                    v[i] = before[i] * (one - erased * spoke_before[i]) - dropped * spoke_before[i]
            else:
                copy(start[0, b], v)
            w = kept[t - 1, 1, b] if t > 0 else start[1, b]
            for i in range(size):
                left = one - erased * spoke[i]
                on_x = bump[i] * (asked[i] + told[i] + jump[i] * k[i] - dropped * m[i])
                on_u = (m[i] + pull[i] * k[i]) * left + on_x
                rest = one - alpha[i]
                on_alpha[i] += on_u * (v[i] - u[i]) / rest
                on_beta[i] += k[i] * w[i]
                on_pull[i] += k[i] * u[i] * left
                on_jump[i] += k[i] * spoke[i]
                m[i] = settled(alpha[i] * on_u, tiny)
                k[i] = settled(beta[i] * k[i] - rest * on_u, tiny)
                out[i] = rest * on_u
            add_told(weight, out, told)
        copy(m, membrane[b])
        copy(k, adaptation[b])
        copy(told, said[b])
        copy(on_alpha, sums[0, b])
        copy(on_beta, sums[1, b])
        copy(on_pull, sums[2, b])
        copy(on_jump, sums[3, b])
