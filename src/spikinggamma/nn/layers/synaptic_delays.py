"""Weights with one learnt delay each: dilated convolutions over time with learnable spacings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.bibliography import DCLS_DELAYS
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import DelayState, clamp_delays_
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.options import Options

__all__ = ["SynapticDelayOptions", "SynapticDelays"]


class SynapticDelayOptions(Options):
    """Options of weights with a delay each."""

    neurons: int = Field(
        default=64, ge=0, le=65_536, description="number of neurons; in a recipe 0: one for each class"
    )
    max_ms: float = Field(default=50.0, gt=0.0, le=60_000.0, description="longest delay [ms]")
    initial_ms: float = Field(
        default=-1.0,
        le=60_000.0,
        description="initial delays are spread evenly from 0 to this [ms]; -1: to the longest",
    )
    sigma_ms: float = Field(
        default=0.0,
        ge=0.0,
        le=60_000.0,
        description="width of a Gaussian around each delay [ms]; 0: interpolation",
    )


class SynapticDelays(Layer[DelayState | None]):
    """u_i(t) = Σ_j w_ij s_j(t - d_ij), with one weight and one delay for each pair of sender and neuron.

    The weight of a delay between two steps is divided among steps by linear interpolation (`sigma_ms` = 0) or by a
    normalised Gaussian. In both cases the gradient of the delay is that of the computed function, exactly.

    Args:
        in_features: M, the size of the input; several axes are flattened.
        out_features: N, the size of the output.
        max_delay_ms: Bound of all delays in ms, enforced by `constrain_`.
        initial_delay_ms: Initial delays are spread evenly from 0 to this, in ms.
        sigma_ms: Width of the Gaussian in ms; 0 for interpolation.
        generator: Random numbers of weights (normal, variance 1 / M) and delays.

    Raises:
        SpikingGammaError: Delays or the width are out of range.

    Shapes: spikes [T, B, *in_shape] to drive [T, B, N].

    Source: Hammouamri, Khalfaoui-Hassani and Masquelier (ICLR 2024), arXiv 2306.17670; there the Gaussians narrow
    during training.

    Example:
        >>> layer = SynapticDelays(3, 8, max_delay_ms=6.0, initial_delay_ms=6.0)
        >>> layer(torch.ones(5, 4, 3), None, dt_ms=2.0)[0].shape
        torch.Size([5, 4, 8])
    """

    parameter_kinds = {"delay_ms": "delay"}  # noqa: RUF012

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        max_delay_ms: float,
        initial_delay_ms: float,
        sigma_ms: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 <= max_delay_ms < math.inf:
            raise SpikingGammaError("max_delay_ms", max_delay_ms, "zero or a positive, finite time in ms")
        if not 0.0 <= initial_delay_ms <= max_delay_ms:
            raise SpikingGammaError("initial_delay_ms", initial_delay_ms, f"from 0 to max_delay_ms, {max_delay_ms}")
        if not 0.0 <= sigma_ms < math.inf:
            raise SpikingGammaError("sigma_ms", sigma_ms, "zero (interpolation) or a positive, finite time in ms")
        self.out_shape = (out_features,)
        self.max_delay_ms, self.sigma_ms = max_delay_ms, sigma_ms
        sizes = (out_features, in_features)
        self.weight = nn.Parameter(torch.randn(sizes, generator=generator) / in_features**0.5)
        self.delay_ms = nn.Parameter(torch.rand(sizes, generator=generator) * initial_delay_ms)

    def initial_state(self, batch: int) -> None:
        """Return None, which stands for a silent past: its length depends on the time step."""

    def forward(
        self, x: Float[Tensor, "T B *in_shape"], state: DelayState | None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], DelayState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        flat, kernel = x.flatten(2), self.kernel(dt_ms)
        remembered = kernel.shape[2] - 1
        past = flat.new_zeros(remembered, *flat.shape[1:]) if state is None else state.past
        if past.shape != (remembered, *flat.shape[1:]):
            wanted = [remembered, *flat.shape[1:]]
            remedy = "A state belongs to the batch, the time step and the bound that made it."
            raise SpikingGammaError("state", f"a past of shape {list(past.shape)}", f"{wanted} for this input", remedy)
        history = torch.cat([past, flat])
        drive = nn.functional.conv1d(history.permute(1, 2, 0), kernel.flip(2)).permute(2, 0, 1)
        return drive.contiguous(), DelayState(history[len(flat) :].clone())

    def kernel(self, dt_ms: float) -> Float[Tensor, "N M D"]:
        """Return the weights at each delay in whole steps, the shortest first, [N, M, D]."""
        steps = math.floor(self.max_delay_ms / dt_ms * (1.0 + 1e-6)) + 2  # the last one for interpolation
        places = torch.arange(steps, device=self.weight.device, dtype=self.weight.dtype)
        apart = places - (self.delay_ms / dt_ms).unsqueeze(2)
        if self.sigma_ms == 0.0:
            shares = (1.0 - apart.abs()).clamp_min(0.0)
        else:
            bumps = torch.exp(-0.5 * (apart * dt_ms / self.sigma_ms).square())
            shares = bumps / (bumps.sum(2, keepdim=True) + 1e-7)
        return self.weight.unsqueeze(2) * shares

    def constrain_(self) -> None:
        """Clamp the delays to [0, max_delay_ms]."""
        clamp_delays_(self.delay_ms, self.max_delay_ms)


@LAYERS.register("synaptic_delay", options=SynapticDelayOptions, citations=(DCLS_DELAYS,))
def synaptic_delay(
    in_shape: Sequence[int], options: SynapticDelayOptions, generator: torch.Generator | None
) -> SynapticDelays:
    """Fully connected weights, each with a learnt delay."""
    first = options.max_ms if options.initial_ms < 0.0 else options.initial_ms
    return SynapticDelays(
        torch.Size(in_shape).numel(),
        options.neurons,
        max_delay_ms=options.max_ms,
        initial_delay_ms=first,
        sigma_ms=options.sigma_ms,
        generator=generator,
    )
