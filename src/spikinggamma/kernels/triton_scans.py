"""The scans over time for a GPU, in Triton: one program runs through time once for a block of neurons of one sample.

Buckets, weights and decays of the block stay in registers from the first step to the last, so a scan reads and writes
each signal once, in one launch for any number of steps. As on the processor, arrays K times as large as the signal are
written only if they are the result. Without a GPU, Triton's interpreter runs the same code (`TRITON_INTERPRET=1`).

Signals are [T, B, N], traces [T, B, K, N], buckets [K, B, N], weights [K, N], all of one element type. `keep` and
`take` [K] are α and the factor by which a bucket takes from the one before: 1 for the first, which takes the whole
drive, else 1 - α. A backward scan receives a pointer to its last step and moves back from there, because 32 bits cannot
index all numbers of a long recording. The functions are called through `spikinggamma.kernels.triton_backend`.

The file is longer than others since Triton compiles a kernel with the functions of its own file.
"""

# Unannotated on purpose: these functions are compiled, and their arguments are pointers.
# mypy: disable-error-code="no-untyped-def,assignment"
# ruff: noqa: RUF005  (Triton adds tuples, and knows no stars)
from __future__ import annotations

import triton
import triton.language as tl

__all__ = [
    "bucket_products",
    "code_forward",
    "filter_adjoint",
    "filter_forward",
    "neuron_adjoint",
    "neuron_forward",
    "signal_adjoint",
    "signal_forward",
    "window_adjoint",
]


@triton.jit
def _rows(base, first, K: tl.constexpr, stride, mask):
    """Return K rows of a block, `stride` apart, as a tuple."""
    lines = ()
    for k in tl.static_range(K):
        lines = lines + (tl.load(base + k * stride + first, mask=mask, other=0.0),)
    return lines


@triton.jit
def _numbers(base, K: tl.constexpr):
    """Return K numbers as a tuple."""
    numbers = ()
    for k in tl.static_range(K):
        numbers = numbers + (tl.load(base + k),)
    return numbers


@triton.jit
def _filled(h, below, keep, take, K: tl.constexpr):
    """Return the buckets after one step of the chain, with the inflow `below` into the first."""
    new = ()
    for k in tl.static_range(K):
        new = new + (keep[k] * h[k] + take[k] * below,)
        below = h[k]
    return new


@triton.jit
def _blamed(g, e, keep, take, K: tl.constexpr):
    """Move one step back: return keep_k g_k + take_{k+1} g_{k+1} + e_k."""
    new = ()
    for k in tl.static_range(K):
        value = keep[k] * g[k] + e[k]
        if k + 1 < K:
            value += take[k + 1] * g[k + 1]
        new = new + (value,)
    return new


@triton.jit
def _weighed(v, delta, K: tl.constexpr):
    """Return v_k δ."""
    e = ()
    for k in tl.static_range(K):
        e = e + (v[k] * delta,)
    return e


@triton.jit
def _mixed(h, v, x, K: tl.constexpr):
    """Return x + Σ_k v_k h_k."""
    for k in tl.static_range(K):
        x += v[k] * h[k]
    return x


@triton.jit
def _added(total, h, d, K: tl.constexpr):
    """Return total_k + d h_k."""
    new = ()
    for k in tl.static_range(K):
        new = new + (total[k] + d * h[k],)
    return new


@triton.jit
def _spoken(x, guess, extra, code):
    """Run one step of the sigma-delta code: return the new estimate and rise, the message, and its count."""
    decayed = code[0] * guess
    height = code[1] + extra
    count = tl.minimum(tl.floor(tl.maximum(x - decayed, 0.0) / (height + height) + 0.5), code[4])
    step = (height + height) * count
    return decayed + step, code[3] * (extra + code[2] * height * count), step, count


@triton.jit
def _put_before(g, keep, take, carried, sample, n, mask, B, N, K: tl.constexpr):
    """Write ∂ℓ/∂h before the first step."""
    for k in tl.static_range(K):
        value = keep[k] * g[k]
        if k + 1 < K:
            value += take[k + 1] * g[k + 1]
        tl.store(carried + (k * B + sample) * N + n, value, mask=mask)


