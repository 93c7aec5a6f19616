"""One compiled scan on as many threads as torch uses, and on one where it is too short to be worth a second.

The kernels know numpy's arrays, not tensors.
"""

from __future__ import annotations

import ctypes
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

__all__ = ["arrays", "run_shared"]

WORTH_A_THREAD = 100_000  # bucket updates: to wake a thread costs about as long as computing so many
_HOME = os.getpid()  # torch's threads are not inherited by a fork
_TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def arrays(*tensors: Tensor) -> tuple[object, ...]:
    """The same memory as numpy sees it; a copy where it is not contiguous."""
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def run_shared(kernel: Callable[..., None], work: int, *arrays: object) -> None:
    """Call `kernel(share, shares, *arrays)` once for each share, side by side.

    On Linux the shares go to torch's own threads (GNU OpenMP's). They spin for some milliseconds after each product, and so are
    there at once, where threads of our own would have to take the cores from them: with those, a scan between two products
    was no faster on two threads than on one. Elsewhere, and in a fork, Python's threads wait asleep and are at home in any
    process.

    Args:
        kernel: Compiled, holding no lock; its shares write to separate places.
        work: Bucket updates in the whole call, to judge whether a second thread is worth waking.
        arrays: What the kernel reads and writes.
    """
    shares = max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))
    if shares == 1:
        kernel(0, 1, *arrays)
        return
    team = _torch_team() if os.getpid() == _HOME else None
    if team is None:
        others = [_pool(os.getpid()).submit(kernel, share, shares, *arrays) for share in range(1, shares)]
        try:
            kernel(0, shares, *arrays)
        finally:
            for other in others:
                other.result()
        return
    tickets, errors = itertools.count(), []

    def work_off(_: object) -> None:
        # Whoever comes takes the next share: a team may be smaller than was asked for.
        try:
            while (share := next(tickets)) < shares:
                kernel(share, shares, *arrays)
        except BaseException as error:  # it cannot pass through the team
            errors.append(error)

    team(_TASK(work_off), None, shares, 0)
    if errors:
        raise errors[0]


@lru_cache(maxsize=1)
def _torch_team() -> Any:
    """GNU OpenMP's way to run a function on every thread of a team, where torch has loaded it; else None."""
    try:
        team = ctypes.CDLL(None).GOMP_parallel
    except (OSError, AttributeError, TypeError):
        return None
    team.argtypes = (_TASK, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    team.restype = None
    return team


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """This process's own threads: a fork inherits the pool but none of its threads."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="spikinggamma-scan")
