"""Recurrent connections between neurons of any kind, with a delay of one step."""

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
    """State of the neurons, and their spikes of the last step, [B, *shape]."""

    neuron: StateTree
    spikes: Float[Tensor, "B *shape"]


class Recurrent(Layer[RecurrentState]):
    """Add the recurrent input R s(t-1) to the drive of any neurons, as `functional.recurrent_lif` does for LIF neurons.

    A recurrent spike takes one step to arrive, so its delay is `dt_ms`. Unlike time constants, R therefore changes its
    meaning with the time step. The diagonal of R, the connection of a neuron to itself, is not set to zero.

    Args:
        neuron: The neurons, which are run step by step.
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
        # Half the scale of input weights: large enough to matter beside the input, too small for oscillations.
        self.recurrent_weight = nn.Parameter(torch.randn(size, size, generator=generator) / (4 * size) ** 0.5)

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
        spikes = []
        for u in x.unbind(0):
            out, state = self.step(state, u, dt_ms)
            spikes.append(out)
        return torch.stack(spikes), state
