"""Delays over a sequence and their adjoints, compiled for the processor by numba.

Each cell (a neuron of a sample; signals are [T, B N] here, see `lif_cpu`) reads its spikes n steps and n + 1 steps ago,
and interpolates between them by its φ:

    y(t) = s(t-n) + φ (s(t-n-1) - s(t-n))
    ∂ℓ/∂s(t) = (1 - φ) b(t+n) + φ b(t+n+1),    b = ∂ℓ/∂y, zero outside the sequence
    ∂ℓ/∂φ = Σ_t b(t) (s(t-n-1) - s(t-n))

The second value of a step is the first one of the step before (of the step after in the backward pass), so each step
reads one. With φ = 0 the delay is a floored one. The past [D, B N] holds the D steps before the sequence, and n < D.

The last D steps of a block are in a ring buffer in the nearest caches, in which each cell has its own place to read.
Reading the signal itself, each cell from another row, takes twice as long, and twenty times as long with a test for the
steps before the sequence. These functions neither check nor allocate results; `cpu` describes the techniques of all
scans.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np
from numba import njit

from spikinggamma.kernels.compilation import compiled

__all__ = ["delay_adjoint", "delay_forward", "delay_products"]

BLOCK = 512  # cells per job


@njit(nogil=True)
def _copy(source, target):
    """Copy as `target[:] = source`, which takes numba seconds to compile."""
    for i in range(target.size):
        target[i] = source[i]


@njit(nogil=True)
def _ring_of(past, here, width):
    """Fill the ring with the past of a block, row by row; step t will replace step t - D."""
    ring = np.empty(past.shape[0] * width, past.dtype)
    for row in range(past.shape[0]):
        _copy(past[row, here], ring[row * width : (row + 1) * width])
    return ring


@njit(nogil=True)
def _places_of(whole, remembered):
    """Return the place in the ring that each cell reads at step 0."""
    places = np.empty(whole.size, np.int32)
    for i in range(whole.size):
        places[i] = (remembered - whole[i]) % remembered * whole.size + i
    return places


@njit(nogil=True)
def _before(ring, whole, remembered):
    """Return s(-n-1), the value that each cell reads one step before step 0."""
    said = np.empty(whole.size, ring.dtype)
    for i in range(whole.size):
        said[i] = ring[(remembered - 1 - whole[i]) * whole.size + i]
    return said


@njit(nogil=True)
def _read(ring, places, near):
    """Read the present value of each cell into `near`, and move all places by one row for the next step."""
    for i in range(near.size):
        near[i] = ring[places[i]]
    for i in range(places.size):
        place = places[i] + near.size
        places[i] = place if place < ring.size else place - ring.size


@compiled
def delay_forward(share, shares, past, spikes, whole, fraction, arrived):
    """Write the delayed spikes, [T, C], for the whole steps n and the fraction φ of each cell, [C]."""
    steps, cells = spikes.shape
    remembered = past.shape[0]
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        phi = fraction[here]
        ring = _ring_of(past, here, phi.size)
        places = _places_of(whole[here], remembered)
        far = _before(ring, whole[here], remembered)
        near = np.empty_like(far)
        for t in range(steps):
            row = t % remembered
            _copy(spikes[t, here], ring[row * near.size : (row + 1) * near.size])
            _read(ring, places, near)
            out = arrived[t, here]
            for i in range(near.size):
                out[i] = near[i] + phi[i] * (far[i] - near[i])
            far, near = near, far


@compiled
def delay_adjoint(share, shares, grad, whole, fraction, result):
    """Write the error signals of the past and the spikes, `result` [D+T, C], from b(t) [T, C], backwards in time."""
    steps, cells = grad.shape
    total = result.shape[0]
    remembered = total - steps
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        phi = fraction[here]
        silence = np.zeros(phi.size, grad.dtype)
        ring = np.zeros(remembered * phi.size, grad.dtype)
        places = _places_of(whole[here], remembered)
        far = np.zeros_like(silence)
        near = np.zeros_like(silence)
        for back in range(total):
            row = back % remembered
            place = ring[row * near.size : (row + 1) * near.size]
            _copy(grad[steps - 1 - back, here] if back < steps else silence, place)
            _read(ring, places, near)
            out = result[total - 1 - back, here]
            for i in range(near.size):
                out[i] = near[i] + phi[i] * (far[i] - near[i])
            far, near = near, far


@compiled
def delay_products(share, shares, past, spikes, grad, whole, result):
    """Write ∂ℓ/∂φ of each cell, `result` [C], with delayed spikes read again."""
    steps, cells = spikes.shape
    remembered = past.shape[0]
    for job in range(share, (cells + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, cells))
        ring = _ring_of(past, here, whole[here].size)
        places = _places_of(whole[here], remembered)
        far = _before(ring, whole[here], remembered)
        near = np.empty_like(far)
        total = np.zeros_like(far)
        for t in range(steps):
            row = t % remembered
            _copy(spikes[t, here], ring[row * near.size : (row + 1) * near.size])
            _read(ring, places, near)
            b = grad[t, here]
            for i in range(total.size):
                total[i] += b[i] * (far[i] - near[i])
            far, near = near, far
        _copy(total, result[here])
