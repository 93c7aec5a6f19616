"""Batch normalisation of sequences: over time and batch together, scaled to the threshold (tdBN), or by step (BNTT)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.bibliography import BNTT, TDBN
from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.options import Options

__all__ = ["BatchNorm", "BatchNormThroughTime"]


class BatchNormOptions(Options):
    """Options of batch normalisation over time."""

    momentum: float = Field(default=0.1, gt=0.0, le=1.0, description="weight of a new batch in the running statistics")
    epsilon: float = Field(default=1e-5, gt=0.0, le=1.0, description="added to the variance")


class TDBNOptions(BatchNormOptions):
    """Options of threshold-dependent batch normalisation."""

    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="threshold ϑ of the neurons that follow")
    alpha: float = Field(default=1.0, gt=0.0, le=1e3, description="further factor α; 1/√2 if two branches are added")


class BatchNorm(Layer[None]):
    """Normalise each channel: y = γ scale (x - μ) / √(σ² + ε) + β, with μ and σ² over time, batch and pixels.

    In training mode μ and σ² are those of the chunk, in evaluation mode running means. The padding of shorter
    recordings is part of the statistics.

    Args:
        in_shape: Shape of one sample at one step; its first axis is that of the channels.
        scale: α ϑ of tdBN (Zheng et al., AAAI 2021); 1 for plain batch normalisation.
        momentum: Weight of a new batch in the running statistics.
        epsilon: ε, added to the variance.

    Raises:
        SpikingGammaError: The input does not have one to three axes.

    Shapes: x [T, B, *in_shape] to y of the same shape.
    """

    def __init__(
        self, in_shape: Sequence[int], *, scale: float = 1.0, momentum: float = 0.1, epsilon: float = 1e-5
    ) -> None:
        super().__init__()
        self.out_shape = tuple(in_shape)
        self.scale = scale
        kind = nn.BatchNorm2d if len(self.out_shape) == 3 else nn.BatchNorm1d
        if len(self.out_shape) not in (1, 2, 3):
            raise SpikingGammaError("in_shape", list(in_shape), "one to three axes, channels first")
        self.norm = kind(self.out_shape[0], eps=epsilon, momentum=momentum)

    def initial_state(self, batch: int) -> None:
        """Return None, since the layer has no memory within a recording."""

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *in_shape"], None]:
        """Run the layer on a sequence; see `Layer.forward`."""
        y = self.norm(x.reshape(-1, *self.out_shape)).view(x.shape)
        return y if self.scale == 1.0 else y * self.scale, None


class BatchNormThroughTime(Layer[Tensor]):
    """Normalise each channel with statistics and a γ for each time step (BNTT, Kim and Panda 2021), without β.

    Args:
        in_shape: Shape of one sample at one step; its first axis is that of the channels.
        steps: Number of time steps with statistics of their own; later steps share those of the last.
        momentum: Weight of a new batch in the running statistics.
        epsilon: ε, added to the variance.

    Shapes: x [T, B, *in_shape] to y of the same shape. The state is the number of steps seen so far.
    """

    parameter_kinds = {"gain": "scale"}  # noqa: RUF012

    def __init__(self, in_shape: Sequence[int], *, steps: int, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.out_shape = tuple(in_shape)
        self.steps, self.momentum, self.epsilon = steps, momentum, epsilon
        channels = self.out_shape[0]
        self.gain = nn.Parameter(torch.ones(steps, channels))
        self.register_buffer("mean", torch.zeros(steps, channels))
        self.register_buffer("variance", torch.ones(steps, channels))

    def initial_state(self, batch: int) -> Tensor:
        """Return zero, the number of steps seen so far."""
        return torch.zeros((), dtype=torch.int64)

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: Tensor, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *in_shape"], Tensor]:
        """Run the layer on a sequence; see `Layer.forward`."""
        first, outputs = int(state), []
        for index, frame in enumerate(x.unbind(0)):
            step = min(first + index, self.steps - 1)
            outputs.append(
                nn.functional.batch_norm(
                    frame, self.get_buffer("mean")[step], self.get_buffer("variance")[step], self.gain[step], None,
                    self.training, self.momentum, self.epsilon,
                )
            )  # fmt: skip
        return torch.stack(outputs), state + len(x)


@LAYERS.register("batch_norm", options=BatchNormOptions)
def batch_norm(in_shape: Sequence[int], options: BatchNormOptions, generator: torch.Generator | None) -> BatchNorm:
    """Batch normalisation of each channel over time, batch and pixels."""
    return BatchNorm(in_shape, momentum=options.momentum, epsilon=options.epsilon)


@LAYERS.register("tdbn", options=TDBNOptions, citations=(TDBN,))
def tdbn(in_shape: Sequence[int], options: TDBNOptions, generator: torch.Generator | None) -> BatchNorm:
    """Batch normalisation scaled to the threshold of the neurons that follow (tdBN)."""
    scale = options.alpha * options.threshold
    return BatchNorm(in_shape, scale=scale, momentum=options.momentum, epsilon=options.epsilon)


class BNTTOptions(BatchNormOptions):
    """Options of batch normalisation through time."""

    steps: int = Field(default=100, ge=1, le=100_000, description="number of time steps with statistics of their own")


@LAYERS.register("batch_norm_through_time", options=BNTTOptions, citations=(BNTT,))
def batch_norm_through_time(
    in_shape: Sequence[int], options: BNTTOptions, generator: torch.Generator | None
) -> BatchNormThroughTime:
    """Batch normalisation with separate statistics for each time step (BNTT)."""
    return BatchNormThroughTime(in_shape, steps=options.steps, momentum=options.momentum, epsilon=options.epsilon)
