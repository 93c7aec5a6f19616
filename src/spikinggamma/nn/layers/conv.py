"""Convolutional layer: one kernel and one bucket weight vector per output channel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_input, conv2d_weight

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta
from spikinggamma.kernels import SpikeEvents
from spikinggamma.nn.layers.activations import add_gradient
from spikinggamma.nn.layers.per_neuron import BucketWeightedLayer
from spikinggamma.nn.layers.timescales import Timescales

__all__ = ["Conv2d"]


class Conv2d(BucketWeightedLayer):
    """u = W * s_in (cross-correlation over height and width); x = b + Σ_k v_k ⊙ h_k with v and b per channel.

    Args:
        in_shape: (C, H, W) of one sample's input at one step.
        channels: Number of output channels.
        kernel_size: Side of the square kernel.
        timescales: Time constants of the buckets.
        code: The sigma-delta code; None sends the signal itself.
        stride: Stride of the kernel.
        padding: Width of the zeros around the input.
        readout: Whether the layer is a read-out, which returns the signal.
        rectify: Whether y = max(x, 0); else y = x.
        generator: Random numbers of the initial weights: W normal with variance 1 / fan-in.

    Raises:
        SpikingGammaError: The input does not have three axes, or is smaller than the kernel.

    Shapes: spikes [T, B, C, H, W] to [T, B, C', H', W']; `weight` [C', C, k, k], `bucket_weight` [K, C'], `bias` [C'].

    Example:
        >>> layer = Conv2d((2, 8, 8), 4, 3, Timescales((4.0, 8.0)), code=SigmaDelta(), stride=2, padding=1)
        >>> layer(torch.ones(5, 1, 2, 8, 8), layer.initial_state(1), dt_ms=1.0)[0].shape
        torch.Size([5, 1, 4, 4, 4])
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        channels: int,
        kernel_size: int,
        timescales: Timescales,
        *,
        code: SigmaDelta | None,
        stride: int = 1,
        padding: int = 0,
        readout: bool = False,
        rectify: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        if len(in_shape) != 3:
            raise SpikingGammaError("in_shape", tuple(in_shape), "three numbers: channels, height, width")
        height, width = ((side + 2 * padding - kernel_size) // stride + 1 for side in in_shape[1:])
        if height < 1 or width < 1:
            raise SpikingGammaError(
                "kernel_size", kernel_size, f"at most the padded input, {tuple(in_shape[1:])} with padding {padding}"
            )
        out_shape = (channels, height, width)
        super().__init__(
            in_shape, out_shape, channels, timescales, code=code, readout=readout, rectify=rectify, generator=generator
        )
        self.stride = stride
        self.padding = padding
        fan_in = in_shape[0] * kernel_size**2
        weight = torch.randn(channels, in_shape[0], kernel_size, kernel_size, generator=generator)
        self.weight = nn.Parameter(weight / fan_in**0.5)

    def as_events(self, inputs: Float[Tensor, "T B C H W"]) -> None:
        """Return None: convolutions take whole frames; see `GammaLayer.as_events`."""

    def project(
        self, inputs: Float[Tensor, "T B C H W"], input_events: SpikeEvents | None = None
    ) -> Float[Tensor, "T B Co Ho Wo"]:
        """Return W * s_in, [T, B, C', H', W']; see `GammaLayer.project`."""
        frames = nn.functional.conv2d(inputs.flatten(0, 1), self.weight, stride=self.stride, padding=self.padding)
        return frames.view(*inputs.shape[:2], *self.out_shape)

    def fan_out(self) -> Float[Tensor, "C H W"]:
        """Return C' times the number of kernel positions that cover each pixel, [C, H, W]; see `GammaLayer.fan_out`."""
        covered: Tensor = conv2d_input(  # type: ignore[no-untyped-call]
            (1, *self.in_shape),
            torch.ones(1, *self.weight.shape[1:]),
            torch.ones(1, 1, *self.out_shape[1:]),
            stride=self.stride,
            padding=self.padding,
        )
        return self.out_shape[0] * covered[0]

    def project_adjoint(self, grad: Float[Tensor, "T B M"]) -> Float[Tensor, "T B C H W"]:
        """Return the transposed convolution of the error signal; see `GammaLayer.project_adjoint`."""
        frames = grad.shape[0] * grad.shape[1]
        result: Tensor = conv2d_input(  # type: ignore[no-untyped-call]
            (frames, *self.in_shape),
            self.weight.detach(),
            grad.reshape(frames, *self.out_shape),
            stride=self.stride,
            padding=self.padding,
        )
        return result.view(*grad.shape[:2], *self.in_shape)

    def accumulate_projection(
        self, grad: Float[Tensor, "T B M"], inputs: Float[Tensor, "T B C H W"], input_events: SpikeEvents | None = None
    ) -> None:
        """Add the correlation of error signal and input to that of the kernel; see `GammaLayer.accumulate_projection`."""
        gradient: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            inputs.flatten(0, 1),
            list(self.weight.shape),
            grad.reshape(-1, *self.out_shape),
            stride=self.stride,
            padding=self.padding,
        )
        add_gradient(self.weight, gradient)

    def require_own_parameters(self, rule: str) -> None:
        """Raise an error: all positions share a kernel, so there would be a trace for each position and weight."""
        raise SpikingGammaError(
            "rule",
            f"{rule!r} on a convolutional layer",
            "layers whose weights belong to one neuron each",
            "Use `windowed`, which is exact here too and has constant memory.",
        )

    def sensitivities(
        self, senders: Float[Tensor, "K B C H W"], buckets: Float[Tensor, "K B M"]
    ) -> dict[str, Float[Tensor, ...]]:
        """Raise an error, as `require_own_parameters` does."""
        self.require_own_parameters("traced")
        return {}

    def accumulate_sensitivities(self, products: dict[str, Float[Tensor, ...]]) -> None:
        """Raise an error, as `require_own_parameters` does."""
        self.require_own_parameters("traced")
