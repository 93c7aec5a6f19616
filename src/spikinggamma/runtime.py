"""How a process computes: its threads, the precision of its products, and how it holds its memory."""

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
    """Inside, torch and the kernels use so many threads and round what goes into dense products to `products`."""
    with torch_threads(threads), product_precision(products):
        yield


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Inside, torch (and the kernels, which follow it) use `count` threads: how sums are split decides how they round."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def product_precision(products: Products) -> Iterator[None]:
    """Inside, torch rounds what goes into dense products of single precision to `products`; sums stay in single precision.

    bfloat16 keeps eight binary digits: a product is wrong by some 2e-3 of its size, and two to four times faster where the
    processor has instructions for it. Elsewhere torch computes as before. Scans, states, updates, and products that run
    over listed spikes are never rounded.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(_TORCH[products])
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Let this process use again what it freed, where the C library can be told so; returns whether it was.

    Signals of a chunk are megabytes large. By default such memory goes back to the system as soon as it is freed, and every
    chunk gets it anew, page by page and cleared, which takes as long as a scan over it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST))
