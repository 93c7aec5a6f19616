"""What a chunk of a surrogate-gradient net leaves behind, and what it hands on."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from spikinggamma.functional import DelayState

__all__ = ["NeuronActivations", "SurrogateActivations", "SurrogateState"]


class NeuronActivations(NamedTuple):
    """What a chunk of a layer leaves behind.

    Attributes:
        inputs: What arrived, after the axons' delays, [T, B, M].
        drive: u = W inputs, [T, B, N].
        signal: Membrane before the spike, v⁻ [T, B, N], where the rule asks for it: nobody does under autograd.
        outputs: What was sent, dropout left out; the logits, of the read-out.
        counts: Spikes, [T, B, N]; None for an integrator.
    """

    inputs: Float[Tensor, "T B M"]
    drive: Float[Tensor, "T B N"]
    signal: Float[Tensor, "T B N"] | None
    outputs: Float[Tensor, "T B N"]
    counts: Float[Tensor, "T B N"] | None


class SurrogateActivations(NamedTuple):
    """Tapes of all layers, the dropout masks, and the price of an output at each step [T, B], None where it is free."""

    layers: tuple[NeuronActivations, ...]
    masks: tuple[Tensor | None, ...]
    cost: Float[Tensor, "T B"] | None = None

    def priced(self, cost: Float[Tensor, "T B"]) -> SurrogateActivations:
        """The same at that price."""
        return self._replace(cost=cost)


class SurrogateState(NamedTuple):
    """State of every population (of an integrator: its `LIFState`), what is under way in the axons, and dropout masks."""

    layers: tuple[Any, ...]
    axons: tuple[DelayState | None, ...]
    masks: tuple[Tensor | None, ...]
