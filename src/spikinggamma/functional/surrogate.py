"""Spike functions with a surrogate gradient: a step in the forward pass, a smooth bump in the backward pass.

    s = H(x) = 1[x >= 0],    x = membrane - threshold

| name | ∂s/∂x, taken to be | source |
| --- | --- | --- |
| `fast_sigmoid` | 1 / (1 + β abs(x))² | SuperSpike, Zenke and Ganguli (2018), Neural Computation 30, 1514 |
| `arctan` | (β/2) / (1 + (π/2 β x)²) | Fang et al. (ICCV 2021), arXiv 2007.05785 |
| `exponential` | c β exp(-β abs(x)) | SLAYER, Shrestha and Orchard (NeurIPS 2018), arXiv 1810.08646 |
| `triangle` | c max(0, 1 - abs(x) / w) | Bellec et al. (2020), Nature Communications 11, 3625 |
| `rectangle` | 1[abs(x) < w/2] / w | Wu et al. (2018), Frontiers in Neuroscience 12, 331 |
| `double_gaussian` | c ((1 + h) N(x; σ) - 2 h N(x; 6 σ)) | Yin, Corradi and Bohté (2021), Nature Machine Intelligence 3, 905 |

The bump is a choice, since H has no derivative at 0 and zero elsewhere. SpikingGamma neurons need no such choice; the neurons
with which they are compared do. A surrogate is a class whose fields are its options and whose `derivative` is its bump. It is
registered in `SURROGATES`.

The file is longer than others since every surrogate is an entry with its options, and all of them are compared here.
"""

from __future__ import annotations

import abc
import math
from typing import Any, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.bibliography import ARCTAN, BRF, E_PROP, RECTANGLE, SLAYER, SUPER_SPIKE
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = [
    "SURROGATES",
    "Surrogate",
    "arctan",
    "exponential",
    "fast_sigmoid",
    "find_surrogate",
    "register_surrogate",
    "surrogate_slope",
]


class Surrogate(Options, abc.ABC):
    """Base class of spike functions with a surrogate gradient; the fields are the options of the bump."""

    @abc.abstractmethod
    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return the surrogate of ∂s/∂x at x, which is membrane minus threshold."""

    def __call__(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return 1 where x >= 0 and 0 elsewhere, with the surrogate's derivative."""
        return cast(Tensor, _Step.apply(x, self))  # type: ignore[no-untyped-call]


SURROGATES: Registry[type[Surrogate]] = Registry("surrogate")


def register_surrogate(name: str, *, citations: tuple[str, ...] = ()) -> Any:
    """Return a decorator that registers a `Surrogate` under `name`, with its fields as options."""

    def add(surrogate: type[Surrogate]) -> type[Surrogate]:
        return SURROGATES.register(name, options=surrogate, citations=citations)(surrogate)

    return add


class _Step(torch.autograd.Function):
    """H(x) with the surrogate as its derivative, in both modes of differentiation."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, surrogate: Surrogate) -> Tensor:
        return (x >= 0).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, ctx.surrogate = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        return grads[0] * ctx.surrogate.derivative(x), None

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        (x,) = ctx.saved_tensors
        assert tangents[0] is not None
        return tangents[0] * cast(Tensor, ctx.surrogate.derivative(x))


@register_surrogate("fast_sigmoid", citations=(SUPER_SPIKE,))
class FastSigmoid(Surrogate):
    """Derivative of a fast sigmoid, scaled to 1 at the threshold: 1 / (1 + β |x|)²."""

    slope: float = Field(default=10.0, gt=0.0, le=1e6, description="steepness β of the bump, per unit of the membrane")

    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return the surrogate of ∂s/∂x; see `Surrogate.derivative`."""
        return (1.0 + self.slope * x.abs()).square().reciprocal()


@register_surrogate("arctan", citations=(ARCTAN,))
class Arctan(Surrogate):
    """Derivative of the arctangent: (β/2) / (1 + (π/2 β x)²)."""

    slope: float = Field(default=2.0, gt=0.0, le=1e6, description="steepness β of the bump, per unit of the membrane")

    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return the surrogate of ∂s/∂x; see `Surrogate.derivative`."""
        return self.slope / 2.0 / (1.0 + (math.pi / 2.0 * self.slope * x).square())


@register_surrogate("exponential", citations=(SLAYER,))
class Exponential(Surrogate):
    """Two-sided exponential: c β exp(-β |x|)."""

    slope: float = Field(default=1.0, gt=0.0, le=1e6, description="decay β of the bump, per unit of the membrane")
    scale: float = Field(default=1.0, gt=0.0, le=1e6, description="half the area c under the bump")

    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return the surrogate of ∂s/∂x; see `Surrogate.derivative`."""
        return self.scale * self.slope * torch.exp(-self.slope * x.abs())


