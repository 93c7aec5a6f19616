"""Matrix products with spikes, which visit only spikes if they are few, and are dense if they are many."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.kernels.dispatch import is_compiled
from spikinggamma.kernels.threads import arrays, run_shared

__all__ = ["CROSSOVER", "SpikeEvents", "spike_events", "spike_linear", "spike_outer"]

# Largest share of nonzero entries for which lists of events are faster; see docs/speed.md.
CROSSOVER = 0.05
_BLOCK = 2**18  # numbers per block: one MiB in single precision
_LANES = 16
_SAMPLE = 64  # rows that are checked first, since far too many spikes are not worth listing


class SpikeEvents(NamedTuple):
    """The nonzero entries of spikes [R, M], row by row.

    Attributes:
        begins: Index of the first event of each row, [R].
        ends: Index after the last event of each row, [R].
        columns: Sender of each event.
        values: Height of each event.
    """

    begins: Tensor
    ends: Tensor
    columns: Tensor
    values: Tensor

    @property
    def number(self) -> int:
        """Return the number of events; the lists may be longer."""
        return int((self.ends - self.begins).sum())


def spike_events(spikes: Tensor) -> SpikeEvents | None:
    """Return spikes [R, M] as events if they are so few that products with events are faster, else None."""
    if not is_compiled(spikes) or spikes.numel() == 0:
        return None
    from spikinggamma.kernels import spike_products_cpu as cpu

    rows, senders = spikes.shape
    # The stride is odd, since rows are steps of samples, whose number is usually even.
    few = spikes[:: rows // _SAMPLE | 1]
    if int(few.count_nonzero()) > 2 * CROSSOVER * few.numel():
        return None
    # Space for the largest worthwhile number, spread unevenly over the threads, and for a whole row at the end of each part.
    room = int(2 * CROSSOVER * spikes.numel()) + torch.get_num_threads() * (senders + 1)
    begins, ends = torch.empty(2, rows, dtype=torch.int64).unbind()
    events = SpikeEvents(begins, ends, torch.empty(room, dtype=torch.int32), spikes.new_empty(room))
    run_shared(cpu.list_events, spikes.numel() // 8, *arrays(spikes, *events))
    if bool((ends < 0).any()) or events.number > CROSSOVER * spikes.numel():
        return None
    return events


def spike_linear(spikes: Tensor, weight: Tensor, events: SpikeEvents | None) -> Tensor:
    """Return W s for every row, [R, N]; dense without events.

    Args:
        spikes: s, [R, M].
        weight: W, [N, M].
        events: The spikes as events, or None.
    """
    if events is None:
        return torch.nn.functional.linear(spikes, weight)
    from spikinggamma.kernels import spike_products_cpu as cpu

    packed = _pack(weight.detach())
    result = spikes.new_empty(len(spikes), len(weight))
    work = events.number * len(weight)
    run_shared(cpu.spike_linear, work, *arrays(*events, packed), result.numpy())
    return result


def spike_outer(grad: Tensor, spikes: Tensor, events: SpikeEvents | None) -> Tensor:
    """Return the gradient of W, the sum over rows of δ sᵀ, [N, M]; dense without events.

    Args:
        grad: δ, [R, N].
        spikes: s, [R, M].
        events: The spikes as events, or None.
    """
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
    """Return the width of a block: rows fit into half a second-level cache, and threads and vectors are all used."""
    each = -(-neurons // torch.get_num_threads())
    fits = _BLOCK // max(senders, 1) // _LANES * _LANES
    return max(_LANES, min(fits, -(-each // _LANES) * _LANES))


def _pack(weight: Tensor) -> Tensor:
    """Return W [N, M] as blocks of its transpose, [blocks, M, width], padded with zeros."""
    neurons, senders = weight.shape
    width = _width(neurons, senders)
    missing = -neurons % width
    padded = torch.nn.functional.pad(weight, (0, 0, 0, missing)) if missing else weight
    return padded.view(-1, width, senders).transpose(1, 2).contiguous()
