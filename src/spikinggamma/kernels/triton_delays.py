"""Delays over a sequence and their adjoints, for a GPU, in Triton.

Signals are [T, B, N] as [T, C], C = B N cells; `whole` n and `fraction` φ are a neuron's own, [N]. The recursions are those
of `delay_cpu`: a step's second reading is the first one of the step before, so each costs one. A cell reads its own row,
n steps back, of the past [D, C] as long as that is before the sequence, and then of the sequence; cells of one delay lie
together in memory, and what lies between others is in the nearest cache when they come to it. Pointers step through time,
since 32 bits would not count all numbers of a long recording.
"""

# Unannotated on purpose: these functions are compiled, and their arguments are pointers.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["delay_adjoint", "delay_forward", "delay_products"]


@triton.jit
def _read(past, spikes, t, n, mask):
    """s(t-n), out of the past or of the sequence."""
    return tl.load(past, mask=mask & (t < n), other=0.0) + tl.load(spikes, mask=mask & (t >= n), other=0.0)


@triton.jit
def delay_forward(past, spikes, whole, fraction, arrived, T, D, C, N, BLOCK: tl.constexpr):
    """Spikes to what arrives."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    n = tl.load(whole + here % N, mask=mask, other=0)
    phi = tl.load(fraction + here % N, mask=mask, other=0.0)
    past += here + (D - 1 - n) * C
    spikes += here - (1 + n) * C
    far = _read(past, spikes, n * 0 - 1, n, mask)
    for t in range(T):
        past += C
        spikes += C
        near = _read(past, spikes, n * 0 + t, n, mask)
        tl.store(arrived + here, near + phi * (far - near), mask=mask)
        far = near
        arrived += C


@triton.jit
def delay_adjoint(grad, whole, fraction, result, T, D, C, N, BLOCK: tl.constexpr):
    """∂ℓ/∂y to ∂ℓ/∂ the past and the spikes, [D + T, C], of which `result` is the last step: a walk from the end."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    n = tl.load(whole + here % N, mask=mask, other=0)
    phi = tl.load(fraction + here % N, mask=mask, other=0.0)
    grad += here + (T - 1 + n) * C
    far = tl.zeros_like(phi)
    for back in range(T + D):
        t = n + (T - 1 - back)  # when it arrived
        near = tl.load(grad, mask=mask & (t >= 0) & (t < T), other=0.0)
        tl.store(result + here, near + phi * (far - near), mask=mask)
        far = near
        grad -= C
        result -= C


@triton.jit
def delay_products(past, spikes, grad, whole, result, T, D, C, N, BLOCK: tl.constexpr):
    """∂ℓ/∂φ of each cell; what was read is read anew."""
    here = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = here < C
    n = tl.load(whole + here % N, mask=mask, other=0)
    past += here + (D - 1 - n) * C
    spikes += here - (1 + n) * C
    far = _read(past, spikes, n * 0 - 1, n, mask)
    total = tl.zeros_like(far)
    for t in range(T):
        past += C
        spikes += C
        near = _read(past, spikes, n * 0 + t, n, mask)
        total += tl.load(grad + here, mask=mask, other=0.0) * (far - near)
        far = near
        grad += C
    tl.store(result + here, total, mask=mask)
