"""Counts of the operations of a net: arithmetic, and words read from and written to memory.

Each layer has a `LayerWork`, from which `spikinggamma.cost.costs` counts a recording's work in two ways: driven by events,
where silent inputs cost nothing and neurons only their update, and dense, where every product is made at every step.

Conventions: starting a sum at its bias is free; a comparison counts as an addition; decay factors that a layer shares, and
sums that are complete within a step, are in registers; a weight, a state variable and a message are one word each.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

__all__ = ["DENSE", "GRADED", "UNIT", "LayerWork", "Work", "touched"]


@dataclass(frozen=True)
class Work:
    """Numbers of operations and of memory words; works can be added, and multiplied by how often they are done.

    Attributes:
        multiply_accumulates: Products that are added to something.
        accumulates: Additions, subtractions and comparisons.
        multiplies: Products that are not added to anything, such as a decay.
        functions: Evaluations of σ or tanh.
        weight_reads: Words of parameters that are read.
        state_reads: Words of state variables, messages and activations that are read.
        state_writes: Words of the same that are written.

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


# Work of one synapse: a single spike adds its weight to a sum in memory; a graded one, or several at once, add a product;
# where all products of a sum are made in a row, input and weight are read and the sum stays in a register.
UNIT = Work(accumulates=1.0, weight_reads=1.0, state_reads=1.0, state_writes=1.0)
GRADED = Work(multiply_accumulates=1.0, weight_reads=1.0, state_reads=1.0, state_writes=1.0)
DENSE = Work(multiply_accumulates=1.0, weight_reads=1.0, state_reads=1.0)


def touched(variables: int | float) -> Work:
    """Return the work of reading and writing each of these state variables once."""
    return Work(state_reads=variables, state_writes=variables)


class LayerWork(NamedTuple):
    """The work of a layer for each kind of occasion.

    Attributes:
        fan_out: Number of synapses that an arrival at each input uses, [*in_shape].
        graded: Whether arrivals have heights to multiply by; otherwise single spikes add their weights as they are.
        recurrent: Number of synapses within the layer that one of its own messages uses.
        steady: Products over synapses that are made at every step regardless of arrivals.
        update: Work of updating the neurons at every step.
        arrival: Work of an arrival besides its synapses.
        message: Work of sending a message, which is one spike or several of a neuron in one step.
        synapses: Number of synapses that events may use, recurrent ones included; dense arithmetic uses all at each step.
        dense: Work of dense arithmetic at every step in place of `arrival` and `message`.
        recording: Work that is done once for each recording.
        variables: Number of state variables that `update` changes.
        memory: Number of words of state.
        delay_line: Number of further words, for delayed messages.
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
