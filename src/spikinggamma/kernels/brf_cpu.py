"""The balanced resonate-and-fire neuron over a sequence and its adjoint, compiled for the processor by numba.

The recursions are those of `functional.brf`, with each neuron's own growth 1 + δ (p(ω) - b') and rotation δ ω, and with
recurrent weights if there are any. A job is one sample's neurons through all of time, since recurrence is among these; what
it needs at a step lies side by side. What is kept for the way back is the state after every step, or room for one where
nobody wants a gradient. With error signals of real part, imaginary part and refractoriness (a, c, k) after a step,

    e = b_s + k + Rᵀ ∂ℓ/∂u(t+1),    x = ψ e,    a ← a + x        b_s: error signal of the spikes, ψ: the surrogate's slope
    ∂ℓ/∂u(t) = δ g a,    d = a Re z + c Im z,    ∂ℓ/∂growth = Σ d,    ∂ℓ/∂rotation = Σ c Re z - a Im z
    k ← γ k - x - δ κ d,    (a, c) ← (D a + δ ω c, D c - δ ω a),    D = growth - δ κ q        all of the state before
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import wide_vectors
from spikinggamma.kernels.rows import add_heard, add_told, copy, settled

__all__ = ["brf_adjoint", "brf_forward"]

TINY = 1e-20  # silent state decays into subnormal numbers, which are slow; to be used as the element type


@compiled
def brf_forward(
    share,
    shares,
    drive,
    growth,
    rotation,
    damp,
    decay,
    gain,
    threshold,
    heard_weight,
    said,
    real,
    imaginary,
    refractoriness,
    spikes,
    kept,
):
    """Drive to `spikes` [T,B,N] and, as many steps as it has room for, the state to `kept` [T,3,B,N]; state [B,N] in place.

    `heard_weight` is Rᵀ [N,N], or [0,N] without recurrence; `said` [B,N] are the spikes of the step before.
    """
    steps, batch, size = drive.shape
    tiny = drive.dtype.type(TINY)
    one = drive.dtype.type(1)
    zero = drive.dtype.type(0)
    wide_vectors()
    for b in range(share, batch, shares):
        u = real[b].copy()
        v = imaginary[b].copy()
        q = refractoriness[b].copy()
        last = said[b].copy()
        heard = np.empty_like(u)
        for t in range(steps):
            copy(drive[t, b], heard)
            add_heard(heard_weight, last, heard)
            room = min(t, kept.shape[0] - 1)
            out = spikes[t, b]
            kept_u = kept[room, 0, b]
            kept_v = kept[room, 1, b]
            kept_q = kept[room, 2, b]
            for i in range(size):
                grown = growth[i] - damp * q[i]
                new_u = settled(grown * u[i] - rotation[i] * v[i] + gain * heard[i], tiny)
                new_v = settled(rotation[i] * u[i] + grown * v[i], tiny)
                spike = one if new_u - q[i] - threshold >= zero else zero
                new_q = settled(decay * q[i] + spike, tiny)
                u[i] = new_u
                v[i] = new_v
                q[i] = new_q
                last[i] = spike
                out[i] = spike
                kept_u[i] = new_u
                kept_v[i] = new_v
                kept_q[i] = new_q
        copy(u, real[b])
        copy(v, imaginary[b])
        copy(q, refractoriness[b])


@compiled
def brf_adjoint(
    share,
    shares,
    grad,
    slope,
    kept,
    start,
    growth,
    rotation,
    damp,
    decay,
    gain,
    weight,
    said,
    real,
    imaginary,
    refractoriness,
    on_growth,
    on_rotation,
    result,
):
    """Error signals of spikes and their slopes [T,B,N] to `result`, that of the drive, recurrent part included.

    `start` [3,B,N] is the state before the first step, `weight` R; error signals of the state after the last step [B,N], and
    zeros in `said`, become those of the state and the spikes before the first; `on_growth` and `on_rotation` [B,N] are written.
    """
    steps, batch, size = grad.shape
    tiny = grad.dtype.type(TINY)
    wide_vectors()
    for b in range(share, batch, shares):
        a = real[b].copy()
        c = imaginary[b].copy()
        k = refractoriness[b].copy()
        told = said[b].copy()
        growth_sum = np.zeros_like(a)
        rotation_sum = np.zeros_like(a)
        for t in range(steps - 1, -1, -1):
            out = result[t, b]
            bump = slope[t, b]
            asked = grad[t, b]
            before = kept[t - 1] if t > 0 else start
            u = before[0, b]
            v = before[1, b]
            q = before[2, b]
            for i in range(size):
                on_x = bump[i] * (asked[i] + told[i] + k[i])
                on_u = a[i] + on_x
                on_v = c[i]
                on_grown = on_u * u[i] + on_v * v[i]
                grown = growth[i] - damp * q[i]
                growth_sum[i] += on_grown
                rotation_sum[i] += on_v * u[i] - on_u * v[i]
                k[i] = settled(decay * k[i] - on_x - damp * on_grown, tiny)
                a[i] = settled(grown * on_u + rotation[i] * on_v, tiny)
                c[i] = settled(grown * on_v - rotation[i] * on_u, tiny)
                out[i] = gain * on_u
            add_told(weight, out, told)
        copy(a, real[b])
        copy(c, imaginary[b])
        copy(k, refractoriness[b])
        copy(told, said[b])
        copy(growth_sum, on_growth[b])
        copy(rotation_sum, on_rotation[b])
