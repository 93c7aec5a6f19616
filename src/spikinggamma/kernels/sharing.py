"""One compiled scan on as many threads as torch uses, and on one where it is too short to be worth a second.

The kernels know numpy's arrays, not tensors.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch
from torch import Tensor

__all__ = ["arrays", "run_shared"]

WORTH_A_THREAD = 100_000  # bucket updates: to wake a thread costs about as long as computing so many


def arrays(*tensors: Tensor) -> tuple[object, ...]:
    """The same memory as numpy sees it; a copy where it is not contiguous."""
    return tuple(tensor.detach().contiguous().numpy() for tensor in tensors)


def run_shared(kernel: Callable[..., None], work: int, *arrays: object) -> None:
    """Call `kernel(share, shares, *arrays)` once for each share, side by side.

    Python's threads wait asleep and are at home in any process. OpenMP's spin between calls and take the cores from torch:
    a training epoch on one thread of two busy cores took 41 s with those, 5 s with threads that sleep.

    Args:
        kernel: Compiled, holding no lock; its shares write to separate places.
        work: Bucket updates in the whole call, to judge whether a second thread is worth waking.
        arrays: What the kernel reads and writes.
    """
    shares = max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))
    others = [_pool(os.getpid()).submit(kernel, share, shares, *arrays) for share in range(1, shares)]
    try:
        kernel(0, shares, *arrays)
    finally:
        for other in others:
            other.result()


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """This process's own threads: a fork inherits the pool but none of its threads."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="spikinggamma-scan")
