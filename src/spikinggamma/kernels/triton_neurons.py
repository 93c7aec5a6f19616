"""Neurons with a surrogate gradient over a sequence and their adjoints, for a GPU, in Triton.

All neurons of a population share their constants, so a sample's neuron is just a cell: signals are [T, C], states [C], with
C = B N cells. A program walks through time once for a block of cells, whose state stays in registers. The recursions, and
what is kept for the backward pass, are those of `lif_cpu` and `srm_alpha_cpu`. `numbers` are the constants in the element
type of the signals; what runs backwards is given its last step, and steps back from there, as in `triton_scans`.
"""

# Unannotated on purpose: these functions are compiled, and their arguments are pointers.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import triton
import triton.language as tl

__all__ = [
    "adaptive_lif_adjoint",
    "adaptive_lif_forward",
    "alpha_adjoint",
    "leaky_adjoint",
    "leaky_forward",
    "lif_forward",
    "srm_alpha_forward",
]


@triton.jit
def leaky_forward(drive, numbers, current, membrane, membranes, T, C, BLOCK: tl.constexpr):
    """i(t) and v⁻(t) without a spike: drive to `membranes`; state in place. `numbers`: e^{-dt/τ_s}, β."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    synapse, gap = tl.load(numbers), 1.0 - tl.load(numbers + 1)
    i, v = tl.load(current + here, mask=mask, other=0.0), tl.load(membrane + here, mask=mask, other=0.0)
    for _ in range(T):
        i = synapse * i + tl.load(drive + here, mask=mask, other=0.0)
        v = v + gap * (i - v)
        tl.store(membranes + here, v, mask=mask)
        drive += C
        membranes += C
    tl.store(current + here, i, mask=mask)
    tl.store(membrane + here, v, mask=mask)


@triton.jit
def lif_forward(drive, numbers, current, membrane, spikes, excess, T, C, KEEPING: tl.constexpr, BLOCK: tl.constexpr):
    """Drive to `spikes` and, if it is kept, to `excess` x(t). `numbers`: e^{-dt/τ_s}, β, threshold."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    synapse, gap, threshold = tl.load(numbers), 1.0 - tl.load(numbers + 1), tl.load(numbers + 2)
    i, v = tl.load(current + here, mask=mask, other=0.0), tl.load(membrane + here, mask=mask, other=0.0)
    for _ in range(T):
        i = synapse * i + tl.load(drive + here, mask=mask, other=0.0)
        v = v + gap * (i - v)
        x = v - threshold
        spike = (x >= 0.0).to(x.dtype)
        v = v - threshold * spike
        tl.store(spikes + here, spike, mask=mask)
        if KEEPING:
            tl.store(excess + here, x, mask=mask)
            excess += C
        drive += C
        spikes += C
    tl.store(current + here, i, mask=mask)
    tl.store(membrane + here, v, mask=mask)


@triton.jit
def adaptive_lif_forward(
    drive, numbers, current, membrane, adaptation, spikes, excess, T, C, KEEPING: tl.constexpr, BLOCK: tl.constexpr
):
    """As `lif_forward`. `numbers`: e^{-dt/τ_s}, β, threshold, β_a, ρ."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    synapse, gap, threshold = tl.load(numbers), 1.0 - tl.load(numbers + 1), tl.load(numbers + 2)
    strength, decay = tl.load(numbers + 3), tl.load(numbers + 4)
    i, v = tl.load(current + here, mask=mask, other=0.0), tl.load(membrane + here, mask=mask, other=0.0)
    rise = tl.load(adaptation + here, mask=mask, other=0.0)
    for _ in range(T):
        i = synapse * i + tl.load(drive + here, mask=mask, other=0.0)
        v = v + gap * (i - v)
        x = v - (threshold + strength * rise)
        spike = (x >= 0.0).to(x.dtype)
        v = v - threshold * spike
        rise = decay * rise + spike
        tl.store(spikes + here, spike, mask=mask)
        if KEEPING:
            tl.store(excess + here, x, mask=mask)
            excess += C
        drive += C
        spikes += C
    tl.store(current + here, i, mask=mask)
    tl.store(membrane + here, v, mask=mask)
    tl.store(adaptation + here, rise, mask=mask)


@triton.jit
def leaky_adjoint(grad, numbers, current, membrane, result, T, C, BLOCK: tl.constexpr):
    """Error signal of v⁻ to that of the drive; that of the state, after to before, in place. As `leaky_forward`."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    synapse, beta = tl.load(numbers), tl.load(numbers + 1)
    k, m = tl.load(current + here, mask=mask, other=0.0), tl.load(membrane + here, mask=mask, other=0.0)
    for _ in range(T):
        g = tl.load(grad + here, mask=mask, other=0.0) + m
        c = (1.0 - beta) * g + k
        m = beta * g
        k = synapse * c
        tl.store(result + here, c, mask=mask)
        grad -= C
        result -= C
    tl.store(current + here, k, mask=mask)
    tl.store(membrane + here, m, mask=mask)


