"""Products with spikes that visit only spikes, compiled for the processor by numba.

Spikes [R, M], with one row for each step and sample, are listed first: columns and values of nonzero entries, row by
row, each from `begins` to `ends` [R]. A product then adds, for each listed spike, one row of a matrix [M, N] to a row
of the result (or, for the gradient, one row of the error signal to a row of the matrix). Rows are divided into blocks
of `width` neurons, so that a block of the matrix with its M rows stays in the second-level cache, although spikes
access it in any order: [blocks, M, width], packed.

`spikinggamma.kernels.cpu` describes how these functions must be written for numba; they too are called through
`spikinggamma.kernels`.
"""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from spikinggamma.kernels.compilation import compiled
from spikinggamma.kernels.intrinsics import LANES, compress, wide_vectors

__all__ = ["list_events", "spike_linear", "spike_outer"]


@compiled
def list_events(share, shares, spikes, begins, ends, columns, values):
    """List the nonzero entries of `spikes` [R, M], row r from `begins[r]` to `ends[r]` in `columns` and `values`.

    A share is a contiguous set of rows and has its own part of the lists. If a row does not fit, `ends` is -1 from
    there on.
    """
    rows, senders = spikes.shape
    place, limit = columns.size * share // shares, columns.size * (share + 1) // shares
    for row in range(rows * share // shares, rows * (share + 1) // shares):
        line = spikes[row]
        begins[row] = place
        ends[row] = -1
        if place + senders > limit:
            continue
        j = 0
        while j + LANES <= senders:
            place += compress(line, j, columns, values, place)
            j += LANES
        while j < senders:
            columns[place] = j
            values[place] = line[j]
            place += line[j] != 0
            j += 1
        ends[row] = place


@compiled
def spike_linear(share, shares, begins, ends, columns, values, packed, result):
    """Write Σ_j s_j(r) w_ij, from the packed transpose of w, to `result` [R, N]; a share is a run of rows."""
    wide_vectors()
    blocks, _, width = packed.shape
    rows, neurons = result.shape
    first, last = rows * share // shares, rows * (share + 1) // shares
    for block in range(blocks):
        lines = packed[block]
        low = block * width
        here = slice(low, min(low + width, neurons))
        for row in range(first, last):
            out = result[row, here]
            for i in range(out.size):
                out[i] = 0
            event, end = begins[row], ends[row]
            while event + 4 <= end:  # four rows at a time, so that the result is read and written once for all four
                a, b, c, d = values[event], values[event + 1], values[event + 2], values[event + 3]
                line_a, line_b = lines[columns[event]], lines[columns[event + 1]]
                line_c, line_d = lines[columns[event + 2]], lines[columns[event + 3]]
                for i in range(out.size):
                    out[i] += (a * line_a[i] + b * line_b[i]) + (c * line_c[i] + d * line_d[i])
                event += 4
            while event < end:
                line = lines[columns[event]]
                value = values[event]
                for i in range(out.size):
                    out[i] += value * line[i]
                event += 1


@compiled
def spike_outer(share, shares, begins, ends, columns, values, grad, packed):
    """Add Σ_r r_i(r) s_j(r), for `grad` [R, N], to `packed`, zero before; a share is every `shares`-th block."""
    wide_vectors()
    blocks, _, width = packed.shape
    rows, neurons = grad.shape
    for block in range(share, blocks, shares):
        lines = packed[block]
        low = block * width
        here = slice(low, min(low + width, neurons))
        for row in range(rows):
            add = grad[row, here]
            for event in range(begins[row], ends[row]):
                line = lines[columns[event]]
                value = values[event]
                for i in range(add.size):
                    line[i] += value * add[i]
