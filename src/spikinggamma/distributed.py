"""One run in several processes, on one machine or many: each learns from its share of every batch, to the same numbers.

Every process makes the whole batch, so that order, augmentation, padding and dropout are those of one process, and learns
from neighbouring recordings of it (`learning.BatchShard`). Before every update, be it after a recording, a chunk or a step,
the gradients are summed; so clipping, the optimiser and the search for what is not finite see those of the batch. What only
one may do, such as writing a file, the first process does, and it broadcasts what came of it, errors included.

Gradients are summed by hand, not by torch's `DistributedDataParallel`. That sums them in hooks of autograd's backward, which
only `bptt` ever calls: the online rules write `.grad` themselves, some of them many times within one recording and some without
having learnt anything yet, which differs between shares. Here all parameters travel as one tensor, with a flag for each whether
there was a gradient at all: where no process has one, none is made up, and the optimiser leaves that parameter alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError

__all__ = ["ALONE", "LostProcess", "ProcessGroup", "gathered", "is_first"]

_T = TypeVar("_T")
# No process is ever so far behind the others, unless it hangs.
_PATIENCE = timedelta(minutes=5)
# But one that turns sounds into spikes for the first time may be.
_LOADING = timedelta(hours=12)


class LostProcess(RuntimeError):
    """Another process of this run was killed, failed or does not answer; the message says how to go on."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of a run, as one of them sees them.

    Attributes:
        rank: Which this is, from 0.
        size: How many there are.
        patient: The group to wait in for what may take long.
    """

    rank: int = 0
    size: int = 1
    slow_group: Any = None

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def join_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make every gradient the sum over all processes; None where none of them has one."""
        if self.size == 1:
            return
        own = list(parameters)
        there = own[0].new_tensor([parameter.grad is not None for parameter in own])
        parts = [torch.zeros_like(one).flatten() if one.grad is None else one.grad.flatten() for one in own]
        joined = torch.cat([*parts, there])
        with _answering():
            dist.all_reduce(joined)
        *sums, counts = torch.split(joined, [*(part.numel() for part in parts), len(own)])
        for parameter, gradient, count in zip(own, sums, counts.tolist(), strict=True):
            parameter.grad = gradient.view_as(parameter) if count else None

    def sum(self, figures: Sequence[int | float]) -> list[float]:
        """Each figure summed over all processes."""
        if self.size == 1:
            return [float(figure) for figure in figures]
        joined = torch.tensor(figures, dtype=torch.float64)
        with _answering():
            dist.all_reduce(joined)
        return [float(figure) for figure in joined]

    @torch.no_grad()
    def align(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's numbers, as processors of unlike make round differently."""
        for tensor in tensors if self.size > 1 else ():
            with _answering():
                dist.broadcast(tensor, 0)

    def first(self, act: Callable[[], _T]) -> _T:
        """What `act` gives in the first process, which alone calls it.

        Raises:
            Exception: What `act` raised there, in every process.
        """
        return act() if self.size == 1 else self._broadcast(act, None)

    def in_turn(self, load: Callable[[], _T]) -> _T:
        """What `load` gives here, once it is done in the first process: what that left on the disk is found there."""
        if self.size == 1:
            return load()
        loaded: list[_T] = []
        self._broadcast(lambda: loaded.append(load()), self.slow_group)
        if not self.is_main:
            loaded.append(load())
        with _answering():
            dist.barrier(self.slow_group)
        return loaded[0]

    def spread(self, count: int, work: Callable[[int], _T]) -> list[_T]:
        """`work` of each number below `count`, in this order; every process does some and gets all."""
        own = [work(index) for index in range(self.rank, count, self.size)]
        if self.size == 1:
            return own
        every: list[list[_T]] = [[] for _ in range(self.size)]
        with _answering():
            dist.all_gather_object(every, own)
        return [every[index % self.size][index // self.size] for index in range(count)]

    def _broadcast(self, act: Callable[[], _T], group: Any) -> _T:
        said: list[Any] = [None, None]
        if self.is_main:
            try:
                said[0] = act()
            except Exception as error:
                said[1] = error
        with _answering():
            dist.broadcast_object_list(said, 0, group=group)
        if said[1] is not None:
            raise said[1]
        found: _T = said[0]
        return found


ALONE = ProcessGroup()


def is_first() -> bool:
    """Whether this process is the only one, or the first of several that `torchrun` started: the one that speaks."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def gathered(device: torch.device) -> Iterator[tuple[ProcessGroup, torch.device]]:
    """This process among those that `torchrun` started, or alone, and the device that is its own.

    Raises:
        SpikingGammaError: More processes on a machine than it has GPUs, or a process group that is there already.
        LostProcess: Not all of them came.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE, device
        return
    if dist.is_initialized():
        raise SpikingGammaError("torch.distributed", "a process group of the caller's", "none: training makes its own")
    own = _own_device(device)
    with _answering():
        # Words and figures travel between processors, gradients between GPUs where there are some.
        dist.init_process_group("cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo", timeout=_PATIENCE)
        slow_group = dist.new_group(backend="gloo", timeout=_LOADING)
    try:
        yield ProcessGroup(dist.get_rank(), dist.get_world_size(), slow_group), own
    finally:
        dist.destroy_process_group()


def _own_device(device: torch.device) -> torch.device:
    if device.type != "cuda":
        return device
    place, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if place >= there:
        got = f"process {place + 1} of a machine with {there} CUDA devices"
        raise SpikingGammaError("--nproc-per-node", got, "at most one process for each device")
    torch.cuda.set_device(place)
    return torch.device("cuda", place)


def _reason(error: RuntimeError) -> str:
    """The first sentence of a transport's error, without the place in its source."""
    found = re.match(r"(?:\[[^\]]*:\d+\]\s*)?([^\n]*?)(?:\.\s|\n|$)", str(error).strip())
    return found[1][:160] if found and found[1] else type(error).__name__


@contextmanager
def _answering() -> Iterator[None]:
    """Say of a failed exchange what it means."""
    try:
        yield
    except RuntimeError as error:
        reason = _reason(error)
        rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
        raise LostProcess(
            f"Process {rank} of {size} gets no answer from another, which was killed, failed or hangs ({reason})."
        ) from error
