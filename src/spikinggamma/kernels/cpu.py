"""The scans over time, compiled for the processor by numba.

Every kernel walks time once for a block of neurons of one sample, with the block's buckets in the nearest cache; nothing
that has K times the size of the signal is written unless it is what was asked for. A call does one share of `shares` of the
blocks and holds no lock, so that as many Python threads as there are shares do all of them: numba's own threads cost two
to three times as long to compile. Four habits make the inner loops fast, each measured:

- the chain reads one array and writes another, then swaps them: in place, the compiler cannot prove that bucket k - 1 is
  not bucket k, and falls back to one neuron at a time (2 to 3 times slower);
- an inner loop counts to the length of an array that it touches: to a number held in a variable, the compiler checks every
  index and falls back as well (6 times slower);
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

__all__ = ["bucket_products", "code_forward", "filter_adjoint", "filter_forward", "signal_adjoint", "signal_forward"]

BLOCK = 128  # neurons a job: 2 x 16 buckets of 128 floats are 16 KiB, inside a first-level cache
LANES = 16  # a narrow layer is padded to whole vectors of so many floats, not to a whole block
# A product and a sum may fuse into one rounding, and the sign of zero is free; nothing else is reordered.
_compile = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})


@njit(nogil=True)
def _copy(source, target):
    """As `target[:] = source`, which takes numba seconds to compile; `target` may be the shorter."""
    for i in range(target.size):
        target[i] = source[i]


@njit(nogil=True)
def _spill_of(alpha):
    """1 - α in α's own precision."""
    spills = np.empty_like(alpha)
    one = alpha.dtype.type(1)
    for k in range(alpha.size):
        spills[k] = one - alpha[k]
    return spills


@njit(nogil=True)
def _settled(value):
    """Zero for what is too small to matter."""
    return value if abs(value) > 1e-20 else value - value


@njit(nogil=True)
def _fill(old, new, drive, alpha, spills, x, weight):
    """One step of the chain for one block, `old` to `new`, adding v_k h_k to `x`."""
    keep = alpha[0]
    for i in range(drive.size):
        h = _settled(keep * old[0, i] + drive[i])
        new[0, i] = h
        x[i] += weight[0, i] * h
    for k in range(1, alpha.size):
        keep = alpha[k]
        spill = spills[k]
        for i in range(old.shape[1]):
            h = _settled(keep * old[k, i] + spill * old[k - 1, i])
            new[k, i] = h
            x[i] += weight[k, i] * h


