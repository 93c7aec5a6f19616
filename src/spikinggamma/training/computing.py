"""How a run computes, for the length of a `with` block: its threads, and what its dense products are rounded to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spikinggamma.training.precision import product_precision
from spikinggamma.training.recipe import Training
from spikinggamma.training.threads import torch_threads

__all__ = ["computing"]


@contextmanager
def computing(settings: Training) -> Iterator[None]:
    """Inside, torch and the kernels compute as a recipe's section `training` says."""
    with torch_threads(settings.threads), product_precision(settings.products):
        yield
