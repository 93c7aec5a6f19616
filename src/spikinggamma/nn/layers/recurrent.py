"""Neurons of any kind that hear one another, one step late."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.neurons.base import Neuron
from spikinggamma.nn.state import StateTree

__all__ = ["Recurrent", "RecurrentState"]


class RecurrentState(NamedTuple):
    """StateTree of the neurons, and their spikes of the last step, [B, *shape]."""

    neuron: StateTree
    spikes: Float[Tensor, "B *shape"]


class Recurrent(Layer[RecurrentState]):
    """u⁺(t) = u(t) + R s(t-1) into any neuron: `functional.recurrent_lif` for a LIF.

    A recurrent spike takes one step to arrive, so its delay is `dt_ms`: unlike time constants, R does not keep its meaning
    when the step changes. A neuron's own weight, the diagonal of R, is used as it stands.

    Args:
        neuron: The neurons; they are stepped one step at a time.
        generator: Random numbers of R: normal with variance 1 / (4 N).

    Shapes: drive [T, B, *shape] to spikes of the same shape; `recurrent_weight` [N, N], from the column to the row.

    Example:
        >>> from spikinggamma.nn import make_neuron
        >>> layer = Recurrent(make_neuron("lif", (4,)))
        >>> layer(torch.ones(5, 2, 4), layer.initial_state(2), dt_ms=1.0)[0].shape
        torch.Size([5, 2, 4])
    """

    def __init__(self, neuron: Neuron, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.neuron = neuron
        self.out_shape = neuron.out_shape
        size = neuron.neurons
        # Half the size of a fan-in's: enough to be felt beside the input, too little to ring.
        self.recurrent_weight = nn.Parameter(torch.randn(size, size, generator=generator) / (4 * size) ** 0.5)

    @property
    def neurons(self) -> int:
        """Return how many there are."""
        return self.neuron.neurons

    def initial_state(self, batch: int) -> RecurrentState:
        """See `Layer.initial_state`."""
        return RecurrentState(self.neuron.initial_state(batch), self.recurrent_weight.new_zeros(batch, *self.out_shape))

    def step(
        self, state: RecurrentState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], RecurrentState]:
        """Return the spikes of one step and the state after it."""
        heard = nn.functional.linear(state.spikes.flatten(1), self.recurrent_weight)
        spikes, after = self.neuron.step(state.neuron, drive + heard.view(drive.shape), dt_ms)
        return spikes, RecurrentState(after, spikes)

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: RecurrentState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], RecurrentState]:
        """See `Layer.forward`."""
        spikes = []
        for u in x.unbind(0):
            out, state = self.step(state, u, dt_ms)
            spikes.append(out)
        return torch.stack(spikes), state