@njit(nogil=True)
def _padded(neurons):
    """Columns of a block of a layer this wide."""
    return min(BLOCK, (neurons + LANES - 1) // LANES * LANES)


@njit(nogil=True)
def _block_of(rows, low, width):
    """Columns low .. low + width of `rows` [K, N], padded with zeros to the width of a block."""
    block = np.zeros((rows.shape[0], _padded(rows.shape[1])), rows.dtype)
    for k in range(rows.shape[0]):
        _copy(rows[k, low : low + width], block[k, :width])
    return block


@njit(nogil=True)
def _put(block, rows, low, width):
    """The reverse of `_block_of`."""
    for k in range(rows.shape[0]):
        _copy(block[k], rows[k, low : low + width])


@_compile
def code_forward(share, shares, signal, decay_0, threshold, adaptation, decay, cap, estimate, rise, sent, counts):
    """The sigma-delta code of max(x, 0): x [T,B,N] to what travels and its spike counts, [T,B,N]; state in place."""
    steps, batch, neurons = signal.shape
    half = signal.dtype.type(0.5)
    zero = signal.dtype.type(0)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        here = slice(low, min(low + BLOCK, neurons))
        guess = estimate[sample, here].copy()
        extra = rise[sample, here].copy()
        for t in range(steps):
            x = signal[t, sample, here]
            out = sent[t, sample, here]
            number = counts[t, sample, here]
            for i in range(x.size):
                decayed = _settled(decay_0 * guess[i])
                height = threshold + extra[i]
                missing = max(x[i] - decayed, zero)
                count = min(np.floor(missing / (height + height) + half), cap)
                step = (height + height) * count
                out[i] = step
                number[i] = count
                guess[i] = decayed + step
                extra[i] = _settled(decay * (extra[i] + adaptation * height * count))
        _copy(guess, estimate[sample, here])
        _copy(extra, rise[sample, here])


@_compile
def signal_forward(share, shares, drive, weight, bias, alpha, buckets, signal):
    """Buckets and their weighted sum x(t), without a code. State in place."""
    steps, batch, neurons = drive.shape
    spills = _spill_of(alpha)
    size = _padded(neurons)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        old = _block_of(buckets[:, sample], low, width)
        new = np.zeros_like(old)
        v = _block_of(weight, low, width)
        x = np.zeros(size, drive.dtype)
        for t in range(steps):
            _copy(bias[here], x[:width])
            _fill(old, new, drive[t, sample, here], alpha, spills, x, v)
            old, new = new, old
            _copy(x, signal[t, sample, here])
        _put(old, buckets[:, sample], low, width)


@_compile
def signal_adjoint(share, shares, blame, weight, alpha, carried, result):
    """δ(t) = ∂ℓ/∂x [T,B,N] backwards through the weighted chain: `result` ∂ℓ/∂u, `carried` ∂ℓ/∂h before the first step."""
    steps, batch, neurons = blame.shape
    order = alpha.size
    spills = _spill_of(alpha)
    size = _padded(neurons)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        # `late` is what each bucket of step t + 1 was to blame for; its extra row, zero, closes the chain.
        late = np.zeros((order + 1, size), blame.dtype)
        early = np.zeros((order + 1, size), blame.dtype)
        v = _block_of(weight, low, width)
        delta = np.zeros(size, blame.dtype)
        for t in range(steps - 1, -1, -1):
            _copy(blame[t, sample, here], delta[:width])
            for k in range(order):
                keep = alpha[k]
                spill = spills[k + 1] if k + 1 < order else spills[0] - spills[0]
                for i in range(early.shape[1]):
                    early[k, i] = _settled(keep * late[k, i] + spill * late[k + 1, i] + v[k, i] * delta[i])
            early, late = late, early
            _copy(late[0], result[t, sample, here])
        for k in range(order):
            spill = spills[k + 1] if k + 1 < order else spills[0] - spills[0]
            for i in range(width):
                carried[k, sample, low + i] = alpha[k] * late[k, i] + spill * late[k + 1, i]


@_compile
def bucket_products(share, shares, blame, drive, alpha, buckets, result):
    """∂ℓ/∂v_k = Σ_t δ(t) h_k(t), summed over the batch, into `result` [K,N]; the buckets are filled anew from the drive."""
    steps, batch, neurons = drive.shape
    order = alpha.size
    spills = _spill_of(alpha)
    size = _padded(neurons)
    blocks = (neurons + BLOCK - 1) // BLOCK
    for job in range(share, blocks, shares):
        low = job * BLOCK
        width = min(BLOCK, neurons - low)
        here = slice(low, low + width)
        new = np.zeros((order, size), drive.dtype)
        total = np.zeros((order, size), drive.dtype)
        u = np.zeros(size, drive.dtype)
        delta = np.zeros(size, drive.dtype)
        for sample in range(batch):
            old = _block_of(buckets[:, sample], low, width)
            for t in range(steps):
                _copy(drive[t, sample, here], u[:width])
                _copy(blame[t, sample, here], delta[:width])
                for i in range(new.shape[1]):
                    h = _settled(alpha[0] * old[0, i] + u[i])
                    new[0, i] = h
                    total[0, i] += delta[i] * h
                for k in range(1, order):
                    keep = alpha[k]
                    spill = spills[k]
                    for i in range(new.shape[1]):
                        h = _settled(keep * old[k, i] + spill * old[k - 1, i])
                        new[k, i] = h
                        total[k, i] += delta[i] * h
                old, new = new, old
        _put(total, result, low, width)


@_compile
def filter_forward(share, shares, drive, alpha, buckets, traces):
    """Every bucket at every step: drive [T,B,M] to `traces` [T,B,K,M]; state in place."""
    steps, batch, cells = drive.shape
    order = alpha.size
    spills = _spill_of(alpha)
    size = _padded(cells)
    blocks = (cells + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, cells - low)
        here = slice(low, low + width)
        old = _block_of(buckets[:, sample], low, width)
        new = np.zeros_like(old)
        u = np.zeros(size, drive.dtype)
        for t in range(steps):
            _copy(drive[t, sample, here], u[:width])
            for i in range(new.shape[1]):
                new[0, i] = _settled(alpha[0] * old[0, i] + u[i])
            for k in range(1, order):
                keep = alpha[k]
                spill = spills[k]
                for i in range(new.shape[1]):
                    new[k, i] = _settled(keep * old[k, i] + spill * old[k - 1, i])
            _put(new, traces[t, sample], low, width)
            old, new = new, old
        _put(old, buckets[:, sample], low, width)


@_compile
def filter_adjoint(share, shares, blame, alpha, carried, result):
    """e_k(t) = ∂ℓ/∂h_k [T,B,K,M] backwards through the chain: `result` g_k(t) [T,B,K,M], `carried` as in signal_adjoint."""
    steps, batch, order, cells = blame.shape
    spills = _spill_of(alpha)
    size = _padded(cells)
    blocks = (cells + BLOCK - 1) // BLOCK
    for job in range(share, batch * blocks, shares):
        sample = job // blocks
        low = (job % blocks) * BLOCK
        width = min(BLOCK, cells - low)
        here = slice(low, low + width)
        late = np.zeros((order + 1, size), blame.dtype)
        early = np.zeros((order + 1, size), blame.dtype)
        e = np.zeros((order, size), blame.dtype)
        for t in range(steps - 1, -1, -1):
            for k in range(order):
                _copy(blame[t, sample, k, here], e[k, :width])
            for k in range(order):
                keep = alpha[k]
                spill = spills[k + 1] if k + 1 < order else spills[0] - spills[0]
                for i in range(early.shape[1]):
                    early[k, i] = _settled(keep * late[k, i] + spill * late[k + 1, i] + e[k, i])
            early, late = late, early
            _put(late, result[t, sample], low, width)
        for k in range(order):
            spill = spills[k + 1] if k + 1 < order else spills[0] - spills[0]
            for i in range(width):
                carried[k, sample, low + i] = alpha[k] * late[k, i] + spill * late[k + 1, i]
