"""Leaky integrate-and-fire neurons over a sequence and their adjoints, compiled for the processor by numba.

All neurons of a population share their time constants and threshold, so a sample's neuron is just a cell: a signal
[T, B, N] arrives here as [T, B N], and a state [B, N] as [B N]. A job walks time once for a block of cells whose state
stays in the nearest cache. The recursions are those of `functional.lif` and `functional.adaptive_lif`; the habits that
make the inner loops fast are told in `cpu`, and shared: what is too small to matter becomes zero, constants have the
arrays' own type, inner loops count to the length of an array.

Forward, what is kept for the way back is x(t) = v⁻(t) - threshold, of which a surrogate's slope is a function. An array
of fewer steps than the signal keeps no more than fit, the last over and over: a single step is room enough for a caller
who wants no gradient. Backwards, with the blame b on v⁻, the blame carried on v is m, and that on i is k:

    g(t) = b(t) + m,    ∂ℓ/∂u(t) = c(t) = (1 - β) g(t) + k,    m ← β g(t),    k ← e^{-dt/τ_s} c(t)

The same serves a leaky integrator and a LIF, whose b is the blame on its spikes times the surrogate's slope: the reset
passes none on. These functions neither check nor allocate results.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import prefetch, wide_vectors
from spikinggamma.kernels.rows import copy, settled

__all__ = ["adaptive_lif_adjoint", "adaptive_lif_forward", "leaky_adjoint", "leaky_forward", "lif_forward"]

BLOCK = 1024  # cells a job
AHEAD = 2  # steps
TINY = 1e-20  # silent state decays into subnormal numbers, which are slow; to be used as the element type


@compiled
def leaky_forward(share, shares, drive, synapse, beta, current, membrane, membranes):
    """i(t) and v⁻(t) without a spike: drive to `membranes`, [T,C]; state [C] in place."""
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
    """Drive to `spikes` [T,C] and, as many steps as it has room for, to `excess` x(t); state [C] in place."""
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
    """As `lif_forward`, with a threshold that `strength` = β_a times a(t) raises; `decay` is ρ."""
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
    """Blame on v⁻ [T,C] to `result`, that on the drive; blame on the state [C], after to before, in place."""
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
    """Blame on spikes and their slopes [T,C] to `result`, that on the drive; blame on the state as in `leaky_adjoint`.

    A spike is to blame for the a that it raises, and by its slope for the threshold that a raised.
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
