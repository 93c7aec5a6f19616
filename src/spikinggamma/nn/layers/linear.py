"""The weights between two layers of a fully connected net."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.nn.autograd import spike_linear

__all__ = ["Projection"]


class Projection(nn.Module):
    """u = W s.

    Args:
        below: M, what it hears.
        above: N, whom it drives.
        generator: Random numbers of the initial weights: normal with variance 1 / M.

    Shapes: spikes [T, B, M] to drive [T, B, N].

    Example:
        >>> Projection(3, 8, None)(torch.ones(5, 4, 3)).shape
        torch.Size([5, 4, 8])
    """

    def __init__(self, below: int, above: int, generator: torch.Generator | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(above, below, generator=generator) / below**0.5)

    def forward(self, spikes: Float[Tensor, "T B M"]) -> Float[Tensor, "T B N"]:
        """The drive of every neuron."""
        return spike_linear(spikes, self.weight)
