"""Spike functions with a surrogate gradient: a step in the forward pass, a smooth bump in the backward pass.

    s = H(x) = 1[x >= 0],    x = membrane - threshold

| name | ∂s/∂x, taken to be | source |
| --- | --- | --- |
| `fast_sigmoid` | 1 / (1 + β abs(x))² | SuperSpike, Zenke and Ganguli (2018), Neural Computation 30, 1514 |
| `arctan` | (β/2) / (1 + (π/2 β x)²) | Fang et al. (ICCV 2021), arXiv 2007.05785 |
| `exponential` | c β exp(-β abs(x)) | SLAYER, Shrestha and Orchard (NeurIPS 2018), arXiv 1810.08646 |

The bump is a choice and not the derivative, which H does not have. SpikingGamma neurons need no such choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError

__all__ = ["SURROGATES", "Surrogate", "arctan", "exponential", "fast_sigmoid", "find_surrogate", "surrogate_slope"]

Surrogate = Callable[[Tensor], Tensor]


def _fast_sigmoid_slope(x: Tensor, slope: float = 10.0) -> Tensor:
    return (1.0 + slope * x.abs()).square().reciprocal()


def _arctan_slope(x: Tensor, slope: float = 2.0) -> Tensor:
    return slope / 2.0 / (1.0 + (math.pi / 2.0 * slope * x).square())


def _exponential_slope(x: Tensor, slope: float = 1.0, scale: float = 1.0) -> Tensor:
    return scale * slope * torch.exp(-slope * x.abs())


class _Step(torch.autograd.Function):
    """H(x), with the derivative replaced by `bump`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bump: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bump = bump
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        return grads[0] * ctx.bump(x), None


def fast_sigmoid(x: Float[Tensor, "*cells"], *, slope: float = 10.0) -> Float[Tensor, "*cells"]:
    """Return H(x) with the derivative of a fast sigmoid, scaled to 1 at the threshold.

    Args:
        x: Membrane minus threshold.
        slope: β; Zenke and Vogels (2021) find similar learning from 1 to 100, at a threshold of 1.

    Example:
        >>> fast_sigmoid(torch.tensor([-0.5, 0.0, 0.5]))
        tensor([0., 1., 1.])
    """
    spikes: Tensor = _Step.apply(x, partial(_fast_sigmoid_slope, slope=slope))  # type: ignore[no-untyped-call]
    return spikes


def arctan(x: Float[Tensor, "*cells"], *, slope: float = 2.0) -> Float[Tensor, "*cells"]:
    """Return H(x) with the derivative of an arc tangent.

    Args:
        x: Membrane minus threshold.
        slope: β; 2 is the value of Fang et al. and gives the bump a height of 1.

    Example:
        >>> arctan(torch.tensor([-0.5, 0.0, 0.5]))
        tensor([0., 1., 1.])
    """
    spikes: Tensor = _Step.apply(x, partial(_arctan_slope, slope=slope))  # type: ignore[no-untyped-call]
    return spikes


def exponential(x: Float[Tensor, "*cells"], *, slope: float = 1.0, scale: float = 1.0) -> Float[Tensor, "*cells"]:
    """Return H(x) with a two-sided exponential as its derivative.

    Args:
        x: Membrane minus threshold.
        slope: β = 1 / (τ_ρ ϑ) in SLAYER's terms, whose τ_ρ is a width in thresholds, not a time.
        scale: c, SLAYER's `scaleRho`; the area under the bump is 2 c for every slope.

    Example:
        >>> exponential(torch.tensor([-0.5, 0.0, 0.5]))
        tensor([0., 1., 1.])
    """
    spikes: Tensor = _Step.apply(x, partial(_exponential_slope, slope=slope, scale=scale))  # type: ignore[no-untyped-call]
    return spikes


SURROGATES: dict[str, Surrogate] = {"fast_sigmoid": fast_sigmoid, "arctan": arctan, "exponential": exponential}
_SLOPES: dict[str, Callable[..., Tensor]] = {
    "fast_sigmoid": _fast_sigmoid_slope,
    "arctan": _arctan_slope,
    "exponential": _exponential_slope,
}


def find_surrogate(name: str) -> Surrogate:
    """Return the spike function of a name.

    Raises:
        SpikingGammaError: There is no surrogate of that name.
    """
    if name not in SURROGATES:
        raise SpikingGammaError("surrogate", repr(name), f"one of {', '.join(SURROGATES)}")
    return SURROGATES[name]


def surrogate_slope(name: str, x: Float[Tensor, "*cells"], **shape: float) -> Float[Tensor, "*cells"]:
    """Return the bump ∂s/∂x itself, for gradients computed without autograd.

    Args:
        name: A name in `SURROGATES`.
        x: Membrane minus threshold.
        shape: `slope`, and `scale` for "exponential", as the spike function of that name takes them.

    Raises:
        SpikingGammaError: There is no surrogate of that name.

    Example:
        >>> surrogate_slope("fast_sigmoid", torch.tensor([-0.1, 0.0, 0.1]))
        tensor([0.2500, 1.0000, 0.2500])
    """
    find_surrogate(name)
    return _SLOPES[name](x, **shape)
