"""SLAYER's neuron over a sequence and the adjoint of its alpha functions, compiled for the processor by numba.

The recursions are those of `functional.srm_alpha`, with d = e^{-dt/τ} and the gain e dt/τ. Cells, blocks and the values
kept for the backward pass, x(t) = m(t) - threshold, are as in `lif_cpu`. In the backward pass b is the error signal of
a(t), and p and a are those carried on the trace p and on the value a:

    ∂ℓ/∂u(t) = p,    g(t) = b(t) + a,    p ← d p + d (e dt/τ) g(t),    a ← d g(t)

A spike passes no gradient to the refractory response that it causes, so the adjoint of the synapse gives the whole
gradient of the drive. The same function gives that of the initial refractory response.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import prefetch, wide_vectors
from spikinggamma.kernels.rows import copy, settled

__all__ = ["alpha_adjoint", "srm_alpha_forward"]

BLOCK = 1024  # cells per job
AHEAD = 2  # steps
TINY = 1e-20  # silent state decays into subnormal numbers, which are slow; to be used as the element type


@compiled
def srm_alpha_forward(
    share,
    shares,
    drive,
    decay,
    gain,
    refractory_decay,
    refractory_gain,
    depth,
    threshold,
    synapse_trace,
    synapse,
    refractory_trace,
    refractory,
    spikes,
    excess,
):
    """Write `spikes` [T, C] for a drive and, for as many steps as fit, x(t) to `excess`; state [C] in place.

    `depth` is c_r times the threshold.
    """
    steps, cells = drive.shape
    tiny = drive.dtype.type(TINY)
    wide_vectors()
    one = drive.dtype.type(1)
    zero = drive.dtype.type(0)
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        p = synapse_trace[here].copy()
        a = synapse[here].copy()
        q = refractory_trace[here].copy()
        r = refractory[here].copy()
        for t in range(steps):
            u = drive[t, here]
            out = spikes[t, here]
            over = excess[min(t, excess.shape[0] - 1), here]
            if t + AHEAD < steps:
                prefetch(drive[t + AHEAD, here])
                prefetch(spikes[t + AHEAD, here])
                prefetch(excess[min(t + AHEAD, excess.shape[0] - 1), here])
            for i in range(u.size):
                answer = settled(decay * (a[i] + gain * p[i]), tiny)
                held = settled(refractory_decay * (r[i] + refractory_gain * q[i]), tiny)
                x = (answer - depth * held) - threshold
                spike = one if x >= zero else zero
                a[i] = answer
                r[i] = held
                p[i] = settled(decay * p[i] + u[i], tiny)
                q[i] = settled(refractory_decay * q[i] + spike, tiny)
                out[i] = spike
                over[i] = x
        copy(p, synapse_trace[here])
        copy(a, synapse[here])
        copy(q, refractory_trace[here])
        copy(r, refractory[here])


@compiled
def alpha_adjoint(share, shares, grad, decay, gain, trace, value, result):
    """Write the error signal of u(t) to `result`, from that of a(t) [T, C]; that of the state changes in place."""
    steps, cells = grad.shape
    tiny = grad.dtype.type(TINY)
    wide_vectors()
    pull = decay * gain
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        p = trace[here].copy()
        a = value[here].copy()
        for t in range(steps - 1, -1, -1):
            b = grad[t, here]
            out = result[t, here]
            if t >= AHEAD:
                prefetch(grad[t - AHEAD, here])
                prefetch(result[t - AHEAD, here])
            for i in range(b.size):
                g = b[i] + a[i]
                out[i] = p[i]
                p[i] = settled(decay * p[i] + pull * g, tiny)
                a[i] = settled(decay * g, tiny)
        copy(p, trace[here])
        copy(a, value[here])
