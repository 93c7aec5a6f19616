"""What a net has to do for its answer, counted: arithmetic, and words read from and written to memory.

Each layer tells its `LayerWork`, from which `spikinggamma.cost.costs` counts a recording's work in two ways: driven by
events, where what is silent costs nothing but its neurons' own upkeep, and dense, where every product is made at every step.

Conventions: a sum begins at its bias for nothing; a comparison counts as an addition; decay factors that a layer shares, and
sums that are finished within a step, are in registers; a weight, a state variable and a message are a word each.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

__all__ = ["DENSE", "GRADED", "UNIT", "LayerWork", "Work", "touched"]


@dataclass(frozen=True)
class Work:
    """Operations and words; works add up, and are multiplied by how often they are done.

    Attributes:
        multiply_accumulates: Products that are added to something.
        accumulates: Additions, subtractions and comparisons.
        multiplies: Products alone, such as a decay.
        functions: Values of σ or tanh.
        weight_reads: Words of parameters read.
        state_reads: Words read of state variables, messages and what units hold.
        state_writes: Such words written.

    Example:
        >>> (Work(accumulates=1.0) + 2.0 * Work(multiplies=3.0)).multiplies
        6.0
    """

    multiply_accumulates: int | float = 0.0
    accumulates: int | float = 0.0
    multiplies: int | float = 0.0
    functions: int | float = 0.0
    weight_reads: int | float = 0.0
    state_reads: int | float = 0.0
    state_writes: int | float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    def __rmul__(self, times: int | float) -> Work:
        return Work(*(times * one for one in astuple(self)))


# A synapse is used: a single spike adds its weight to a sum in memory; one of any height, or several at once, add a product;
# and where all products of a sum are made in a row, input and weight are read and the sum stays in a register.
UNIT = Work(accumulates=1.0, weight_reads=1.0, state_reads=1.0, state_writes=1.0)
GRADED = Work(multiply_accumulates=1.0, weight_reads=1.0, state_reads=1.0, state_writes=1.0)
DENSE = Work(multiply_accumulates=1.0, weight_reads=1.0, state_reads=1.0)


def touched(variables: int | float) -> Work:
    """State variables read and written once."""
    return Work(state_reads=variables, state_writes=variables)


class LayerWork(NamedTuple):
    """When a layer does how much.

    Attributes:
        fan_out: Synapses that an arrival at each input uses, [*in_shape].
        graded: Whether arrivals have heights to be multiplied, or single spikes add their weights as they are.
        recurrent: Synapses that one of its own messages uses, within the layer.
        steady: Products over synapses that are made at every step, whatever arrives.
        update: Upkeep of its neurons at every step.
        arrival: What an arrival takes besides its synapses.
        message: What it takes to send a message: a spike, or several of a neuron in one step.
        synapses: How many there are to be used by events, its neurons' own among them: dense arithmetic uses all at each step.
        dense: What else dense arithmetic does at every step instead of `arrival` and `message`.
        recording: What is done once for each recording.
        variables: State variables that `update` touches.
        memory: Words of state to be kept.
        delay_line: Words besides, for messages that are under way.
    """

    fan_out: Float[Tensor, "*in_shape"]
    graded: bool
    recurrent: float
    steady: Work
    update: Work
    arrival: Work
    message: Work
    synapses: float
    dense: Work
    recording: Work
    variables: int
    memory: int
    delay_line: int = 0
