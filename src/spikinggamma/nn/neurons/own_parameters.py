"""Numbers that each neuron has of its own: drawn between bounds, learnt or kept, and options that say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import AfterValidator, Field
from torch import Tensor, nn

from spikinggamma.nn.neurons.spiking_options import SpikingOptions

__all__ = ["Bounds", "OwnParameters", "drawn_between", "keep", "squeeze_"]


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound first, not {bounds[0]:g} before {bounds[1]:g}")
    return bounds


# Lower and upper bound; equal for a number that is the same for all neurons.
Bounds = Annotated[tuple[float, float], AfterValidator(_rising)]


class OwnParameters(SpikingOptions):
    """Whether the neurons' own numbers learn."""

    learnt: bool = Field(default=True, description="whether the numbers that each neuron has of its own are trained")


def drawn_between(bounds: Sequence[float], shape: Sequence[int], generator: torch.Generator | None) -> Tensor:
    """Return uniform random numbers between bounds."""
    low, high = bounds
    return low + (high - low) * torch.rand(*shape, generator=generator)


def keep(module: nn.Module, name: str, values: Tensor, *, learnt: bool) -> None:
    """Give a module numbers, as a parameter where they are learnt, else as a buffer."""
    if learnt:
        module.register_parameter(name, nn.Parameter(values))
    else:
        module.register_buffer(name, values)


@torch.no_grad()
def squeeze_(values: Tensor, bounds: Sequence[float]) -> None:
    """Put numbers back between their bounds."""
    values.clamp_(*bounds)
