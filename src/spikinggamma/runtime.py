"""Settings of the process: number of threads, precision of matrix products, and reuse of freed memory."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal

import torch

__all__ = ["Products", "computing", "keep_freed_memory", "product_precision", "torch_threads"]

Products = Literal["float32", "bfloat16"]
_TORCH = {"float32": "highest", "bfloat16": "medium"}
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_LARGEST = 2**31 - 1


@contextmanager
def computing(*, threads: int, products: Products) -> Iterator[None]:
    """Set the number of threads and the precision of dense products for torch and the kernels within the block."""
    with torch_threads(threads), product_precision(products):
        yield


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch and the kernels use `count` threads within the block; their number decides how sums are rounded."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def product_precision(products: Products) -> Iterator[None]:
    """Round the factors of single-precision dense products to `products` within the block; sums stay in single precision.

    bfloat16 keeps eight binary digits: a product is wrong by some 2e-3 of its size, and two to four times faster where the
    processor has instructions for it. On other processors torch computes as before. Scans, states, updates, and products
    over lists of spikes are never rounded.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(_TORCH[products])
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory for this process; return whether it agreed.

    The signals of a chunk take megabytes. By default such memory returns to the system as soon as it is freed, and every
    chunk requests it again, page by page and cleared, which takes as long as a scan over it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST))
