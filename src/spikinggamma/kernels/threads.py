"""Running a compiled scan on as many threads as torch uses, or on one if it is too short.

The kernels take numpy arrays, not tensors.
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

WORTH_A_THREAD = 100_000  # bucket updates, which take about as long as waking a thread
_HOME = os.getpid()  # torch's threads are not inherited by a fork
_TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def arrays(*tensors: Tensor) -> tuple[object, ...]:
    """Return the tensors as numpy arrays in the same memory; a tensor that is not contiguous is copied."""
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def run_shared(kernel: Callable[..., None], work: int, *arrays: object) -> None:
    """Call `kernel(share, shares, *arrays)` once for each share, in parallel.

    On Linux the shares run on torch's own threads (GNU OpenMP's). These spin for some milliseconds after each product
    and so are available at once, whereas other threads would have to take the cores from them: with other threads, a
    scan between two products was no faster on two threads than on one. Elsewhere, and in a fork, Python threads are
    used, which sleep while they wait and work in any process.

    Args:
        kernel: Compiled function that releases the GIL; its shares write to separate places.
        work: Number of bucket updates in the whole call, which decides the number of threads.
        arrays: Arrays that the kernel reads and writes.
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
        # Each thread takes the next share, since a team may be smaller than requested.
        try:
            while (share := next(tickets)) < shares:
                kernel(share, shares, *arrays)
        except BaseException as error:  # an exception cannot pass through the team
            errors.append(error)

    team(_TASK(work_off), None, shares, 0)
    if errors:
        raise errors[0]


@lru_cache(maxsize=1)
def _torch_team() -> Any:
    """Return the function of GNU OpenMP that runs a function on every thread of a team, or None without it."""
    try:
        team = ctypes.CDLL(None).GOMP_parallel
    except (OSError, AttributeError, TypeError):
        return None
    team.argtypes = (_TASK, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    team.restype = None
    return team


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of this process; a fork inherits the pool but not its threads."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="spikinggamma-scan")
