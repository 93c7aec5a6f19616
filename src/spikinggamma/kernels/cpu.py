"""The scans over time, compiled for the processor by numba.

Every kernel walks time once for a block of neurons of one sample, with the block's buckets in the nearest cache; nothing
that has K times the size of the signal is written unless it is what was asked for. A call does one share of `shares` of the
blocks and holds no lock, so that as many Python threads as there are shares do all of them: numba's own threads cost two
to three times as long to compile. Six habits make the inner loops fast, each measured:

- four buckets are advanced in one loop over a block, in place, the last four first: what a bucket spills is then still
  that of the step before. A loop for each bucket spends as long on starting as on computing;
- what a loop writes lies with what it reads in one flat array, at distances that are known when it is compiled: of many
  arrays, the compiler has to ask which overlap, and beyond a few it gives up and takes one neuron at a time;
- such an array is a slice of its own, indexed from zero: of an offset held in a variable, every index is checked;
- numbers that a loop uses at every turn are held in variables, not read from an array;
- values below 1e-20 become zero: a silent neuron's buckets otherwise decay into subnormal numbers, which the processor
  handles in microcode (70 times slower on silent input);
- every constant has the arrays' own type: a bare `1 - x` in single precision widens to double and halves the width.

These functions are called through `spikinggamma.kernels`; they neither check nor allocate results, and write into what
they are given. They stay in one file: numba's cache on disk asks whether a kernel's own file has changed, and would go on
using a helper that changed in another.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np
from numba import njit

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "neuron_adjoint",
    "signal_adjoint",
    "signal_forward",
]

BLOCK = 256  # neurons a job: (2 x 16 + 2) buckets of so many floats are 34 KiB, inside a first-level cache
# A product and a sum may fuse into one rounding, and the sign of zero is free; nothing else is reordered.
_compile = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})


@njit(nogil=True)
def _copy(source, target):
    """As `target[:] = source`, which takes numba seconds to compile; `target` may be the longer."""
    for i in range(source.size):
        target[i] = source[i]


@njit(nogil=True)
def _settled(value, tiny):
    """Zero for what is too small to matter."""
    return value if abs(value) > tiny else value - value


@njit(nogil=True)
def _fours(alpha):
    """What each bucket keeps, and takes from the one before, in fours and one more; those that are not there do neither.

    The first takes all of the drive.
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
    """Columns low .. low + width of `rows` [K, N] into `flat`, a block each."""
    for k in range(rows.shape[0]):
        _copy(rows[k, low : low + width], flat[k * BLOCK : (k + 1) * BLOCK])


@njit(nogil=True)
def _put(flat, rows, low, width):
    """The reverse of `_gather`."""
    for k in range(rows.shape[0]):
        _copy(flat[k * BLOCK : k * BLOCK + width], rows[k, low : low + width])


@njit(nogil=True)
def _lanes(width):
    """A block that is not full is computed to the end of its last vector."""
    return (width + 15) // 16 * 16


@njit(nogil=True)
def _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3, tiny):
    """Neuron i of four buckets, a step on; `a` holds what flows into the first, then the buckets."""
    b0, b1, b2 = a[BLOCK + i], a[2 * BLOCK + i], a[3 * BLOCK + i]
    n3 = _settled(k3 * a[4 * BLOCK + i] + t3 * b2, tiny)
    n2 = _settled(k2 * b2 + t2 * b1, tiny)
    n1 = _settled(k1 * b1 + t1 * b0, tiny)
    n0 = _settled(k0 * b0 + t0 * a[i], tiny)
    a[4 * BLOCK + i] = n3
    a[3 * BLOCK + i] = n2
    a[2 * BLOCK + i] = n1
    a[BLOCK + i] = n0
    return n0, n1, n2, n3


@njit(nogil=True)
def _fill(h, keep, take, tiny, lanes):
    """One step of the chain: `h` holds the drive, then every bucket."""
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        for i in range(lanes):
            _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3, tiny)


@njit(nogil=True)
def _fill_and_mix(h, v, x, keep, take, tiny, lanes):
    """The same, and Σ_k v_k h_k added to `x`."""
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        w = v[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            n0, n1, n2, n3 = _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3, tiny)
            x[i] += (w[i] * n0 + w[BLOCK + i] * n1) + (w[2 * BLOCK + i] * n2 + w[3 * BLOCK + i] * n3)


