"""First spikes of neurons that spike once: their exact times, driven by events, and the exact gradients of these times.

    V_j(t) = Σ_i w_ji K(t - t_i - d_ji),    K(x) = 0 for x <= 0,    t_j = min {t : V_j(t) >= ϑ}

There is no time step. Inputs come at times t_i (infinite: never), through delays d_ji, and a neuron that never reaches the
threshold has t_j = ∞. The gradient is that of the implicit function V_j(t_j) = ϑ:

    ∂t_j/∂w_ji = -K(t_j - t_i - d_ji) / V_j'(t_j),    ∂t_j/∂t_i = ∂t_j/∂d_ji = w_ji K'(t_j - t_i - d_ji) / V_j'(t_j)

A neuron without a spike passes no gradient. A potential is one class: its kernel K, the slope K', and how its first crossing
is found; it registers itself in `POTENTIALS`.

Sources: Bohte, Kok, La Poutré (2002), Neurocomputing 48, 17, for the gradient; Zhang et al. (2021), arXiv 2003.11837.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["POTENTIALS", "PostsynapticPotential", "first_spikes", "make_potential", "register_potential"]


class PostsynapticPotential(Options, abc.ABC):
    """What a spike adds to the membrane potential, over time; its fields are its options."""

    @abc.abstractmethod
    def kernel(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return K(x), where x >= 0 is the time since the spike arrived."""

    @abc.abstractmethod
    def slope(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return K'(x) for x > 0."""

    @abc.abstractmethod
    def crossing(
        self, arrival: Float[Tensor, "B J I"], weight: Float[Tensor, "B J I"], threshold: float
    ) -> Float[Tensor, "B J"]:
        """Return the time at which the potential first reaches the threshold; infinite if it never does.

        Args:
            arrival: Times of arrival, the earliest first; infinite ones last.
            weight: The weight of each, 0 where the time is infinite.
            threshold: ϑ, above 0.
        """


POTENTIALS: Registry[type[PostsynapticPotential]] = Registry("postsynaptic potential")


def register_potential(name: str, *, title: str = "", citations: tuple[str, ...] = ()) -> Any:
    """Return a decorator that registers a `PostsynapticPotential` under `name`: its own fields are its options."""

    def add(potential: type[PostsynapticPotential]) -> type[PostsynapticPotential]:
        return POTENTIALS.register(name, options=potential, title=title, citations=citations)(potential)

    return add


def make_potential(name: str, options: Mapping[str, Any] | None = None) -> PostsynapticPotential:
    """Return a potential by name, with these options.

    Raises:
        SpikingGammaError: There is no such potential, or an option is unknown or out of range.

    Example:
        >>> make_potential("alpha_psp", {"tau_ms": 2.0}).kernel(torch.tensor(2.0))
        tensor(1.)
    """
    entry = POTENTIALS.find(name)
    made: PostsynapticPotential = entry.make_options(options)
    return made


def first_spikes(
    potential: PostsynapticPotential,
    times: Float[Tensor, "B I"],
    weight: Float[Tensor, "J I"],
    *,
    threshold: float = 1.0,
    delays: Float[Tensor, "J I"] | None = None,
    least_slope: float = 0.0,
) -> Float[Tensor, "B J"]:
    """Return the time of the first spike of each neuron, infinite where there is none.

    Args:
        potential: What a spike adds to the potential.
        times: When each input spikes, infinite where it does not.
        weight: Synaptic weights.
        threshold: ϑ.
        delays: Of each synapse; none if not given.
        least_slope: The backward pass takes V'(t_j) to be at least this, so that gradients are at most K / `least_slope`;
            0 for the exact gradient. The forward pass is exact always.

    Returns:
        Times, differentiable once in `times`, `weight` and `delays`.

    Raises:
        SpikingGammaError: A shape, the threshold, or a delay is wrong.

    Example:
        >>> first_spikes(make_potential("rel_psp"), torch.tensor([[0.0, 1.0]]), torch.tensor([[0.25, 0.25], [0.0, -1.0]]))
        tensor([[2.5000,    inf]])
    """
    _check(times, weight, threshold, delays)
    arrival = times.unsqueeze(1) if delays is None else times.unsqueeze(1) + delays
    with torch.no_grad():
        in_order, order = arrival.sort(dim=-1)
        longest = int(in_order.isfinite().sum(-1).max()) if times.shape[1] else 0
        order, in_order = order[..., :longest], in_order[..., :longest]
        at = _crossing(potential, in_order, _ordered(weight, order), threshold)
        fired = at.isfinite()
        there = torch.where(fired, at, torch.zeros_like(at)).unsqueeze(-1)
        # Of inputs that never come and of those after the spike, the time since arrival is 0, where K and its slope vanish.
        causal = arrival < there
    since = torch.where(causal, there - arrival, torch.zeros_like(there))
    contributions = torch.where(causal, weight * potential.kernel(since), torch.zeros_like(since))
    with torch.no_grad():
        steep = (weight * potential.slope(since)).masked_fill(~causal, 0.0).sum(-1)
        steep = torch.where(fired, steep.clamp(min=least_slope or torch.finfo(at.dtype).tiny), torch.ones_like(at))
    # Its value is V(t_j), which is constant; its derivative over V' is minus that of t_j.
    moved = contributions.sum(-1) / steep
    return torch.where(fired, there.squeeze(-1) - (moved - moved.detach()), torch.full_like(at, torch.inf))


def _ordered(weight: Float[Tensor, "J I"], order: Int[Tensor, "B K I"]) -> Float[Tensor, "B J I"]:
    """Return the weights in the order of arrival: of each neuron where it has delays of its own (K = J), else of all."""
    batch, neurons = order.shape[0], len(weight)
    return weight.expand(batch, *weight.shape).gather(-1, order.expand(batch, neurons, order.shape[-1]))


def _crossing(
    potential: PostsynapticPotential, arrival: Float[Tensor, "B K I"], weight: Float[Tensor, "B J I"], threshold: float
) -> Float[Tensor, "B J"]:
    if not arrival.shape[-1]:
        return weight.new_full(weight.shape[:2], torch.inf)
    finite = arrival.isfinite()
    return potential.crossing(arrival.expand_as(weight), torch.where(finite, weight, 0.0), threshold)


def _check(times: Tensor, weight: Tensor, threshold: float, delays: Tensor | None) -> None:
    if times.ndim != 2 or weight.ndim != 2 or times.shape[1] != weight.shape[1]:
        found = f"{list(times.shape)} with weights of shape {list(weight.shape)}"
        raise SpikingGammaError("times", found, "[B, I] with weights [J, I]")
    if not threshold > 0.0:
        raise SpikingGammaError("threshold", threshold, "above 0")
    if delays is not None and (delays.shape != weight.shape or not bool((delays >= 0.0).all())):
        found = f"shape {list(delays.shape)}" if delays.shape != weight.shape else "a delay below 0"
        raise SpikingGammaError("delays", found, f"shape {list(weight.shape)}, each at least 0")