@triton.jit
def adaptive_lif_adjoint(grad, slope, numbers, current, membrane, adaptation, result, T, C, BLOCK: tl.constexpr):
    """Error signals of spikes, and their slopes, to that of the drive. `numbers` as in `adaptive_lif_forward`."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    synapse, beta = tl.load(numbers), tl.load(numbers + 1)
    strength, decay = tl.load(numbers + 3), tl.load(numbers + 4)
    k, m = tl.load(current + here, mask=mask, other=0.0), tl.load(membrane + here, mask=mask, other=0.0)
    r = tl.load(adaptation + here, mask=mask, other=0.0)
    for _ in range(T):
        bump = tl.load(slope + here, mask=mask, other=0.0)
        on_x = bump * (tl.load(grad + here, mask=mask, other=0.0) + r)
        g = on_x + m
        c = (1.0 - beta) * g + k
        m = beta * g
        k = synapse * c
        r = decay * r - strength * on_x
        tl.store(result + here, c, mask=mask)
        grad -= C
        slope -= C
        result -= C
    tl.store(current + here, k, mask=mask)
    tl.store(membrane + here, m, mask=mask)
    tl.store(adaptation + here, r, mask=mask)


@triton.jit
def srm_alpha_forward(
    drive,
    numbers,
    synapse_trace,
    synapse,
    refractory_trace,
    refractory,
    spikes,
    excess,
    T,
    C,
    KEEPING: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """SLAYER's neuron. `numbers`: decay and gain of the synapse, of refractoriness, the depth of that, threshold."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    decay, gain, held_decay, held_gain = (
        tl.load(numbers), tl.load(numbers + 1), tl.load(numbers + 2), tl.load(numbers + 3)
    )  # fmt: skip
    depth, threshold = tl.load(numbers + 4), tl.load(numbers + 5)
    p, a = tl.load(synapse_trace + here, mask=mask, other=0.0), tl.load(synapse + here, mask=mask, other=0.0)
    q, r = tl.load(refractory_trace + here, mask=mask, other=0.0), tl.load(refractory + here, mask=mask, other=0.0)
    for _ in range(T):
        a = decay * (a + gain * p)
        r = held_decay * (r + held_gain * q)
        x = (a - depth * r) - threshold
        spike = (x >= 0.0).to(x.dtype)
        p = decay * p + tl.load(drive + here, mask=mask, other=0.0)
        q = held_decay * q + spike
        tl.store(spikes + here, spike, mask=mask)
        if KEEPING:
            tl.store(excess + here, x, mask=mask)
            excess += C
        drive += C
        spikes += C
    tl.store(synapse_trace + here, p, mask=mask)
    tl.store(synapse + here, a, mask=mask)
    tl.store(refractory_trace + here, q, mask=mask)
    tl.store(refractory + here, r, mask=mask)


@triton.jit
def alpha_adjoint(grad, numbers, trace, value, result, T, C, BLOCK: tl.constexpr):
    """Error signal of a(t) to that of the drive; that of the state, after to before, in place. `numbers`: decay, gain."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    decay = tl.load(numbers)
    pull = decay * tl.load(numbers + 1)
    p, a = tl.load(trace + here, mask=mask, other=0.0), tl.load(value + here, mask=mask, other=0.0)
    for _ in range(T):
        g = tl.load(grad + here, mask=mask, other=0.0) + a
        tl.store(result + here, p, mask=mask)
        p = decay * p + pull * g
        a = decay * g
        grad -= C
        result -= C
    tl.store(trace + here, p, mask=mask)
    tl.store(value + here, a, mask=mask)
