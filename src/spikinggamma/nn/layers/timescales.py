"""Time constants of the buckets of a layer, fixed or trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError

__all__ = ["Timescales"]


class Timescales(nn.Module):
    """Time constants τ_k in ms, one for each bucket of a layer.

    Trained time constants are τ_k = τ_min + exp(ρ_k), so they stay above `shortest_ms`, the largest time step at which
    the net must still run. Bucket 0 is never trained, because its decay is the common code of the net.

    Args:
        tau_ms: Initial time constants in ms, [K].
        trainable: Whether the time constants of buckets 1 .. K-1 are trained.
        shortest_ms: Floor of trained time constants in ms; by default half of the shortest.

    Raises:
        SpikingGammaError: Time constants or the floor are out of range.

    Example:
        >>> Timescales((4.0, 8.0)).tau_ms()
        tensor([4., 8.])
    """

    parameter_kinds = {"excess": "time_constant"}  # noqa: RUF012

    def __init__(self, tau_ms: Sequence[float], *, trainable: bool = False, shortest_ms: float | None = None) -> None:
        super().__init__()
        values = torch.tensor([float(tau) for tau in tau_ms])
        if values.numel() == 0 or not bool(torch.isfinite(values).all()) or not bool((values > 0).all()):
            raise SpikingGammaError("tau_ms", tuple(tau_ms), "one or more positive, finite time constants in ms")
        floor = float(values.min()) / 2 if shortest_ms is None else shortest_ms
        if trainable and not 0.0 < floor < float(values[1:].min() if values.numel() > 1 else values.min()):
            raise SpikingGammaError("shortest_ms", floor, "a positive time below every trained time constant")
        self.shortest_ms = floor
        self.register_buffer("first_ms", values[:1])
        self.register_buffer("fixed_ms", None if trainable else values[1:])
        self.excess = nn.Parameter(torch.log(values[1:] - floor)) if trainable else None

    @property
    def order(self) -> int:
        """Return K, the number of buckets."""
        return int(self.tau_ms().numel())

    @property
    def trainable(self) -> bool:
        """Return whether the time constants are parameters."""
        return self.excess is not None

    def tau_ms(self) -> Float[Tensor, " K"]:
        """Return the time constants in ms, [K]; differentiable if they are trained."""
        first: Tensor = self.get_buffer("first_ms")
        later = self.get_buffer("fixed_ms") if self.excess is None else self.shortest_ms + torch.exp(self.excess)
        return torch.cat([first, later])

    def accumulate(self, grad: Float[Tensor, " K"], dt_ms: float) -> None:
        """Add the gradient of the trained time constants, given ∂ℓ/∂α [K], by α = 1 - dt/τ."""
        if self.excess is None:
            return
        with torch.enable_grad():
            alpha = 1.0 - dt_ms / self.tau_ms()
        (gradient,) = torch.autograd.grad(alpha, self.excess, grad)
        self.excess.grad = gradient if self.excess.grad is None else self.excess.grad + gradient