@njit(nogil=True)
def _fill_and_weigh(h, delta, total, keep, take, tiny, lanes):
    """The same, and δ h_k added to each row of `total`."""
    for q in range(keep.size - 5, -1, -4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t0, t1, t2, t3 = take[q], take[q + 1], take[q + 2], take[q + 3]
        a = h[q * BLOCK : (q + 5) * BLOCK]
        w = total[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            d = delta[i]
            n0, n1, n2, n3 = _four(a, i, k0, k1, k2, k3, t0, t1, t2, t3, tiny)
            w[i] += d * n0
            w[BLOCK + i] += d * n1
            w[2 * BLOCK + i] += d * n2
            w[3 * BLOCK + i] += d * n3


@njit(nogil=True)
def _four_back(a, i, k0, k1, k2, k3, t1, t2, t3, t4, e0, e1, e2, e3, tiny):
    """Neuron i's blame on four buckets, a step back; `a` holds theirs, then that on the next."""
    b1, b2, b3 = a[BLOCK + i], a[2 * BLOCK + i], a[3 * BLOCK + i]
    a[i] = _settled(k0 * a[i] + t1 * b1 + e0, tiny)
    a[BLOCK + i] = _settled(k1 * b1 + t2 * b2 + e1, tiny)
    a[2 * BLOCK + i] = _settled(k2 * b2 + t3 * b3 + e2, tiny)
    a[3 * BLOCK + i] = _settled(k3 * b3 + t4 * a[4 * BLOCK + i] + e3, tiny)


@njit(nogil=True)
def _blame(g, e, keep, take, tiny, lanes):
    """One step back: g_k becomes keep_k g_k + take_{k+1} g_{k+1} + e_k, the first four first; a row of zeros ends `g`."""
    for q in range(0, keep.size - 1, 4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t1, t2, t3, t4 = take[q + 1], take[q + 2], take[q + 3], take[q + 4]
        a = g[q * BLOCK : (q + 5) * BLOCK]
        w = e[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            e0, e1, e2, e3 = w[i], w[BLOCK + i], w[2 * BLOCK + i], w[3 * BLOCK + i]
            _four_back(a, i, k0, k1, k2, k3, t1, t2, t3, t4, e0, e1, e2, e3, tiny)


@njit(nogil=True)
def _blame_by_weight(g, v, delta, keep, take, tiny, lanes):
    """The same with e_k = v_k δ."""
    for q in range(0, keep.size - 1, 4):
        k0, k1, k2, k3 = keep[q], keep[q + 1], keep[q + 2], keep[q + 3]
        t1, t2, t3, t4 = take[q + 1], take[q + 2], take[q + 3], take[q + 4]
        a = g[q * BLOCK : (q + 5) * BLOCK]
        w = v[q * BLOCK : (q + 4) * BLOCK]
        for i in range(lanes):
            d = delta[i]
            e0, e1, e2, e3 = w[i] * d, w[BLOCK + i] * d, w[2 * BLOCK + i] * d, w[3 * BLOCK + i] * d
            _four_back(a, i, k0, k1, k2, k3, t1, t2, t3, t4, e0, e1, e2, e3, tiny)


@njit(nogil=True)
def _before(g, keep, take, carried, sample, low, width):
    """∂ℓ/∂h before the first step, of a block."""
    for k in range(carried.shape[0]):
        row = carried[k, sample, low : low + width]
        a = g[k * BLOCK : (k + 2) * BLOCK]
        for i in range(row.size):
            row[i] = keep[k] * a[i] + take[k + 1] * a[BLOCK + i]


@_compile
def code_forward(share, shares, signal, decay_0, threshold, adaptation, decay, cap, tiny, estimate, rise, sent, counts):
    """The sigma-delta code of max(x, 0): x [T,B,N] to what travels and, unless empty, its counts [T,B,N]; state in place."""
    steps, batch, neurons = signal.shape
    half = signal.dtype.type(0.5)
    zero = signal.dtype.type(0)
    blocks = (neurons + BLOCK - 1) // BLOCK
    a = np.zeros(5 * BLOCK, signal.dtype)  # signal, estimate, rise, what travels, its count
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        _copy(estimate[sample, here], a[BLOCK:])
        _copy(rise[sample, here], a[2 * BLOCK :])
        for t in range(steps):
            _copy(signal[t, sample, here], a)
            for i in range(_lanes(width)):
                decayed = _settled(decay_0 * a[BLOCK + i], tiny)
                height = threshold + a[2 * BLOCK + i]
                missing = max(a[i] - decayed, zero)
                count = min(np.floor(missing / (height + height) + half), cap)
                step = (height + height) * count
                a[BLOCK + i] = decayed + step
                a[2 * BLOCK + i] = _settled(decay * (a[2 * BLOCK + i] + adaptation * height * count), tiny)
                a[3 * BLOCK + i] = step
                a[4 * BLOCK + i] = count
            _copy(a[3 * BLOCK : 3 * BLOCK + width], sent[t, sample, here])
            if counts.size > 0:
                number = counts[t, sample, here]
                for i in range(number.size):
                    number[i] = a[4 * BLOCK + i]
        _copy(a[BLOCK : BLOCK + width], estimate[sample, here])
        _copy(a[2 * BLOCK : 2 * BLOCK + width], rise[sample, here])


@_compile
def signal_forward(share, shares, drive, weight, bias, alpha, tiny, buckets, signal):
    """Buckets and their weighted sum x(t), without a code. State in place."""
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
            _copy(bias[here], x)
            _fill_and_mix(h, v, x, keep, take, tiny, _lanes(width))
            _copy(x[:width], signal[t, sample, here])
        _put(h[BLOCK:], buckets[:, sample], low, width)


@_compile
def signal_adjoint(share, shares, blame, weight, alpha, tiny, carried, result):
    """δ(t) = ∂ℓ/∂x [T,B,N] backwards through the weighted chain: `result` ∂ℓ/∂u, `carried` ∂ℓ/∂h before the first step."""
    steps, batch, neurons = blame.shape
    keep, take = _fours(alpha)
    g = np.zeros(keep.size * BLOCK, blame.dtype)
    v = np.zeros((keep.size - 1) * BLOCK, blame.dtype)
    delta = np.zeros(BLOCK, blame.dtype)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        g[:] = 0
        _gather(weight, low, width, v)
        for t in range(steps - 1, -1, -1):
            _copy(blame[t, sample, here], delta)
            _blame_by_weight(g, v, delta, keep, take, tiny, _lanes(width))
            _copy(g[:width], result[t, sample, here])
        _before(g, keep, take, carried, sample, low, width)


@_compile
def neuron_adjoint(share, shares, blame, signal, weight, alpha, tiny, delta, result):
    """As `signal_adjoint`, of blame on what is sent: `delta` becomes δ(t) = b(t) - α_0 b(t+1) where x(t) > 0, else zero."""
    steps, batch, neurons = blame.shape
    keep, take = _fours(alpha)
    g = np.zeros(keep.size * BLOCK, blame.dtype)
    v = np.zeros((keep.size - 1) * BLOCK, blame.dtype)
    a = np.zeros(4 * BLOCK, blame.dtype)  # δ, x, blame now and a step later
    decay_0 = alpha[0]
    zero = blame.dtype.type(0)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        g[:] = 0
        a[:] = 0
        _gather(weight, low, width, v)
        for t in range(steps - 1, -1, -1):
            _copy(signal[t, sample, here], a[BLOCK:])
            _copy(blame[t, sample, here], a[2 * BLOCK :])
            for i in range(_lanes(width)):
                b = a[2 * BLOCK + i] - decay_0 * a[3 * BLOCK + i]
                a[i] = b if a[BLOCK + i] > 0 else zero
                a[3 * BLOCK + i] = a[2 * BLOCK + i]
            _blame_by_weight(g, v, a[:BLOCK], keep, take, tiny, _lanes(width))
            _copy(a[:width], delta[t, sample, here])
            _copy(g[:width], result[t, sample, here])


@_compile
def bucket_products(share, shares, blame, drive, alpha, tiny, buckets, result):
    """∂ℓ/∂v_k = Σ_t δ(t) h_k(t), summed over the batch, into `result` [K,N]; the buckets are filled anew from the drive."""
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
                _copy(blame[t, sample, here], delta)
                _fill_and_weigh(h, delta, total, keep, take, tiny, _lanes(width))
        _put(total, result, low, width)


@_compile
def filter_forward(share, shares, drive, alpha, tiny, buckets, traces):
    """Every bucket at every step: drive [T,B,M] to `traces` [T,B,K,M]; state in place."""
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
            _fill(h, keep, take, tiny, _lanes(width))
            _put(h[BLOCK:], traces[t, sample], low, width)
        _put(h[BLOCK:], buckets[:, sample], low, width)


@_compile
def filter_adjoint(share, shares, blame, alpha, tiny, carried, result):
    """e_k(t) = ∂ℓ/∂h_k [T,B,K,M] backwards through the chain: `result` g_k(t) [T,B,K,M], `carried` as in signal_adjoint."""
    steps, batch, _, cells = blame.shape
    keep, take = _fours(alpha)
    g = np.zeros(keep.size * BLOCK, blame.dtype)
    e = np.zeros((keep.size - 1) * BLOCK, blame.dtype)
    blocks = (cells + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, cells - low)
        g[:] = 0
        for t in range(steps - 1, -1, -1):
            _gather(blame[t, sample], low, width, e)
            _blame(g, e, keep, take, tiny, _lanes(width))
            _put(g, result[t, sample], low, width)
        _before(g, keep, take, carried, sample, low, width)
