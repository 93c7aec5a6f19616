"""The rectified linear postsynaptic potential: after a spike it rises for ever, in a straight line.

    K(x) = max(0, x),    t_j = (ϑ + Σ_{i in C} w_ji t_i) / Σ_{i in C} w_ji,    C = {i : t_i < t_j}

Between two inputs the membrane potential is a straight line, so the first crossing has a closed form over the inputs before
it: C is the shortest prefix of the inputs, in the order of arrival, whose solution comes before the next input. The slope is
constant there, Σ w over C: it does not vanish at a peak, where a gradient would explode, nor does a potential decay before it
reaches the threshold: a neuron whose weights add up to more than 0 always spikes in the end.

Source: Zhang et al. (2021), arXiv 2003.11837, equations for the neuron and for the gradient of its spike time.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.bibliography import REL_PSP
from spikinggamma.functional.first_spike import PostsynapticPotential, register_potential

__all__ = ["ReLPSP"]


@register_potential("rel_psp", title="ReL-PSP", citations=(REL_PSP,))
class ReLPSP(PostsynapticPotential):
    """A straight line from the time of the spike."""

    def kernel(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return x."""
        return x

    def slope(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return 1."""
        return torch.ones_like(x)

    def crossing(
        self, arrival: Float[Tensor, "B J I"], weight: Float[Tensor, "B J I"], threshold: float
    ) -> Float[Tensor, "B J"]:
        """See `PostsynapticPotential.crossing`; in closed form."""
        there = arrival.isfinite()
        slope = weight.cumsum(-1)
        solution = (threshold + (weight * arrival.masked_fill(~there, 0.0)).cumsum(-1)) / slope
        following = torch.cat([arrival[..., 1:], torch.full_like(arrival[..., :1], torch.inf)], dim=-1)
        solved = there & (slope > 0.0) & (solution > arrival) & (solution <= following)
        first = solved.to(torch.uint8).argmax(-1, keepdim=True)
        at = solution.gather(-1, first).squeeze(-1)
        return torch.where(solved.any(-1), at, torch.full_like(at, torch.inf))
