"""Recurrent connections between neurons of any kind, with a delay of one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.neurons.base import Neuron
from spikinggamma.nn.state import StateTree, check_state, map_tensors, tensors_of
from spikinggamma.option_words import check_options
from spikinggamma.options import Options

__all__ = ["Recurrence", "Recurrent", "RecurrentState"]


def _orthogonal(size: int, generator: torch.Generator | None) -> Tensor:
    drawn, scale = torch.linalg.qr(torch.randn(size, size, generator=generator))
    return torch.mul(drawn, scale.diagonal().sign())  # so that no direction is preferred


# Of a size of 1: N numbers of a row have a sum of squares of about 1 (in `uniform`, the bound of each is 1).
_INITIAL: dict[str, Callable[[int, torch.Generator | None], Tensor]] = {
    "normal": lambda size, generator: torch.randn(size, size, generator=generator) / size**0.5,
    "orthogonal": _orthogonal,
    "uniform": lambda size, generator: 2.0 * torch.rand(size, size, generator=generator) - 1.0,
}


class Recurrence(Options):
    """Options of recurrent weights: in a chain, `recurrent = { initial = "orthogonal", own = false }`, or `true` for these."""

    initial: Literal["normal", "orthogonal", "uniform"] = Field(
        default="normal",
        description="how recurrent weights begin: normal with variance 1 / N, orthogonal, or uniform in ±1",
    )
    # Half the size of a fan-in's: enough to be felt beside the input, too little to ring.
    size: float = Field(default=0.5, gt=0.0, le=1e3, description="factor of these initial weights")
    own: bool = Field(default=True, description="whether a neuron hears itself")

    @classmethod
    def of(cls, chosen: Any, *, argument: str) -> Recurrence | None:
        """Return the recurrence that a layer's key `recurrent` asks for, None for none.

        Raises:
            SpikingGammaError: An option that is unknown or out of range.
        """
        if isinstance(chosen, Mapping):
            return check_options(cls, chosen, name="recurrent", argument=argument)
        return cls() if chosen else None


class RecurrentState(NamedTuple):
    """State of the neurons, and their spikes of the last step, [B, *shape]."""

    neuron: StateTree
    spikes: Float[Tensor, "B *shape"]


class Recurrent(Layer[RecurrentState]):
    """Add the recurrent input R s(t-1) to the drive of any neurons, as `functional.recurrent_lif` does for LIF neurons.

    A recurrent spike takes one step to arrive, so its delay is `dt_ms`. Unlike time constants, R therefore changes its
    meaning with the time step. The diagonal of R, the connection of a neuron to itself, is kept at zero only without `own`.

    Args:
        neuron: The neurons, which are run step by step, or by their compiled `recurrent_scan`.
        generator: Random numbers of R.
        options: Initial R, and whether there are connections of a neuron to itself.

    Shapes: drive [T, B, *shape] to spikes of the same shape; `recurrent_weight` [N, N], from the column to the row.

    Example:
        >>> from spikinggamma.nn import make_neuron
        >>> layer = Recurrent(make_neuron("lif", (4,)))
        >>> layer(torch.ones(5, 2, 4), layer.initial_state(2), dt_ms=1.0)[0].shape
        torch.Size([5, 2, 4])
    """

    def __init__(
        self, neuron: Neuron, generator: torch.Generator | None = None, options: Recurrence | None = None
    ) -> None:
        super().__init__()
        self.neuron = neuron
        self.out_shape = neuron.out_shape
        self.options = options or Recurrence()
        begun = self.options.size * _INITIAL[self.options.initial](neuron.neurons, generator)
        self.recurrent_weight = nn.Parameter(begun)
        self.constrain_()

    @property
    def neurons(self) -> int:
        """Return the number of neurons."""
        return self.neuron.neurons

    def initial_state(self, batch: int) -> RecurrentState:
        """Return the state at the start of a recording; see `Layer.initial_state`."""
        return RecurrentState(self.neuron.initial_state(batch), self.recurrent_weight.new_zeros(batch, *self.out_shape))

    def step(
        self, state: RecurrentState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], RecurrentState]:
        """Return the spikes of one step and the state after it.

        Args:
            state: State before the step.
            drive: Drive from below, [B, *shape].
            dt_ms: Time step in ms.
        """
        heard = nn.functional.linear(state.spikes.flatten(1), self.recurrent_weight)
        spikes, after = self.neuron.step(state.neuron, drive + heard.view(drive.shape), dt_ms)
        return spikes, RecurrentState(after, spikes)

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: RecurrentState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], RecurrentState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        if self.neuron.recurrent_scan is None:
            return self.unrolled(x, state, dt_ms)
        check_state("recurrent neurons", tensors_of(state), x.shape[1], self.out_shape)
        flat = map_tensors(lambda part: part.flatten(1), state)
        spikes, after = type(self.neuron).recurrent_scan(  # type: ignore[misc]
            self.neuron, x.flatten(2), flat.neuron, dt_ms, self.recurrent_weight, flat.spikes
        )
        folded = map_tensors(lambda part: part.view(len(part), *self.out_shape), after)
        said = spikes.view(x.shape)
        return said, RecurrentState(folded, said[-1])

    def unrolled(
        self, x: Float[Tensor, "T B *shape"], state: RecurrentState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], RecurrentState]:
        """Return the same as `forward` by a loop over `step`."""
        spikes = []
        for u in x.unbind(0):
            out, state = self.step(state, u, dt_ms)
            spikes.append(out)
        return torch.stack(spikes), state

    @torch.no_grad()
    def constrain_(self) -> None:
        """Put what a neuron hears of itself back to zero, where it is not to hear itself."""
        if not self.options.own:
            self.recurrent_weight.fill_diagonal_(0.0)
