"""First spikes, compiled where a kernel fits: the functional ones by another road.

The function has the name and the signature of the one in `functional`, and gives the same times and gradients. Where no kernel
fits (another potential, delays, another device or element type, or `kernels.use`) it calls that function. A second
derivative is refused.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikinggamma import functional, kernels
from spikinggamma.functional import PostsynapticPotential
from spikinggamma.functional.rel_psp import ReLPSP

__all__ = ["first_spikes"]


def first_spikes(
    potential: PostsynapticPotential,
    times: Float[Tensor, "B I"],
    weight: Float[Tensor, "J I"],
    *,
    threshold: float = 1.0,
    delays: Float[Tensor, "J I"] | None = None,
    least_slope: float = 0.0,
) -> Float[Tensor, "B J"]:
    """Return the time of the first spike of each neuron, as `functional.first_spikes` does."""
    fits = times.ndim == 2 and times.shape[1:] == weight.shape[1:] and times.numel() > 0 and threshold > 0.0
    if type(potential) is ReLPSP and delays is None and fits and kernels.has_compiled(times, weight):
        return cast(Tensor, _ReLPSP.apply(times, weight, threshold, least_slope))  # type: ignore[no-untyped-call]
    return functional.first_spikes(
        potential, times, weight, threshold=threshold, delays=delays, least_slope=least_slope
    )


class _ReLPSP(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, times: Tensor, weight: Tensor, threshold: float, least_slope: float) -> Tensor:
        arrival, order = times.detach().sort(dim=1)
        spikes, slopes = kernels.rel_psp_forward(order, arrival, weight, threshold)
        ctx.save_for_backward(order, arrival, weight, spikes, slopes)
        ctx.least_slope = least_slope
        return spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        order, arrival, weight, spikes, slopes = ctx.saved_tensors
        steep = slopes.clamp(min=ctx.least_slope or torch.finfo(slopes.dtype).tiny)
        blame = torch.where(spikes.isfinite(), grad / steep, torch.zeros_like(grad))
        asked = ctx.needs_input_grad[0]
        to_weight, to_times = kernels.rel_psp_backward(order, arrival, weight, spikes, blame, to_times=asked)
        return to_times, to_weight, None, None
