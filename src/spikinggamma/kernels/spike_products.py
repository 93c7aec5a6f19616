"""Matrix products with spikes: touching only spikes where they are few, dense where they are many."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.kernels.dispatch import arrays, is_compiled
from spikinggamma.kernels.sharing import run_shared

__all__ = ["CROSSOVER", "spike_linear", "spike_outer"]

# Share of entries that are not zero up to which events are the faster way; see docs/kernels.md.
CROSSOVER = 0.06
_WIDTH = 128  # neurons of a block: 2048 inputs by 128 neurons are one MiB, half a second-level cache
_LANES = 16


class _Events(NamedTuple):
    begins: Tensor
    columns: Tensor
    values: Tensor


def spike_linear(spikes: Tensor, weight: Tensor) -> Tensor:
    """W s for every row: spikes [R, M], weight [N, M] to [R, N]."""
    events = _listed(spikes, weight)
    if events is None:
        return torch.nn.functional.linear(spikes, weight)
    from spikinggamma.kernels import spike_products_cpu as cpu

    packed = _pack(weight.detach())
    result = spikes.new_empty(len(spikes), len(weight))
    work = len(events.columns) * len(weight)
    run_shared(cpu.spike_linear, work, *arrays(*events, packed), result.numpy())
    return result


def spike_outer(blame: Tensor, spikes: Tensor) -> Tensor:
    """The gradient of W: Σ over rows of blame sᵀ, from blame [R, N] and spikes [R, M] to [N, M]."""
    events = _listed(spikes, blame)
    if events is None:
        return blame.T @ spikes
    from spikinggamma.kernels import spike_products_cpu as cpu

    neurons, senders = blame.shape[1], spikes.shape[1]
    width = _width(neurons)
    packed = blame.new_zeros(-(-neurons // width), senders, width)
    work = len(events.columns) * neurons
    run_shared(cpu.spike_outer, work, *arrays(*events, blame), packed.numpy())
    return packed.transpose(1, 2).reshape(-1, senders)[:neurons]


def _listed(spikes: Tensor, other: Tensor) -> _Events | None:
    """Spikes as events, if that is the way to go."""
    if not is_compiled(spikes) or spikes.dtype != other.dtype or spikes.numel() == 0:
        return None
    from spikinggamma.kernels import spike_products_cpu as cpu

    counts = torch.empty(len(spikes), dtype=torch.int64)
    (rows,) = arrays(spikes)
    run_shared(cpu.count_events, spikes.numel() // 8, rows, counts.numpy())
    begins = torch.nn.functional.pad(counts.cumsum(0), (1, 0))
    number = int(begins[-1])
    if number > CROSSOVER * spikes.numel():
        return None
    events = _Events(begins, torch.empty(number, dtype=torch.int32), spikes.new_empty(number))
    run_shared(cpu.list_events, spikes.numel() // 8, rows, *(part.numpy() for part in events))
    return events


def _width(neurons: int) -> int:
    """Of a block: so that every thread has one, in whole vectors."""
    each = -(-neurons // torch.get_num_threads())
    return min(_WIDTH, -(-each // _LANES) * _LANES)


def _pack(weight: Tensor) -> Tensor:
    """W [N, M] as the blocks of its transpose, [blocks, M, width]; neurons that a last block lacks are zero."""
    neurons, senders = weight.shape
    width = _width(neurons)
    missing = -neurons % width
    padded = torch.nn.functional.pad(weight, (0, 0, 0, missing)) if missing else weight
    return padded.view(-1, width, senders).transpose(1, 2).contiguous()
