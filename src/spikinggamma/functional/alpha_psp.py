"""The alpha function as a postsynaptic potential: a spike raises the potential for a while, and is then forgotten.

    K(x) = x/τ · exp(1 - x/τ)

It peaks at x = τ with the value 1. Between two inputs the membrane potential is exp(1 - t/τ) (t P - Q)/τ with
P = Σ w exp(t_i/τ) and Q = Σ w t_i exp(t_i/τ) over the inputs so far: with P > 0 it has one maximum, at τ + Q/P, and else none
above 0. So the first crossing is in the first interval whose highest value reaches the threshold, on the rising side;
bisection finds it. Near the maximum the slope vanishes and the gradient of the spike time grows without bound; below it the
neuron is silent.

Source: Comşa et al. (2021), arXiv 1907.13223, for spike times under this potential; here in times of arrival, so that delays
and any time constant can be had. Times are taken relative to the earliest; they may span some tens of τ before exp overflows.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.bibliography import ALPHA_TIMES
from spikinggamma.functional.first_spike import PostsynapticPotential, register_potential

__all__ = ["AlphaPSP"]

_HALVINGS = {torch.float32: 32, torch.float64: 64}  # until an interval is as short as rounding


@register_potential("alpha_psp", title="alpha function", citations=(ALPHA_TIMES,))
class AlphaPSP(PostsynapticPotential):
    """A rise to 1 within the time constant, and an exponential decay."""

    tau_ms: float = Field(
        default=1.0, gt=0.0, le=10_000.0, description="time from a spike to the peak of its potential [ms]"
    )

    def kernel(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return x/τ · exp(1 - x/τ)."""
        return x / self.tau_ms * torch.exp(1.0 - x / self.tau_ms)

    def slope(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return (1 - x/τ)/τ · exp(1 - x/τ)."""
        return (1.0 - x / self.tau_ms) / self.tau_ms * torch.exp(1.0 - x / self.tau_ms)

    def crossing(
        self, arrival: Float[Tensor, "B J I"], weight: Float[Tensor, "B J I"], threshold: float
    ) -> Float[Tensor, "B J"]:
        """See `PostsynapticPotential.crossing`; by bisection in the first interval that reaches the threshold."""
        there = arrival.isfinite()
        origin = arrival[..., :1].masked_fill(~there[..., :1], 0.0)
        left = (arrival - origin) / self.tau_ms
        raised = weight * torch.exp(left.masked_fill(~there, 0.0))
        gain, moment = raised.cumsum(-1), (raised * left.masked_fill(~there, 0.0)).cumsum(-1)
        right = torch.cat([left[..., 1:], torch.full_like(left[..., :1], torch.inf)], dim=-1)
        top = torch.minimum(torch.maximum(1.0 + moment / gain.clamp(min=torch.finfo(gain.dtype).tiny), left), right)
        top = torch.where(there & (gain > 0.0), top, torch.zeros_like(top))
        reached = there & (gain > 0.0) & (_value(top, gain, moment) >= threshold)
        first = reached.to(torch.uint8).argmax(-1, keepdim=True)
        low, high, gain, moment = (part.gather(-1, first).squeeze(-1) for part in (left, top, gain, moment))
        any_reached = reached.any(-1)
        low, high = low.masked_fill(~any_reached, 0.0), high.masked_fill(~any_reached, 0.0)
        for _ in range(_HALVINGS[arrival.dtype]):
            middle = (low + high) / 2.0
            above = _value(middle, gain, moment) >= threshold
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        at = origin.squeeze(-1) + self.tau_ms * high
        return torch.where(any_reached, at, torch.full_like(at, torch.inf))


def _value(at: Tensor, gain: Tensor, moment: Tensor) -> Tensor:
    """Return the potential at a time in units of τ."""
    return math.e * torch.exp(-at) * (at * gain - moment)
