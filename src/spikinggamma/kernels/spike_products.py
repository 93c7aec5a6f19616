"""Matrix products with spikes: touching only spikes where they are few, dense where they are many."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.kernels.dispatch import is_compiled
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["CROSSOVER", "SpikeEvents", "spike_events", "spike_linear", "spike_outer"]

# Share of entries that are not zero up to which events are the faster way; see docs/speed.md.
CROSSOVER = 0.05
_BLOCK = 2**18  # numbers of a block: one MiB in single precision
_LANES = 16
_SAMPLE = 64  # rows that are looked at first: spikes that are far too many are not worth listing


class SpikeEvents(NamedTuple):
    """What is not zero in spikes [R, M], row after row.

    Attributes:
        begins: Where each row begins [R].
        ends: Where it ends [R].
        columns: Senders.
        values: What they sent.
    """

    begins: Tensor
    ends: Tensor
    columns: Tensor
    values: Tensor

    @property
    def number(self) -> int:
        """How many there are; the lists have room for more."""
        return int((self.ends - self.begins).sum())


def spike_events(spikes: Tensor) -> SpikeEvents | None:
    """Spikes [R, M] as events, if they are so few that products with them are the faster way; else None."""
    if not is_compiled(spikes) or spikes.numel() == 0:
        return None
    from spikinggamma.kernels import spike_products_cpu as cpu

    rows, senders = spikes.shape
    # An odd stride: rows are steps of samples, whose number is even more often than not.
    few = spikes[:: rows // _SAMPLE | 1]
    if int(few.count_nonzero()) > 2 * CROSSOVER * few.numel():
        return None
    # Room for as many as are still worth it, unevenly spread over the threads, and for a whole row at the end of each part.
    room = int(2 * CROSSOVER * spikes.numel()) + torch.get_num_threads() * (senders + 1)
    begins, ends = torch.empty(2, rows, dtype=torch.int64).unbind()
    events = SpikeEvents(begins, ends, torch.empty(room, dtype=torch.int32), spikes.new_empty(room))
    run_shared(cpu.list_events, spikes.numel() // 8, *arrays(spikes, *events))
    if bool((ends < 0).any()) or events.number > CROSSOVER * spikes.numel():
        return None
    return events


def spike_linear(spikes: Tensor, weight: Tensor, events: SpikeEvents | None) -> Tensor:
    """W s for every row: spikes [R, M], weight [N, M] to [R, N]; dense without their events."""
    if events is None:
        return torch.nn.functional.linear(spikes, weight)
    from spikinggamma.kernels import spike_products_cpu as cpu

    packed = _pack(weight.detach())
    result = spikes.new_empty(len(spikes), len(weight))
    work = events.number * len(weight)
    run_shared(cpu.spike_linear, work, *arrays(*events, packed), result.numpy())
    return result


def spike_outer(grad: Tensor, spikes: Tensor, events: SpikeEvents | None) -> Tensor:
    """The gradient of W: Σ over rows of blame sᵀ, from blame [R, N] and spikes [R, M] to [N, M]; dense without events."""
    if events is None:
        return grad.T @ spikes
    from spikinggamma.kernels import spike_products_cpu as cpu

    neurons, senders = grad.shape[1], spikes.shape[1]
    width = _width(neurons, senders)
    packed = grad.new_zeros(-(-neurons // width), senders, width)
    work = events.number * neurons
    run_shared(cpu.spike_outer, work, *arrays(*events, grad), packed.numpy())
    return packed.transpose(1, 2).reshape(-1, senders)[:neurons]


def _width(neurons: int, senders: int) -> int:
    """Of a block: its lines fit into half a second-level cache, every thread has a block, vectors are whole."""
    each = -(-neurons // torch.get_num_threads())
    fits = _BLOCK // max(senders, 1) // _LANES * _LANES
    return max(_LANES, min(fits, -(-each // _LANES) * _LANES))


def _pack(weight: Tensor) -> Tensor:
    """W [N, M] as the blocks of its transpose, [blocks, M, width]; neurons that a last block lacks are zero."""
    neurons, senders = weight.shape
    width = _width(neurons, senders)
    missing = -neurons % width
    padded = torch.nn.functional.pad(weight, (0, 0, 0, missing)) if missing else weight
    return padded.view(-1, width, senders).transpose(1, 2).contiguous()
