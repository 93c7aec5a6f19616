"""How exactly matrix products are computed, for the length of a `with` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

__all__ = ["Products", "product_precision"]

Products = Literal["float32", "bfloat16"]
_TORCH = {"float32": "highest", "bfloat16": "medium"}


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
