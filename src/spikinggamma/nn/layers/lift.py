"""Any module of torch as a layer, applied to every step separately."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.options import Options

__all__ = ["Lift"]


class Lift(Layer[None]):
    """y(t) = module(x(t)); the module receives time and batch as one axis.

    A batch normalisation therefore computes its statistics over time and batch together.

    Args:
        module: Module from [B, *in_shape] to [B, *out_shape].
        in_shape: Shape of one sample at one step.

    Raises:
        SpikingGammaError: The module does not accept such an input.

    Shapes: x [T, B, *in_shape] to y [T, B, *out_shape].

    Example:
        >>> Lift(nn.Conv2d(2, 4, 3), (2, 8, 8)).out_shape
        (4, 6, 6)
    """

    def __init__(self, module: nn.Module, in_shape: Sequence[int]) -> None:
        super().__init__()
        self.module = module
        self.in_shape = tuple(in_shape)
        training = module.training
        like = next(iter(module.parameters()), torch.zeros(()))
        try:
            with torch.no_grad():
                self.out_shape = tuple(module.eval()(like.new_zeros(1, *self.in_shape)).shape[1:])
        except (RuntimeError, ValueError) as error:
            found = f"{list(self.in_shape)} into {type(module).__name__} ({str(error).splitlines()[0]})"
            raise SpikingGammaError("in_shape", found, "a shape that this layer takes") from None
        finally:
            module.train(training)

    def initial_state(self, batch: int) -> None:
        """Return None, since the layer has no memory."""

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], None]:
        """Run the layer on a sequence; see `Layer.forward`."""
        y = self.module(x.reshape(-1, *self.in_shape))
        return y.view(*x.shape[:2], *y.shape[1:]), None


class Conv2dOptions(Options):
    """Options of a convolution."""

    channels: int = Field(default=16, ge=1, le=65_536, description="output channels")
    kernel: int = Field(default=3, ge=1, le=255, description="side of the kernel [pixels]")
    stride: int = Field(default=1, ge=1, le=255, description="stride [pixels]")
    padding: int = Field(default=-1, ge=-1, le=255, description="zero padding on each side [pixels]; -1: half a kernel")
    bias: bool = Field(default=False, description="whether there is a bias for each channel")


@LAYERS.register("conv2d", options=Conv2dOptions)
def conv2d(in_shape: Sequence[int], options: Conv2dOptions, generator: torch.Generator | None) -> Lift:
    """A convolution of images [channels, height, width]."""
    if len(in_shape) != 3:
        raise SpikingGammaError("conv2d", list(in_shape), "an input of [channels, height, width]")
    padding = options.kernel // 2 if options.padding < 0 else options.padding
    sizes = (in_shape[0], options.channels, options.kernel)
    module = nn.Conv2d(*sizes, stride=options.stride, padding=padding, bias=options.bias)
    fan_in = in_shape[0] * options.kernel**2
    with torch.no_grad():
        module.weight.copy_(torch.randn(module.weight.shape, generator=generator) / math.sqrt(fan_in))
        if module.bias is not None:
            module.bias.zero_()
    return Lift(module, in_shape)


class PoolOptions(Options):
    """Options of pooling."""

    size: int = Field(default=2, ge=1, le=255, description="side of the window, and the stride [pixels]")
    kind: Literal["average", "max", "sum"] = Field(default="average", description="function of the values in a window")


@LAYERS.register("pool2d", options=PoolOptions)
def pool2d(in_shape: Sequence[int], options: PoolOptions, generator: torch.Generator | None) -> Lift:
    """Pooling of images: the average, maximum or sum of each window."""
    if options.kind == "max":
        return Lift(nn.MaxPool2d(options.size), in_shape)
    return Lift(nn.AvgPool2d(options.size, divisor_override=1 if options.kind == "sum" else None), in_shape)


@LAYERS.register("flatten")
def flatten(in_shape: Sequence[int], options: Options, generator: torch.Generator | None) -> Lift:
    """A layer that flattens all axes of a sample into one."""
    return Lift(nn.Flatten(), in_shape)


class DropoutOptions(Options):
    """Options of dropout by step."""

    share: float = Field(default=0.1, ge=0.0, lt=1.0, description="probability that a number is set to zero")


@LAYERS.register("dropout", options=DropoutOptions)
def dropout(in_shape: Sequence[int], options: DropoutOptions, generator: torch.Generator | None) -> Lift:
    """Dropout at each number and step, from torch's random numbers; `learning.dropout` is per neuron and recording."""
    return Lift(nn.Dropout(options.share), in_shape)


@LAYERS.register("layer_norm")
def layer_norm(in_shape: Sequence[int], options: Options, generator: torch.Generator | None) -> Lift:
    """Layer normalisation of each sample at each step."""
    return Lift(nn.LayerNorm(list(in_shape)), in_shape)
