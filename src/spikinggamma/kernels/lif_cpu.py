"""Leaky integrate-and-fire neurons over a sequence and their adjoints, compiled for the processor by numba.

All neurons of a population share their time constants and threshold, so a neuron of a sample is just a cell: a signal
[T, B, N] is [T, B N] here, and a state [B, N] is [B N]. A job runs through time once for a block of cells whose state
stays in the nearest cache. The recursions are those of `functional.lif` and `functional.adaptive_lif`. The techniques
that make the inner loops fast are those of `cpu`: negligible values become zero, constants have the element type of the
arrays, and inner loops run to the length of an array.

The forward pass keeps x(t) = v⁻(t) - threshold for the backward pass, which determines the slope of a surrogate. An
array with fewer steps than the signal keeps only as many, overwriting the last one, so a caller who needs no gradient
passes a single step. In the backward pass b is the error signal of v⁻, m the one carried on v, and k the one carried on
i:

    g(t) = b(t) + m,    ∂ℓ/∂u(t) = c(t) = (1 - β) g(t) + k,    m ← β g(t),    k ← e^{-dt/τ_s} c(t)

This serves a leaky integrator, and a LIF neuron with b equal to the error signal of its spikes times the slope of the
surrogate, since the reset passes no gradient. These functions neither check nor allocate results.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import prefetch, wide_vectors
from spikinggamma.kernels.rows import copy, settled

__all__ = ["adaptive_lif_adjoint", "adaptive_lif_forward", "leaky_adjoint", "leaky_forward", "lif_forward"]

BLOCK = 1024  # cells per job
AHEAD = 2  # steps
TINY = 1e-20  # silent state decays into subnormal numbers, which are slow; to be used as the element type


@compiled
def leaky_forward(share, shares, drive, synapse, beta, current, membrane, membranes):
    """Write v⁻(t) without spikes to `membranes` [T, C] for a drive; the state [C] changes in place."""
    steps, cells = drive.shape
    tiny = drive.dtype.type(TINY)
    wide_vectors()
    gap = drive.dtype.type(1) - beta
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        late_current = current[here].copy()
        late_membrane = membrane[here].copy()
        for t in range(steps):
            u = drive[t, here]
            out = membranes[t, here]
            if t + AHEAD < steps:
                prefetch(drive[t + AHEAD, here])
                prefetch(membranes[t + AHEAD, here])
            for i in range(u.size):
                i_now = settled(synapse * late_current[i] + u[i], tiny)
                v = settled(late_membrane[i] + gap * (i_now - late_membrane[i]), tiny)
                late_current[i] = i_now
                late_membrane[i] = v
                out[i] = v
        copy(late_current, current[here])
        copy(late_membrane, membrane[here])


@compiled
def lif_forward(share, shares, drive, synapse, beta, threshold, current, membrane, spikes, excess):
    """Write `spikes` [T, C] for a drive and, for as many steps as fit, x(t) to `excess`; state [C] in place."""
    steps, cells = drive.shape
    tiny = drive.dtype.type(TINY)
    wide_vectors()
    one = drive.dtype.type(1)
    zero = drive.dtype.type(0)
    gap = one - beta
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        late_current = current[here].copy()
        late_membrane = membrane[here].copy()
        for t in range(steps):
            u = drive[t, here]
            out = spikes[t, here]
            over = excess[min(t, excess.shape[0] - 1), here]
            if t + AHEAD < steps:
                prefetch(drive[t + AHEAD, here])
                prefetch(spikes[t + AHEAD, here])
                prefetch(excess[min(t + AHEAD, excess.shape[0] - 1), here])
            for i in range(u.size):
                i_now = settled(synapse * late_current[i] + u[i], tiny)
                v = settled(late_membrane[i] + gap * (i_now - late_membrane[i]), tiny)
                x = v - threshold
                spike = one if x >= zero else zero
                late_current[i] = i_now
                late_membrane[i] = v - threshold * spike
                out[i] = spike
                over[i] = x
        copy(late_current, current[here])
        copy(late_membrane, membrane[here])


@compiled
def adaptive_lif_forward(
    share, shares, drive, synapse, beta, threshold, strength, decay, current, membrane, adaptation, spikes, excess
):
    """Run as `lif_forward`, with a threshold raised by `strength` = β_a times a(t); `decay` is ρ."""
    steps, cells = drive.shape
    tiny = drive.dtype.type(TINY)
    wide_vectors()
    one = drive.dtype.type(1)
    zero = drive.dtype.type(0)
    gap = one - beta
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        late_current = current[here].copy()
        late_membrane = membrane[here].copy()
        rise = adaptation[here].copy()
        for t in range(steps):
            u = drive[t, here]
            out = spikes[t, here]
            over = excess[min(t, excess.shape[0] - 1), here]
            if t + AHEAD < steps:
                prefetch(drive[t + AHEAD, here])
                prefetch(spikes[t + AHEAD, here])
                prefetch(excess[min(t + AHEAD, excess.shape[0] - 1), here])
            for i in range(u.size):
                i_now = settled(synapse * late_current[i] + u[i], tiny)
                v = settled(late_membrane[i] + gap * (i_now - late_membrane[i]), tiny)
                x = v - (threshold + strength * rise[i])
                spike = one if x >= zero else zero
                late_current[i] = i_now
                late_membrane[i] = v - threshold * spike
                rise[i] = settled(decay * rise[i] + spike, tiny)
                out[i] = spike
                over[i] = x
        copy(late_current, current[here])
        copy(late_membrane, membrane[here])
        copy(rise, adaptation[here])


@compiled
def leaky_adjoint(share, shares, grad, synapse, beta, current, membrane, result):
    """Write the error signal of the drive to `result`, from that of v⁻ [T, C]; that of the state [C] in place."""
    steps, cells = grad.shape
    tiny = grad.dtype.type(TINY)
    wide_vectors()
    gap = grad.dtype.type(1) - beta
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        k = current[here].copy()
        m = membrane[here].copy()
        for t in range(steps - 1, -1, -1):
            b = grad[t, here]
            out = result[t, here]
            if t >= AHEAD:
                prefetch(grad[t - AHEAD, here])
                prefetch(result[t - AHEAD, here])
            for i in range(b.size):
                g = b[i] + m[i]
                c = gap * g + k[i]
                m[i] = settled(beta * g, tiny)
                k[i] = settled(synapse * c, tiny)
                out[i] = c
        copy(k, current[here])
        copy(m, membrane[here])


@compiled
def adaptive_lif_adjoint(
    share, shares, grad, slope, synapse, beta, strength, decay, current, membrane, adaptation, result
):
    """Write the error signal of the drive to `result`, from that of the spikes and their slopes [T, C].

    A spike receives gradient from the trace a that it raises, and a from the thresholds that it raises, by the slopes.
    The error signal of the state changes in place, as in `leaky_adjoint`.
    """
    steps, cells = grad.shape
    tiny = grad.dtype.type(TINY)
    wide_vectors()
    gap = grad.dtype.type(1) - beta
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        k = current[here].copy()
        m = membrane[here].copy()
        r = adaptation[here].copy()
        for t in range(steps - 1, -1, -1):
            b = grad[t, here]
            bump = slope[t, here]
            out = result[t, here]
            if t >= AHEAD:
                prefetch(grad[t - AHEAD, here])
                prefetch(slope[t - AHEAD, here])
                prefetch(result[t - AHEAD, here])
            for i in range(b.size):
                on_x = bump[i] * (b[i] + r[i])
                g = on_x + m[i]
                c = gap * g + k[i]
                m[i] = settled(beta * g, tiny)
                k[i] = settled(synapse * c, tiny)
                r[i] = settled(decay * r[i] - strength * on_x, tiny)
                out[i] = c
        copy(k, current[here])
        copy(m, membrane[here])
        copy(r, adaptation[here])
