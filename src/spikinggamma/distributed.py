"""Train one run in several processes, on one machine or many; each takes its share of every batch, with equal results.

Every process prepares the whole batch, so that order, augmentation, padding and dropout are those of a single process, and
learns from a contiguous shard of it (`learning.BatchShard`). Before every update, whether after a recording, a chunk or a
step, the gradients are summed; so clipping, the optimiser and the check for non-finite numbers see those of the whole batch.
What only one process may do, such as writing a file, the first one does; it broadcasts the result or the error.

Gradients are summed here and not by torch's `DistributedDataParallel`, which sums them in hooks of autograd's backward pass.
Only `bptt` calls that: the online rules write `.grad` themselves, some of them many times within one recording, and a shard
may have no gradient yet when another has one. Here all gradients travel as one tensor, with a flag for each parameter that
says whether it had a gradient; a parameter without a gradient in any process keeps None, and the optimiser skips it.
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
# A process that is further behind the others than this hangs.
_PATIENCE = timedelta(minutes=5)
# Converting sounds to spikes for the first time may take this long.
_LOADING = timedelta(hours=12)


class LostProcess(RuntimeError):
    """Raised when another process of the run was killed, failed or does not answer; the message says how to go on."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes that train one run together, as seen from one of them.

    Attributes:
        rank: Number of this process, from 0.
        size: Number of processes.
        slow_group: torch process group with a long timeout, for steps that may take hours.
    """

    rank: int = 0
    size: int = 1
    slow_group: Any = None

    @property
    def is_main(self) -> bool:
        """Return whether this process is the one that writes files and shows progress."""
        return self.rank == 0

    def join_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over all processes; it stays None where no process has one."""
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
        """Return each figure summed over all processes."""
        if self.size == 1:
            return [float(figure) for figure in figures]
        joined = torch.tensor(figures, dtype=torch.float64)
        with _answering():
            dist.all_reduce(joined)
        return [float(figure) for figure in joined]

    @torch.no_grad()
    def align(self, tensors: Iterable[Tensor]) -> None:
        """Copy the first process's tensors to all others, as processors of different make round differently."""
        for tensor in tensors if self.size > 1 else ():
            with _answering():
                dist.broadcast(tensor, 0)

    def first(self, act: Callable[[], _T]) -> _T:
        """Call `act` in the first process only, and return its result in every process.

        Raises:
            Exception: Whatever `act` raised in the first process, raised again in every process.
        """
        return act() if self.size == 1 else self._broadcast(act, None)

    def in_turn(self, load: Callable[[], _T]) -> _T:
        """Call `load` in the first process, then in the others, which find the files that the first has cached."""
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
        """Return `work(index)` for each index below `count`, in order; the calls are divided among the processes."""
        own = [work(index) for index in range(self.rank, count, self.size)]
        if self.size == 1:
            return own
        every: list[list[_T]] = [[] for _ in range(self.size)]
        with _answering():
            dist.all_gather_object(every, own)
        return [every[index % self.size][index // self.size] for index in range(count)]

    def _broadcast(self, act: Callable[[], _T], group: Any) -> _T:
        outcome: list[Any] = [None, None]  # a result and an error
        if self.is_main:
            try:
                outcome[0] = act()
            except Exception as error:
                outcome[1] = error
        with _answering():
            dist.broadcast_object_list(outcome, 0, group=group)
        if outcome[1] is not None:
            raise outcome[1]
        found: _T = outcome[0]
        return found


ALONE = ProcessGroup()


def is_first() -> bool:
    """Return whether this process is the only one, or the first of those that `torchrun` started."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def gathered(device: torch.device) -> Iterator[tuple[ProcessGroup, torch.device]]:
    """Join the process group that `torchrun` started, or none; yield the group and the device of this process.

    Raises:
        SpikingGammaError: There are more processes on a machine than GPUs, or a process group exists already.
        LostProcess: Not all processes joined.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE, device
        return
    if dist.is_initialized():
        raise SpikingGammaError("torch.distributed", "a process group of the caller's", "none: training makes its own")
    own = _own_device(device)
    with _answering():
        # Python objects travel through gloo on the CPU, gradients through NCCL where there are GPUs.
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
    """Return the first sentence of a transport's error, without its source location."""
    found = re.match(r"(?:\[[^\]]*:\d+\]\s*)?([^\n]*?)(?:\.\s|\n|$)", str(error).strip())
    return found[1][:160] if found and found[1] else type(error).__name__


@contextmanager
def _answering() -> Iterator[None]:
    """Raise `LostProcess` where an exchange between processes fails within the block."""
    try:
        yield
    except RuntimeError as error:
        reason = _reason(error)
        rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
        raise LostProcess(
            f"Process {rank} of {size} gets no answer from another, which was killed, failed or hangs ({reason})."
        ) from error
