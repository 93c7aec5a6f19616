"""First spikes under the rectified linear potential and their gradients, compiled for the processor by numba.

Inputs arrive in their order; after each of them the membrane is the straight line A t - S with A = Σ w and S = Σ w t_i, so a
neuron spikes before the next input if the line reaches the threshold there. A block of neurons takes the inputs of a sample
one after the other, a row of weights each, until all of them have spiked. Backwards, with c = ∂ℓ/∂t_j / V_j'(t_j):

    ∂ℓ/∂w_ji = -Σ_B c (t_j - t_i) 1[t_i < t_j],    ∂ℓ/∂t_i = Σ_j c w_ji 1[t_i < t_j]

Weights come and go as [I, J]: a row is what one input says to all neurons. These functions neither check nor allocate results;
see `cpu` for the habits that all scans share.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import numpy as np
from numba import njit

from spikinggamma.kernels.compilation import compiled

__all__ = ["BLOCK", "rel_psp_backward", "rel_psp_forward"]

BLOCK = 512  # neurons a job


@njit(nogil=True)
def _take(row, now, following, threshold, slope, moment, at, steep):
    """Take one input: a neuron spikes if its line reaches the threshold before the next input.

    `at` keeps S for now, which is divided when all times are known. No branch, so that it is done many neurons at a time.
    """
    for j in range(row.size):
        rising = slope[j] + row[j]
        offset = moment[j] + row[j] * now
        slope[j] = rising
        moment[j] = offset
        spikes = (rising * following - offset >= threshold) & (steep[j] == 0)
        at[j] = offset if spikes else at[j]
        steep[j] = rising if spikes else steep[j]


@njit(nogil=True)
def _silent(steep):
    """Return whether a neuron has not spiked yet; a slope of 0 says so, as a membrane that reaches the threshold rises."""
    return any(steep[j] == 0 for j in range(steep.size))


@compiled
def rel_psp_forward(share, shares, order, arrival, weight, threshold, times, slopes):
    """Inputs in order [B,I], their times of arrival [B,I], weights [I,J] to spike times and slopes there [B,J].

    `times` and `slopes` come as infinite and zero.
    """
    batch, inputs = order.shape
    neurons = weight.shape[1]
    for job in range(share, (neurons + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, neurons))
        width = here.stop - here.start
        slope = np.empty(width, weight.dtype)
        moment = np.empty(width, weight.dtype)
        for b in range(batch):
            at = times[b, here]
            steep = slopes[b, here]
            slope[:] = 0
            moment[:] = 0
            for k in range(inputs):
                now = arrival[b, k]
                if now == np.inf:
                    break
                following = arrival[b, k + 1] if k + 1 < inputs else np.inf
                if following == np.inf:
                    # The last line goes on for ever, and reaches the threshold if it rises at all.
                    _last(weight[order[b, k], here], now, slope, moment, at, steep)
                    break
                _take(weight[order[b, k], here], now, following, threshold, slope, moment, at, steep)
                if not _silent(steep):
                    break
            for j in range(width):
                if steep[j] != 0:
                    at[j] = (threshold + at[j]) / steep[j]


@njit(nogil=True)
def _last(row, now, slope, moment, at, steep):
    for j in range(row.size):
        slope[j] += row[j]
        moment[j] += row[j] * now
        if steep[j] == 0 and slope[j] > 0:
            at[j] = moment[j]
            steep[j] = slope[j]


@compiled
def rel_psp_backward(share, shares, order, arrival, weight, times, blame, to_weight, to_times):
    """c [B,J] to gradients of weights [I,J] and of times of arrival, a part for each job [jobs,B,I] (none: [jobs,0,0])."""
    batch, inputs = order.shape
    neurons = weight.shape[1]
    asked = to_times.shape[1] > 0
    for job in range(share, (neurons + BLOCK - 1) // BLOCK, shares):
        here = slice(job * BLOCK, min((job + 1) * BLOCK, neurons))
        for b in range(batch):
            at = times[b, here]
            c = blame[b, here]
            latest = _latest(at)
            for k in range(inputs):
                now = arrival[b, k]
                if now >= latest:
                    break
                i = order[b, k]
                row = to_weight[i, here]
                for j in range(at.size):
                    row[j] -= c[j] * (at[j] - now) if at[j] > now and at[j] != np.inf else 0
                if asked:
                    to_times[job, b, i] = _told(weight[i, here], at, c, now)


@njit(nogil=True)
def _latest(at):
    latest = -np.inf
    for j in range(at.size):
        if at[j] != np.inf and at[j] > latest:
            latest = at[j]
    return latest


@njit(nogil=True)
def _told(row, at, c, now):
    total = row[0] * 0
    for j in range(row.size):
        total += c[j] * row[j] if at[j] > now and at[j] != np.inf else 0
    return total