@triton.jit
def signal_forward(drive, weight, bias, keep, take, buckets, signal, T, B, N, K: tl.constexpr, BLOCK: tl.constexpr):
    """Write x(t) = b + Σ_k v_k h_k(t); the buckets change in place."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    h, v = _rows(buckets, here, K, B * N, mask), _rows(weight, n, K, N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    b = tl.load(bias + n, mask=mask, other=0.0)
    for _ in range(T):
        h = _filled(h, tl.load(drive + here, mask=mask, other=0.0), kept, taken, K)
        tl.store(signal + here, _mixed(h, v, b, K), mask=mask)
        drive += B * N
        signal += B * N
    for k in tl.static_range(K):
        tl.store(buckets + k * B * N + here, h[k], mask=mask)


@triton.jit
def code_forward(
    signal,
    numbers,
    estimate,
    rise,
    sent,
    counts,
    T,
    B,
    N,
    COUNTING: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Encode max(x, 0): write the message and, if counting, its spike counts; the state changes in place.

    `numbers` are α_0, ϑ, m, the decay of the adaptation and the largest number of spikes per step.
    """
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    guess = tl.load(estimate + here, mask=mask, other=0.0)
    extra = tl.load(rise + here, mask=mask, other=0.0)
    code = _numbers(numbers, 5)
    for _ in range(T):
        guess, extra, step, count = _spoken(tl.load(signal + here, mask=mask, other=0.0), guess, extra, code)
        tl.store(sent + here, step, mask=mask)
        if COUNTING:
            tl.store(counts + here, count.to(tl.int32), mask=mask)
            counts += B * N
        signal += B * N
        sent += B * N
    tl.store(estimate + here, guess, mask=mask)
    tl.store(rise + here, extra, mask=mask)


