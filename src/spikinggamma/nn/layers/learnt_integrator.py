"""A read-out of leaky integrators whose time constants are learnt, one for each output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.bibliography import BRF
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.nn.state import check_state
from spikinggamma.options import Options

__all__ = ["LearntIntegrator", "LearntIntegratorOptions", "LearntIntegratorState"]

_CHUNK = 64  # steps that one product takes


class LearntIntegratorOptions(Options):
    """Options of leaky integrators with learnt time constants."""

    tau_ms: float = Field(
        default=20.0, gt=0.0, le=60_000.0, description="mean of the time constants of the membranes at first [ms]"
    )
    spread_ms: float = Field(
        default=0.0, ge=0.0, le=60_000.0, description="standard deviation of these time constants at first [ms]"
    )


class LearntIntegratorState(NamedTuple):
    """The membrane v, [B, *shape]."""

    membrane: Float[Tensor, "B *shape"]


class LearntIntegrator(Layer[LearntIntegratorState]):
    """v(t) = α v(t-1) + (1 - α) u(t), α = e^{-dt/abs(τ)}, with a τ for each output that training changes.

    Inside a chunk the sum over the past is a product with the powers of α, which autograd follows.

    Args:
        shape: Shape of one sample at one step.
        tau_ms: Mean of τ at first.
        spread_ms: Standard deviation of τ at first.
        generator: Random numbers of τ.

    Shapes: drive [T, B, *shape] to membrane [T, B, *shape]; `tau_ms` of `shape`.

    Example:
        >>> layer = LearntIntegrator((2,), tau_ms=20.0)
        >>> layer(torch.ones(5, 4, 2), layer.initial_state(4), dt_ms=1.0)[0].shape
        torch.Size([5, 4, 2])
    """

    parameter_kinds = {"tau_ms": "time_constant"}  # noqa: RUF012

    def __init__(
        self,
        shape: Sequence[int],
        *,
        tau_ms: float,
        spread_ms: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.out_shape = tuple(shape)
        self.tau_ms = nn.Parameter(tau_ms + spread_ms * torch.randn(*self.out_shape, generator=generator))

    def initial_state(self, batch: int) -> LearntIntegratorState:
        """Return the state at the start of a recording; see `Layer.initial_state`."""
        return LearntIntegratorState(self.tau_ms.new_zeros(batch, *self.out_shape))

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: LearntIntegratorState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], LearntIntegratorState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        check_state("integrators", list(state), x.shape[1], self.out_shape)
        # Shorter than a thousandth of a step it has no memory, and a rate without bound would make no numbers.
        rate = dt_ms / self.tau_ms.abs().clamp_min(1e-3 * dt_ms)
        steps = torch.arange(min(_CHUNK, len(x)), device=x.device, dtype=x.dtype)
        ones = [1] * rate.ndim
        lag = (steps.unsqueeze(1) - steps).view(len(steps), len(steps), *ones)
        held = torch.where(lag >= 0.0, (-lag.clamp_min(0.0) * rate).exp(), 0.0) * -torch.expm1(-rate)
        carried = (-(steps + 1.0).view(-1, *ones) * rate).exp().unsqueeze(1)
        membrane, found = state.membrane, []
        for u in torch.split(x, _CHUNK):
            own = torch.einsum("ij...,jb...->ib...", held[: len(u), : len(u)], u)
            found.append(own + carried[: len(u)] * membrane)
            membrane = found[-1][-1]
        return torch.cat(found), LearntIntegratorState(membrane)

    def extra_repr(self) -> str:
        """Return the shape."""
        return f"{self.out_shape}"


@LAYERS.register("learnt_integrator", options=LearntIntegratorOptions, citations=(BRF,))
def learnt_integrator(
    in_shape: Sequence[int], options: LearntIntegratorOptions, generator: torch.Generator | None
) -> LearntIntegrator:
    """Leaky integrators that never spike, each with a time constant that is learnt."""
    return LearntIntegrator(in_shape, tau_ms=options.tau_ms, spread_ms=options.spread_ms, generator=generator)
