"""Derive independent random streams from one seed, so that weights, batch order and dropout share no random numbers."""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["derive_seed", "random_stream"]


def derive_seed(seed: int, *path: str | int) -> int:
    """Return a 63-bit seed that depends on `seed` and on every part of `path`, and is the same on every machine.

    Example:
        >>> derive_seed(0, "dropout", 3) == derive_seed(0, "dropout", 3) != derive_seed(0, "dropout", 4)
        True
    """
    words = [seed]
    for part in path:
        words += [part] if isinstance(part, int) else list(part.encode())
    low, high = np.random.SeedSequence(words).generate_state(2)
    return (int(high) << 32 | int(low)) & (2**63 - 1)


def random_stream(seed: int, *path: str | int) -> torch.Generator:
    """A generator of its own for this purpose; the caller's random numbers are left alone."""
    return torch.Generator().manual_seed(derive_seed(seed, *path))
