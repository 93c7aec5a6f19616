"""LIF neurons with recurrent weights over a sequence and their adjoint, compiled for the processor by numba.

The recursions are those of `functional.recurrent_lif`, and of `functional.adaptive_lif` with recurrent weights: with a
`strength` β_a of zero the threshold does not adapt. Jobs and recurrence are as in `brf_cpu`, and x(t) = v⁻(t) - threshold is
kept. The adjoint is that of `lif_cpu` with the error signal that recurrence passes to the spikes of the step before.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import wide_vectors
from spikinggamma.kernels.rows import add_heard, add_told, copy, settled

__all__ = ["recurrent_lif_adjoint", "recurrent_lif_forward"]

TINY = 1e-20  # silent state decays into subnormal numbers, which are slow; to be used as the element type


@compiled
def recurrent_lif_forward(
    share,
    shares,
    drive,
    synapse,
    beta,
    threshold,
    strength,
    decay,
    heard_weight,
    said,
    current,
    membrane,
    adaptation,
    spikes,
    excess,
):
    """Drive to `spikes` [T,B,N] and, as many steps as it has room for, to `excess` x(t); state [B,N] in place.

    `heard_weight` is Rᵀ [N,N]; `said` [B,N] are the spikes of the step before; `decay` is ρ.
    """
    steps, batch, size = drive.shape
    tiny = drive.dtype.type(TINY)
    one = drive.dtype.type(1)
    zero = drive.dtype.type(0)
    gap = one - beta
    wide_vectors()
    for b in range(share, batch, shares):
        late_current = current[b].copy()
        late_membrane = membrane[b].copy()
        rise = adaptation[b].copy()
        last = said[b].copy()
        heard = np.empty_like(last)
        for t in range(steps):
            copy(drive[t, b], heard)
            add_heard(heard_weight, last, heard)
            out = spikes[t, b]
            over = excess[min(t, excess.shape[0] - 1), b]
            for i in range(size):
                i_now = settled(synapse * late_current[i] + heard[i], tiny)
                v = settled(late_membrane[i] + gap * (i_now - late_membrane[i]), tiny)
                x = v - (threshold + strength * rise[i])
                spike = one if x >= zero else zero
                late_current[i] = i_now
                late_membrane[i] = v - threshold * spike
                rise[i] = settled(decay * rise[i] + spike, tiny)
                last[i] = spike
                out[i] = spike
                over[i] = x
        copy(late_current, current[b])
        copy(late_membrane, membrane[b])
        copy(rise, adaptation[b])


@compiled
def recurrent_lif_adjoint(
    share, shares, grad, slope, synapse, beta, strength, decay, weight, said, current, membrane, adaptation, result
):
    """Error signals of spikes and their slopes [T,B,N] to `result`, that of the drive, recurrent part included.

    `weight` is R; error signals of the state after the last step [B,N], and zeros in `said`, become those of the state and the
    spikes before the first.
    """
    steps, batch, size = grad.shape
    tiny = grad.dtype.type(TINY)
    gap = grad.dtype.type(1) - beta
    wide_vectors()
    for b in range(share, batch, shares):
        k = current[b].copy()
        m = membrane[b].copy()
        r = adaptation[b].copy()
        told = said[b].copy()
        for t in range(steps - 1, -1, -1):
            asked = grad[t, b]
            bump = slope[t, b]
            out = result[t, b]
            for i in range(size):
                on_x = bump[i] * (asked[i] + told[i] + r[i])
                g = on_x + m[i]
                c = gap * g + k[i]
                m[i] = settled(beta * g, tiny)
                k[i] = settled(synapse * c, tiny)
                r[i] = settled(decay * r[i] - strength * on_x, tiny)
                out[i] = c
            add_told(weight, out, told)
        copy(k, current[b])
        copy(m, membrane[b])
        copy(r, adaptation[b])
        copy(told, said[b])
