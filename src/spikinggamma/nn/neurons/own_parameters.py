"""Numbers that each neuron has of its own: drawn between bounds, learnt or kept, and given to a compiled sequence."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor, nn

from spikinggamma.nn.neurons.base import Neuron
from spikinggamma.nn.neurons.spiking_options import SpikingOptions
from spikinggamma.nn.state import StateT, StateTree
from spikinggamma.options import Options

__all__ = ["Bounds", "OwnNumbersNeuron", "OwnParameters", "keep"]


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound first, not {bounds[0]:g} before {bounds[1]:g}")
    return bounds


# Lower and upper bound; equal for a number that is the same for all neurons.
Bounds = Annotated[tuple[float, float], AfterValidator(_rising)]


class OwnParameters(SpikingOptions):
    """Whether the neurons' own numbers learn."""

    learnt: bool = Field(default=True, description="whether the numbers that each neuron has of its own are trained")


def keep(module: nn.Module, name: str, values: Tensor, *, learnt: bool) -> None:
    """Give a module numbers, as a parameter where they are learnt, else as a buffer."""
    if learnt:
        module.register_parameter(name, nn.Parameter(values))
    else:
        module.register_buffer(name, values)


class OwnNumbersNeuron(Neuron[StateT]):
    """Base class of neurons whose own numbers are drawn between bounds, and which a compiled sequence runs.

    The arguments are those of `Neuron`.

    Attributes:
        sequence: Compiled sequence over [T, B, N], `sequence(parameters, state, drive, weight, said)`, where recurrent
            weights [N, N] and the spikes of the step before the first [B, N] may be left out.
    """

    sequence: ClassVar[Callable[..., tuple[Tensor, StateTree]]]
    options: OwnParameters

    def __init__(
        self,
        shape: Sequence[int],
        options: Options | Mapping[str, Any] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(shape, options, generator)
        for name, (low, high) in self.bounds().items():
            values = low + (high - low) * torch.rand(*self.out_shape, generator=generator)
            keep(self, name, values, learnt=self.options.learnt)

    @abc.abstractmethod
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return the bounds between which each of the neurons' own numbers is drawn, by its name."""

    @abc.abstractmethod
    def parameters_at(self, dt_ms: float) -> Any:
        """Return the parameters of the functional step at this time step, a named tuple."""

    def flat_parameters(self, dt_ms: float) -> Any:
        """Return the parameters with one axis for all neurons."""
        own = self.parameters_at(dt_ms)
        return own._replace(**{name: one.flatten() for name, one in own._asdict().items() if isinstance(one, Tensor)})

    @staticmethod
    def scan(
        neuron: OwnNumbersNeuron[StateT], drive: Float[Tensor, "T B *shape"], state: StateT, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], StateTree]:
        """Run the compiled sequence; see `Neuron.scan`."""
        return type(neuron).sequence(neuron.flat_parameters(dt_ms), state, drive)

    @staticmethod
    def recurrent_scan(
        neuron: OwnNumbersNeuron[StateT],
        drive: Float[Tensor, "T B N"],
        state: StateT,
        dt_ms: float,
        weight: Float[Tensor, "N N"],
        said: Float[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "T B N"], StateTree]:
        """Run the compiled sequence of recurrent neurons; see `Neuron.recurrent_scan`."""
        return type(neuron).sequence(neuron.flat_parameters(dt_ms), state, drive, weight, said)
