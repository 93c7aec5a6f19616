"""Fully connected weights without a bias; if spikes are few, the product visits only spikes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.nn.spike_linear import spike_linear
from spikinggamma.options import Options

__all__ = ["Linear", "LinearOptions"]


class LinearOptions(Options):
    """Options of fully connected weights."""

    neurons: int = Field(
        default=64, ge=0, le=65_536, description="number of neurons; in a recipe 0: one for each class"
    )
    bound: float = Field(
        default=0.0,
        ge=0.0,
        le=1e3,
        description="initial weights are uniform in ± this and stay as drawn; 0: normal, scaled so that neurons are at work",
    )


class Linear(Layer[None]):
    """u(t) = W s(t).

    Args:
        in_features: M, the size of the input; several axes are flattened.
        out_features: N, the size of the output.
        generator: Random numbers of the initial weights: normal with variance 1 / M.
        bound: Or uniform from minus to plus this, and not to be scaled by `calibrate`.

    Shapes: spikes [T, B, *in_shape] to drive [T, B, N]; `weight` [N, M].

    Example:
        >>> Linear(3, 8)(torch.ones(5, 4, 3), None, dt_ms=1.0)[0].shape
        torch.Size([5, 4, 8])
    """

    def __init__(
        self, in_features: int, out_features: int, generator: torch.Generator | None = None, *, bound: float = 0.0
    ) -> None:
        super().__init__()
        self.out_shape = (out_features,)
        self.calibrated = bound == 0.0
        if self.calibrated:
            drawn = torch.randn(out_features, in_features, generator=generator) / in_features**0.5
        else:
            drawn = bound * (2.0 * torch.rand(out_features, in_features, generator=generator) - 1.0)
        self.weight = nn.Parameter(drawn)

    def initial_state(self, batch: int) -> None:
        """Return None, since the layer has no memory."""

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], None]:
        """Run the layer on a sequence; see `Layer.forward`."""
        return spike_linear(x.flatten(2), self.weight), None

    def extra_repr(self) -> str:
        """Return the sizes of input and output."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}"


@LAYERS.register("linear", options=LinearOptions)
def linear(in_shape: Sequence[int], options: LinearOptions, generator: torch.Generator | None) -> Linear:
    """Fully connected weights, without a bias."""
    return Linear(torch.Size(in_shape).numel(), options.neurons, generator, bound=options.bound)