@register_surrogate("triangle", citations=(E_PROP,))
class Triangle(Surrogate):
    """Triangle around the threshold: c max(0, 1 - |x| / w)."""

    width: float = Field(default=1.0, gt=0.0, le=1e6, description="half the base w, in units of the membrane")
    height: float = Field(default=0.3, gt=0.0, le=1e6, description="height c at the threshold")

    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return the surrogate of ∂s/∂x; see `Surrogate.derivative`."""
        return self.height * (1.0 - x.abs() / self.width).clamp_min(0.0)


@register_surrogate("rectangle", citations=(RECTANGLE,))
class Rectangle(Surrogate):
    """Rectangle of area 1 around the threshold: 1 / w for |x| < w / 2."""

    width: float = Field(default=1.0, gt=0.0, le=1e6, description="base w, in units of the membrane")

    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """Return the surrogate of ∂s/∂x; see `Surrogate.derivative`."""
        return (x.abs() < self.width / 2.0).to(x.dtype) / self.width


@register_surrogate("double_gaussian", citations=(BRF,))
class DoubleGaussian(Surrogate):
    """A Gaussian minus a lower one of six times its width, so that it is negative far from the threshold."""

    width: float = Field(default=0.5, gt=0.0, le=1e6, description="standard deviation σ, in units of the membrane")
    share: float = Field(default=0.15, ge=0.0, le=1e3, description="half the area h of the wider bump")
    scale: float = Field(default=0.5, gt=0.0, le=1e6, description="height c of it all")

    def derivative(self, x: Float[Tensor, "*cells"]) -> Float[Tensor, "*cells"]:
        """See `Surrogate.derivative`."""
        unit = (x / self.width).square().mul(-0.5)
        height = self.scale / (self.width * math.sqrt(2.0 * math.pi))
        return height * ((1.0 + self.share) * unit.exp() - self.share / 3.0 * (unit / 36.0).exp())


def fast_sigmoid(x: Float[Tensor, "*cells"], *, slope: float = 10.0) -> Float[Tensor, "*cells"]:
    """Return H(x) with the derivative of a fast sigmoid, scaled to 1 at the threshold.

    Args:
        x: Membrane minus threshold.
        slope: β; Zenke and Vogels (2021) find similar learning from 1 to 100, at a threshold of 1.

    Example:
        >>> fast_sigmoid(torch.tensor([-0.5, 0.0, 0.5]))
        tensor([0., 1., 1.])
    """
    return FastSigmoid(slope=slope)(x)


def arctan(x: Float[Tensor, "*cells"], *, slope: float = 2.0) -> Float[Tensor, "*cells"]:
    """Return H(x) with the derivative of the arctangent.

    Args:
        x: Membrane minus threshold.
        slope: β; 2 is the value of Fang et al. and gives the bump a height of 1.

    Example:
        >>> arctan(torch.tensor([-0.5, 0.0, 0.5]))
        tensor([0., 1., 1.])
    """
    return Arctan(slope=slope)(x)


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
    return Exponential(slope=slope, scale=scale)(x)


def find_surrogate(surrogate: str | Surrogate, **options: float) -> Surrogate:
    """Return the surrogate with a name, with these options; an instance is returned unchanged.

    Args:
        surrogate: A name in `SURROGATES`, or a surrogate.
        **options: Options of the surrogate.

    Raises:
        SpikingGammaError: The name is unknown, or an option is unknown or out of range.

    Example:
        >>> find_surrogate("arctan", slope=4.0).slope
        4.0
    """
    if isinstance(surrogate, Surrogate):
        return surrogate
    if not options and surrogate in _DEFAULTS:
        return _DEFAULTS[surrogate]
    entry = SURROGATES.find(surrogate)
    found = cast(Surrogate, entry.make_options(options, argument="surrogate"))
    if not options:
        _DEFAULTS[surrogate] = found
    return found


_DEFAULTS: dict[str, Surrogate] = {}


def surrogate_slope(
    surrogate: str | Surrogate, x: Float[Tensor, "*cells"], **options: float
) -> Float[Tensor, "*cells"]:
    """Return the surrogate of ∂s/∂x itself, for code that computes gradients without autograd.

    Args:
        surrogate: A name in `SURROGATES`, or a surrogate.
        x: Membrane minus threshold.
        **options: Options of the surrogate.

    Raises:
        SpikingGammaError: The name is unknown, or an option is unknown or out of range.

    Example:
        >>> surrogate_slope("fast_sigmoid", torch.tensor([-0.1, 0.0, 0.1]))
        tensor([0.2500, 1.0000, 0.2500])
    """
    return find_surrogate(surrogate, **options).derivative(x)
