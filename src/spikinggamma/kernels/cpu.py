"""The scans over time, compiled for the processor by numba.

Every kernel runs through time once for a block of neurons of one sample, with the buckets of the block in the nearest
cache. Arrays K times as large as the signal are written only if they are the result. One call computes one share of
`shares` of the blocks and releases the GIL, so as many Python threads as there are shares compute all of them (numba's
own threads take two to three times as long to compile). Eight techniques make the inner loops fast; each was measured:

- Four buckets are advanced in one loop over a block, in place, the last four first, so that the inflow of a bucket is
  still that of the last step. A loop for each bucket would spend as much time on its start as on computing.
- The values that a loop writes are in one flat array with those that it reads, at distances known at compile time. With
  many arrays the compiler must check which of them overlap, and beyond a few it falls back to one neuron at a time.
- Such an array is a slice of its own, indexed from zero, because every index with a variable offset is checked.
- Numbers that a loop uses in every iteration are held in variables, not read from an array.
- Memory for the next steps is prefetched while a step is computed, because the next step of a block is in another page,
  which the processor does not anticipate (a third of the time was spent waiting).
- Vectors are as wide as the processor supports, which must be requested in every function with a loop (a quarter
  faster).
- Values below 1e-20 become zero, because the buckets of a silent neuron otherwise decay into subnormal numbers, which
  the processor handles in microcode (70 times slower on silent input). A check every few steps is enough.
- Every constant has the element type of the arrays: a bare `1 - x` in single precision becomes double and halves the
  width.

These functions are called through `spikinggamma.kernels`. They neither check their arguments nor allocate results, and
write into given arrays. Machine code is cached on disk until one of its sources changes: see `compilation`.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np
from numba import njit

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import prefetch, wide_vectors

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "neuron_adjoint",
    "neuron_forward",
    "signal_adjoint",
    "signal_forward",
]

BLOCK = 128  # neurons per job: (3 x 12 + 5) rows of so many floats take 21 KiB, which fits into any first-level cache
AHEAD = 2  # steps
SETTLING = 8  # steps between checks: a value above the limit at one check is far from subnormal at the next


@njit(nogil=True)
def _copy(source, target):
    """Copy as `target[:] = source`, which takes numba seconds to compile; `target` may be longer."""
    wide_vectors()
    for i in range(source.size):
        target[i] = source[i]


@njit(nogil=True)
def _settle(values, tiny, t):
    """Set negligible values to zero, every few steps; NaN stays NaN."""
    wide_vectors()
    if t % SETTLING == 0:
        for i in range(values.size):
            values[i] = values[i] if abs(values[i]) > tiny else values[i] - values[i]


@njit(nogil=True)
def _fours(alpha):
    """Return the factors by which each bucket decays and takes from the one before, as fours, and one more.

    Missing buckets have the factor zero. The first bucket takes the whole drive.
    """
    keep = np.zeros((alpha.size + 3) // 4 * 4 + 1, alpha.dtype)
    take = np.zeros_like(keep)
    one = alpha.dtype.type(1)
    take[0] = one
    for k in range(alpha.size):
        keep[k] = alpha[k]
        if k > 0:
            take[k] = one - alpha[k]
    return keep, take


@njit(nogil=True)
def _gather(rows, low, width, flat):
    """Copy columns low .. low + width of `rows` [K, N] into `flat`, one block per row."""
    for k in range(rows.shape[0]):
        _copy(rows[k, low : low + width], flat[k * BLOCK : (k + 1) * BLOCK])


@njit(nogil=True)
def _put(flat, rows, low, width):
    """Copy in the opposite direction of `_gather`."""
    for k in range(rows.shape[0]):
        _copy(flat[k * BLOCK : k * BLOCK + width], rows[k, low : low + width])


@njit(nogil=True)
def _add(flat, rows, low, width):
    """Add in the opposite direction of `_gather`."""
    wide_vectors()
    for k in range(rows.shape[0]):
        row = rows[k, low : low + width]
        for i in range(row.size):
            row[i] += flat[k * BLOCK + i]


@njit(nogil=True)
def _lanes(width):
    """Return the width to compute, up to the end of the last vector of a block that is not full."""
    return (width + 15) // 16 * 16


@njit(nogil=True)
def _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3):
    """Advance neuron i of four buckets by one step; `a` holds the inflow of the first, then the buckets."""
    b0, b1, b2 = a[BLOCK + i], a[2 * BLOCK + i], a[3 * BLOCK + i]
    n3 = k3 * a[4 * BLOCK + i] + t3 * b2
    n2 = k2 * b2 + t2 * b1
    n1 = k1 * b1 + t1 * b0
    n0 = k0 * b0 + t0 * a[i]
    a[4 * BLOCK + i] = n3
    a[3 * BLOCK + i] = n2
    a[2 * BLOCK + i] = n1
    a[BLOCK + i] = n0
    return n0, n1, n2, n3


@njit(nogil=True)
def _fill(h, keep, take, lanes):
    """Advance the chain by one step; `h` holds the drive, then every bucket."""
    wide_vectors()
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        for i in range(lanes):
            _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3)


@njit(nogil=True)
def _fill_and_mix(h, v, x, keep, take, lanes):
    """Advance the chain by one step, and add Σ_k v_k h_k to `x`."""
    wide_vectors()
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        w = v[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            n0, n1, n2, n3 = _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3)
            x[i] += (w[i] * n0 + w[BLOCK + i] * n1) + (w[2 * BLOCK + i] * n2 + w[3 * BLOCK + i] * n3)


@njit(nogil=True)
def _fill_and_weigh(h, delta, total, keep, take, lanes):
    """Advance the chain by one step, and add δ h_k to each row of `total`."""
    wide_vectors()
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        w = total[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            d = delta[i]
            n0, n1, n2, n3 = _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3)
            w[i] += d * n0
            w[BLOCK + i] += d * n1
            w[2 * BLOCK + i] += d * n2
            w[3 * BLOCK + i] += d * n3


@njit(nogil=True)
def _fill_mix_and_weigh(h, v, x, delta, total, keep, take, lanes):
    """Advance the chain by one step, add Σ_k v_k h_k to `x`, and add δ h_k to each row of `total`."""
    wide_vectors()
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        u = v[q * BLOCK : (q + 4) * BLOCK]
        w = total[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            d = delta[i]
            n0, n1, n2, n3 = _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3)
            x[i] += (u[i] * n0 + u[BLOCK + i] * n1) + (u[2 * BLOCK + i] * n2 + u[3 * BLOCK + i] * n3)
            w[i] += d * n0
            w[BLOCK + i] += d * n1
            w[2 * BLOCK + i] += d * n2
            w[3 * BLOCK + i] += d * n3


@njit(nogil=True)
def _four_back(a, i, k0, k1, k2, k3, t1, t2, t3, t4, e0, e1, e2, e3):
    """Move the error signal of neuron i in four buckets one step back; `a` holds theirs, then that of the next one."""
    b1, b2, b3 = a[BLOCK + i], a[2 * BLOCK + i], a[3 * BLOCK + i]
    a[i] = k0 * a[i] + t1 * b1 + e0
    a[BLOCK + i] = k1 * b1 + t2 * b2 + e1
    a[2 * BLOCK + i] = k2 * b2 + t3 * b3 + e2
    a[3 * BLOCK + i] = k3 * b3 + t4 * a[4 * BLOCK + i] + e3


@njit(nogil=True)
def _blame(g, e, keep, take, lanes):
    """Move one step back: g_k becomes keep_k g_k + take_{k+1} g_{k+1} + e_k, the first four first.

    The last row of `g` is zero.
    """
    wide_vectors()
    for q in range(0, keep.size - 1, 4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t1, t2, t3, t4 = take[q + 1], take[q + 2], take[q + 3], take[q + 4]
        a = g[q * BLOCK : (q + 5) * BLOCK]
        w = e[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            e0, e1, e2, e3 = w[i], w[BLOCK + i], w[2 * BLOCK + i], w[3 * BLOCK + i]
            _four_back(a, i, k0, k1, k2, k3, t1, t2, t3, t4, e0, e1, e2, e3)


@njit(nogil=True)
def _blame_by_weight(g, v, delta, keep, take, lanes):
    """Move one step back, as `_blame`, with e_k = v_k δ."""
    wide_vectors()
    for q in range(0, keep.size - 1, 4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t1, t2, t3, t4 = take[q + 1], take[q + 2], take[q + 3], take[q + 4]
        a = g[q * BLOCK : (q + 5) * BLOCK]
        w = v[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            d = delta[i]
            e0, e1, e2, e3 = w[i] * d, w[BLOCK + i] * d, w[2 * BLOCK + i] * d, w[3 * BLOCK + i] * d
            _four_back(a, i, k0, k1, k2, k3, t1, t2, t3, t4, e0, e1, e2, e3)


@njit(nogil=True)
def _before(g, keep, take, carried, sample, low, width):
    """Write ∂ℓ/∂h before the first step, for a block."""
    wide_vectors()
    for k in range(carried.shape[0]):
        row = carried[k, sample, low : low + width]
        a = g[k * BLOCK : (k + 2) * BLOCK]
        for i in range(row.size):
            row[i] = keep[k] * a[i] + take[k + 1] * a[BLOCK + i]


@njit(nogil=True)
def _speak(a, code, decay_0, lanes):
    """Run one step of the sigma-delta code: `a` holds signal, estimate and rise, and receives message and count."""
    wide_vectors()
    threshold, adaptation, decay, cap = code
    half = a.dtype.type(0.5)
    zero = a.dtype.type(0)
    for i in range(lanes):
        decayed = decay_0 * a[BLOCK + i]
        height = threshold + a[2 * BLOCK + i]
        missing = max(a[i] - decayed, zero)
        count = min(np.floor(missing / (height + height) + half), cap)
        step = (height + height) * count
        a[BLOCK + i] = decayed + step
        a[2 * BLOCK + i] = decay * (a[2 * BLOCK + i] + adaptation * height * count)
        a[3 * BLOCK + i] = step
        a[4 * BLOCK + i] = count


@njit(nogil=True)
def _put_spoken(a, sent, counts):
    """Write the message, and its count if counts are needed."""
    wide_vectors()
    _copy(a[3 * BLOCK : 3 * BLOCK + sent.size], sent)
    number = a[4 * BLOCK : 5 * BLOCK]
    for i in range(counts.size):
        counts[i] = number[i]


@njit(nogil=True)
def _gated(signal, grad, later, decay_0, delta):
    """Write δ = b(t) - α_0 b(t+1) where x(t) > 0, else zero, for the gradient b of the message.

    `later` is moved by one step.
    """
    wide_vectors()
    zero = delta.dtype.type(0)
    for i in range(signal.size):
        b = grad[i]
        d = b - decay_0 * later[i]
        delta[i] = d if signal[i] > 0 else zero
        later[i] = b


@compiled
def code_forward(share, shares, signal, decay_0, code, tiny, estimate, rise, sent, counts):
    """Encode max(x, 0), x [T, B, N]: write the message and, unless empty, its counts; the state changes in place."""
    wide_vectors()
    steps, batch, neurons = signal.shape
    a = np.zeros(5 * BLOCK, signal.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        _copy(estimate[sample, here], a[BLOCK:])
        _copy(rise[sample, here], a[2 * BLOCK :])
        for t in range(steps):
            _copy(signal[t, sample, here], a)
            if t + AHEAD < steps:
                prefetch(signal[t + AHEAD, sample, here])
                prefetch(sent[t + AHEAD, sample, here])
                if counts.size > 0:
                    prefetch(counts[t + AHEAD, sample, here])
            _speak(a, code, decay_0, _lanes(width))
            _settle(a[BLOCK : 3 * BLOCK], tiny, t)
            _put_spoken(a, sent[t, sample, here], counts[t, sample, here] if counts.size > 0 else counts[:0, 0, 0])
        _copy(a[BLOCK : BLOCK + width], estimate[sample, here])
        _copy(a[2 * BLOCK : 2 * BLOCK + width], rise[sample, here])


@compiled
def neuron_forward(
    share, shares, drive, weight, bias, alpha, code, tiny, buckets, estimate, rise, signal, sent, counts
):
    """Run `signal_forward` and `code_forward` in one: write x, the message and, unless empty, its counts.

    The state changes in place.
    """
    wide_vectors()
    steps, batch, neurons = drive.shape
    keep, take = _fours(alpha)
    h = np.zeros(keep.size * BLOCK, drive.dtype)
    v = np.zeros((keep.size - 1) * BLOCK, drive.dtype)
    a = np.zeros(5 * BLOCK, drive.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        h[:] = 0
        _gather(buckets[:, sample], low, width, h[BLOCK:])
        _gather(weight, low, width, v)
        _copy(estimate[sample, here], a[BLOCK:])
        _copy(rise[sample, here], a[2 * BLOCK :])
        for t in range(steps):
            _copy(drive[t, sample, here], h)
            if t + AHEAD < steps:
                prefetch(drive[t + AHEAD, sample, here])
                prefetch(signal[t + AHEAD, sample, here])
                prefetch(sent[t + AHEAD, sample, here])
                if counts.size > 0:
                    prefetch(counts[t + AHEAD, sample, here])
            _copy(bias[here], a)
            _fill_and_mix(h, v, a, keep, take, _lanes(width))
            _copy(a[:width], signal[t, sample, here])
            _speak(a, code, alpha[0], _lanes(width))
            _settle(h[BLOCK:], tiny, t)
            _settle(a[BLOCK : 3 * BLOCK], tiny, t)
            _put_spoken(a, sent[t, sample, here], counts[t, sample, here] if counts.size > 0 else counts[:0, 0, 0])
        _put(h[BLOCK:], buckets[:, sample], low, width)
        _copy(a[BLOCK : BLOCK + width], estimate[sample, here])
        _copy(a[2 * BLOCK : 2 * BLOCK + width], rise[sample, here])


@compiled
def signal_forward(share, shares, drive, weight, bias, alpha, tiny, buckets, signal):
    """Run the buckets, and write their weighted sum x(t), without a code; the state changes in place."""
    wide_vectors()
    steps, batch, neurons = drive.shape
    keep, take = _fours(alpha)
    h = np.zeros(keep.size * BLOCK, drive.dtype)
    v = np.zeros((keep.size - 1) * BLOCK, drive.dtype)
    x = np.zeros(BLOCK, drive.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        h[:] = 0
        _gather(buckets[:, sample], low, width, h[BLOCK:])
        _gather(weight, low, width, v)
        for t in range(steps):
            _copy(drive[t, sample, here], h)
            if t + AHEAD < steps:
                prefetch(drive[t + AHEAD, sample, here])
                prefetch(signal[t + AHEAD, sample, here])
            _copy(bias[here], x)
            _fill_and_mix(h, v, x, keep, take, _lanes(width))
            _settle(h[BLOCK:], tiny, t)
            _copy(x[:width], signal[t, sample, here])
        _put(h[BLOCK:], buckets[:, sample], low, width)


@compiled
def signal_adjoint(share, shares, grad, weight, alpha, tiny, carried, result):
    """Propagate δ = ∂ℓ/∂x [T, B, N] back through the chain: write ∂ℓ/∂u to `result`, and initial ∂ℓ/∂h to `carried`."""
    wide_vectors()
    steps, batch, neurons = grad.shape
    keep, take = _fours(alpha)
    g = np.zeros(keep.size * BLOCK, grad.dtype)
    v = np.zeros((keep.size - 1) * BLOCK, grad.dtype)
    delta = np.zeros(BLOCK, grad.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        g[:] = 0
        _gather(weight, low, width, v)
        for t in range(steps - 1, -1, -1):
            _copy(grad[t, sample, here], delta)
            if t >= AHEAD:
                prefetch(grad[t - AHEAD, sample, here])
                prefetch(result[t - AHEAD, sample, here])
            _blame_by_weight(g, v, delta, keep, take, _lanes(width))
            _settle(g, tiny, t)
            _copy(g[:width], result[t, sample, here])
        _before(g, keep, take, carried, sample, low, width)


@compiled
def neuron_adjoint(share, shares, grad, signal, drive, weight, alpha, tiny, buckets, result, totals, biases):
    """Run the whole backward pass of a layer: write ∂ℓ/∂u [T, B, N] to `result`, and add to `totals` and `biases`.

    This share's own `totals` receive ∂ℓ/∂v, and its `biases` ∂ℓ/∂b. If `signal` is empty, `grad` is δ itself, else
    ∂ℓ/∂s, from which δ is computed. ∂ℓ/∂v and ∂ℓ/∂b are those of the steps of `drive` [S, B, N], the first S of T;
    later steps contribute only to ∂ℓ/∂u.

    With S = T and empty initial buckets, one chain is enough for everything, since the chain commutes with its weights:
    δ runs backwards through the bare chain, as the drive does forwards. The values p_k(t) in its buckets are mixed into
    r(t) = Σ_k v_k p_k(t), and their products with the drive give ∂ℓ/∂v_k = Σ_t p_k(t) u(t). But a bare chain cannot
    separate the contributions of later steps, and initial buckets are not part of the drive. In these cases δ runs back
    through the weighted chain, and a second, forward pass computes the buckets again from the drive.
    """
    wide_vectors()
    steps, batch, neurons = grad.shape
    own = drive.shape[0]
    gated = signal.size > 0
    keep, take = _fours(alpha)
    h = np.zeros(keep.size * BLOCK, grad.dtype)
    v = np.zeros((keep.size - 1) * BLOCK, grad.dtype)
    total = np.zeros((keep.size - 1) * BLOCK, grad.dtype)
    later = np.zeros(BLOCK, grad.dtype)
    delta = np.zeros(BLOCK, grad.dtype)
    u = np.zeros(BLOCK, grad.dtype)
    r = np.zeros(BLOCK, grad.dtype)
    b = np.zeros(BLOCK, grad.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        lanes = _lanes(width)
        h[:] = 0
        later[:] = 0
        delta[:] = 0
        b[:] = 0
        total[:] = 0
        _gather(weight, low, width, v)
        _gather(buckets[:, sample], low, width, h[BLOCK:])
        bare = own == steps and not h.any()
        h[:] = 0
        into = h[:BLOCK] if bare else delta
        for t in range(steps - 1, -1, -1):
            if t >= AHEAD:
                prefetch(grad[t - AHEAD, sample, here])
                prefetch(result[t - AHEAD, sample, here])
                if gated:
                    prefetch(signal[t - AHEAD, sample, here])
                if bare:
                    prefetch(drive[t - AHEAD, sample, here])
            if gated:
                _gated(signal[t, sample, here], grad[t, sample, here], later, alpha[0], into)
            else:
                _copy(grad[t, sample, here], into)
            if t < own:
                for i in range(lanes):
                    b[i] += into[i]
            if bare:
                _copy(drive[t, sample, here], u)
                r[:] = 0
                _fill_mix_and_weigh(h, v, r, u, total, keep, take, lanes)
                _settle(h[BLOCK:], tiny, t)
                _copy(r[:width], result[t, sample, here])
            else:
                _blame_by_weight(h, v, delta, keep, take, lanes)
                _settle(h, tiny, t)
                _copy(h[:width], result[t, sample, here])
        if not bare:
            h[:] = 0
            _gather(buckets[:, sample], low, width, h[BLOCK:])
            for t in range(own):
                if t + AHEAD < own:
                    prefetch(grad[t + AHEAD, sample, here])
                    prefetch(drive[t + AHEAD, sample, here])
                    if gated:
                        prefetch(signal[t + AHEAD, sample, here])
                if gated:
                    if t + 1 < steps:
                        _copy(grad[t + 1, sample, here], later)
                    else:
                        later[:] = 0
                    _gated(signal[t, sample, here], grad[t, sample, here], later, alpha[0], delta)
                else:
                    _copy(grad[t, sample, here], delta)
                _copy(drive[t, sample, here], h)
                _fill_and_weigh(h, delta, total, keep, take, lanes)
                _settle(h[BLOCK:], tiny, t)
        _add(total, totals[share], low, width)
        _add(b, biases[share : share + 1], low, width)


@compiled
def bucket_products(share, shares, grad, drive, alpha, tiny, buckets, result):
    """Write ∂ℓ/∂v_k = Σ_t δ(t) h_k(t), summed over the batch, to `result` [K, N]; buckets come from the drive."""
    wide_vectors()
    steps, batch, neurons = drive.shape
    keep, take = _fours(alpha)
    h = np.zeros(keep.size * BLOCK, drive.dtype)
    total = np.zeros((keep.size - 1) * BLOCK, drive.dtype)
    delta = np.zeros(BLOCK, drive.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, blocks, shares):
        low = job * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        total[:] = 0
        for sample in range(batch):
            h[:] = 0
            _gather(buckets[:, sample], low, width, h[BLOCK:])
            for t in range(steps):
                _copy(drive[t, sample, here], h)
                _copy(grad[t, sample, here], delta)
                if t + AHEAD < steps:
                    prefetch(drive[t + AHEAD, sample, here])
                    prefetch(grad[t + AHEAD, sample, here])
                _fill_and_weigh(h, delta, total, keep, take, _lanes(width))
                _settle(h[BLOCK:], tiny, t)
        _put(total, result, low, width)


@compiled
def filter_forward(share, shares, drive, alpha, tiny, buckets, traces):
    """Write every bucket at every step: drive [T, B, M] to `traces` [T, B, K, M]; the state changes in place."""
    wide_vectors()
    steps, batch, cells = drive.shape
    keep, take = _fours(alpha)
    h = np.zeros(keep.size * BLOCK, drive.dtype)
    blocks = (cells + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, cells - low)
        h[:] = 0
        _gather(buckets[:, sample], low, width, h[BLOCK:])
        for t in range(steps):
            _copy(drive[t, sample, low : low + width], h)
            _fill(h, keep, take, _lanes(width))
            _settle(h[BLOCK:], tiny, t)
            _put(h[BLOCK:], traces[t, sample], low, width)
        _put(h[BLOCK:], buckets[:, sample], low, width)


@compiled
def filter_adjoint(share, shares, grad, alpha, tiny, carried, result):
    """Propagate e_k = ∂ℓ/∂h_k [T, B, K, M] back through the chain: write g_k to `result`, initial ∂ℓ/∂h to `carried`."""
    wide_vectors()
    steps, batch, _, cells = grad.shape
    keep, take = _fours(alpha)
    g = np.zeros(keep.size * BLOCK, grad.dtype)
    e = np.zeros((keep.size - 1) * BLOCK, grad.dtype)
    blocks = (cells + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, cells - low)
        g[:] = 0
        for t in range(steps - 1, -1, -1):
            _gather(grad[t, sample], low, width, e)
            _blame(g, e, keep, take, _lanes(width))
            _settle(g, tiny, t)
            _put(g, result[t, sample], low, width)
        _before(g, keep, take, carried, sample, low, width)