@triton.jit
def signal_adjoint(grad, weight, keep, take, carried, result, T, B, N, K: tl.constexpr, BLOCK: tl.constexpr):
    """Write r = ∂ℓ/∂u and ∂ℓ/∂h before the first step, for δ = ∂ℓ/∂x."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    v = _rows(weight, n, K, N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    g = _weighed(v, tl.zeros_like(v[0]), K)
    for _ in range(T):
        delta = tl.load(grad + here, mask=mask, other=0.0)
        g = _blamed(g, _weighed(v, delta, K), kept, taken, K)
        tl.store(result + here, g[0], mask=mask)
        grad -= B * N
        result -= B * N
    _put_before(g, kept, taken, carried, sample, n, mask, B, N, K)


@triton.jit
def neuron_forward(
    drive,
    weight,
    bias,
    keep,
    take,
    numbers,
    buckets,
    estimate,
    rise,
    signal,
    sent,
    counts,
    T,
    B,
    N,
    K: tl.constexpr,
    COUNTING: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Run `signal_forward` and `code_forward` in one; the state changes in place."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    h, v = _rows(buckets, here, K, B * N, mask), _rows(weight, n, K, N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    b = tl.load(bias + n, mask=mask, other=0.0)
    guess = tl.load(estimate + here, mask=mask, other=0.0)
    extra = tl.load(rise + here, mask=mask, other=0.0)
    code = _numbers(numbers, 5)
    for _ in range(T):
        h = _filled(h, tl.load(drive + here, mask=mask, other=0.0), kept, taken, K)
        x = _mixed(h, v, b, K)
        guess, extra, step, count = _spoken(x, guess, extra, code)
        tl.store(signal + here, x, mask=mask)
        tl.store(sent + here, step, mask=mask)
        if COUNTING:
            tl.store(counts + here, count.to(tl.int32), mask=mask)
            counts += B * N
        drive += B * N
        signal += B * N
        sent += B * N
    for k in tl.static_range(K):
        tl.store(buckets + k * B * N + here, h[k], mask=mask)
    tl.store(estimate + here, guess, mask=mask)
    tl.store(rise + here, extra, mask=mask)


@triton.jit
def _told(grad, signal, later, decay_0, here, mask, GATED: tl.constexpr):
    """Return ∂ℓ/∂s at a step, and δ computed from it if there is a gate; else the given gradient is δ."""
    b = tl.load(grad + here, mask=mask, other=0.0)
    d = b
    if GATED:
        x = tl.load(signal + here, mask=mask, other=0.0)
        d = tl.where(x > 0.0, b - decay_0 * later, tl.zeros_like(b))
    return b, d


@triton.jit
def neuron_adjoint(
    grad,
    signal,
    drive,
    weight,
    keep,
    take,
    buckets,
    result,
    total,
    bias,
    T,
    B,
    N,
    K: tl.constexpr,
    GATED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Write r, and for each sample ∂ℓ/∂v [K, B, N] and ∂ℓ/∂b [B, N], from ∂ℓ/∂s, or from δ without a gate."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    v, h = _rows(weight, n, K, N, mask), _rows(buckets, here, K, B * N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    later = tl.zeros_like(v[0])
    p, sums, summed = _weighed(v, later, K), _weighed(v, later, K), later
    for _ in range(T):
        later, d = _told(grad, signal, later, kept[0], here, mask, GATED)
        summed += d
        p = _filled(p, d, kept, taken, K)
        sums = _added(sums, p, tl.load(drive + here, mask=mask, other=0.0), K)
        tl.store(result + here, _mixed(p, v, tl.zeros_like(d), K), mask=mask)
        grad -= B * N
        signal -= B * N
        drive -= B * N
        result -= B * N
    left = tl.zeros_like(later)
    for k in tl.static_range(K):
        left += tl.abs(h[k])
    if tl.max(left, 0) > 0.0:  # initial buckets are not part of the drive and need a forward pass
        for t in range(T):
            grad += B * N
            signal += B * N
            after = tl.load(grad + B * N + here, mask=mask & (n * 0 + t + 1 < T), other=0.0)
            after, d = _told(grad, signal, after, kept[0], here, mask, GATED)
            h = _filled(h, tl.zeros_like(d), kept, taken, K)
            sums = _added(sums, h, d, K)
    for k in tl.static_range(K):
        tl.store(total + k * B * N + here, sums[k], mask=mask)
    tl.store(bias + here, summed, mask=mask)


@triton.jit
def window_adjoint(
    grad,
    signal,
    drive,
    weight,
    keep,
    take,
    buckets,
    result,
    total,
    bias,
    T,
    S,
    B,
    N,
    K: tl.constexpr,
    GATED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Run `neuron_adjoint` with ∂ℓ/∂v and ∂ℓ/∂b of the first S steps only.

    `drive` is a pointer to its first step, since it is read forwards.
    """
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    v, h = _rows(weight, n, K, N, mask), _rows(buckets, here, K, B * N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    later = tl.zeros_like(v[0])
    g, sums, summed = _weighed(v, later, K), _weighed(v, later, K), later
    for back in range(T):
        later, d = _told(grad, signal, later, kept[0], here, mask, GATED)
        summed += tl.where(n * 0 + T - back <= S, d, tl.zeros_like(d))
        g = _blamed(g, _weighed(v, d, K), kept, taken, K)
        tl.store(result + here, g[0], mask=mask)
        grad -= B * N
        signal -= B * N
        result -= B * N
    for t in range(S):
        grad += B * N
        signal += B * N
        after = tl.load(grad + B * N + here, mask=mask & (n * 0 + t + 1 < T), other=0.0)
        after, d = _told(grad, signal, after, kept[0], here, mask, GATED)
        h = _filled(h, tl.load(drive + here, mask=mask, other=0.0), kept, taken, K)
        sums = _added(sums, h, d, K)
        drive += B * N
    for k in tl.static_range(K):
        tl.store(total + k * B * N + here, sums[k], mask=mask)
    tl.store(bias + here, summed, mask=mask)


@triton.jit
def bucket_products(grad, drive, keep, take, buckets, result, T, B, N, K: tl.constexpr, BLOCK: tl.constexpr):
    """Write Σ_t δ(t) h_k(t) of each sample to `result` [K, B, N], with buckets computed from the drive."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    h = _rows(buckets, here, K, B * N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    total = _weighed(h, tl.zeros_like(h[0]), K)
    for _ in range(T):
        h = _filled(h, tl.load(drive + here, mask=mask, other=0.0), kept, taken, K)
        d = tl.load(grad + here, mask=mask, other=0.0)
        total = _added(total, h, d, K)
        grad += B * N
        drive += B * N
    for k in tl.static_range(K):
        tl.store(result + k * B * N + here, total[k], mask=mask)


@triton.jit
def filter_forward(drive, keep, take, buckets, traces, T, B, N, K: tl.constexpr, BLOCK: tl.constexpr):
    """Write every bucket at every step; the buckets change in place."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    here, mask = sample * N + n, n < N
    h = _rows(buckets, here, K, B * N, mask)
    kept, taken = _numbers(keep, K), _numbers(take, K)
    for _ in range(T):
        h = _filled(h, tl.load(drive + here, mask=mask, other=0.0), kept, taken, K)
        for k in tl.static_range(K):
            tl.store(traces + (sample * K + k) * N + n, h[k], mask=mask)
        drive += B * N
        traces += B * K * N
    for k in tl.static_range(K):
        tl.store(buckets + k * B * N + here, h[k], mask=mask)


@triton.jit
def filter_adjoint(grad, keep, take, carried, result, T, B, N, K: tl.constexpr, BLOCK: tl.constexpr):
    """Write g_k(t) for e_k(t) = ∂ℓ/∂h_k, and ∂ℓ/∂h before the first step."""
    sample, n = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    mask = n < N
    first = sample * K * N + n
    kept, taken = _numbers(keep, K), _numbers(take, K)
    g = _rows(grad, first, K, N, n < 0)  # zeros
    for _ in range(T):
        g = _blamed(g, _rows(grad, first, K, N, mask), kept, taken, K)
        for k in tl.static_range(K):
            tl.store(result + first + k * N, g[k], mask=mask)
        grad -= B * K * N
        result -= B * K * N
    _put_before(g, kept, taken, carried, sample, n, mask, B, N, K)
