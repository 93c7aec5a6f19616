"""The work of surrogate-gradient neurons and their read-out, read off the equations of `functional`."""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import torch
from torch import nn

from spikinggamma.cost.operations import LayerWork, Work, touched
from spikinggamma.nn.neurons.adaptive_lif import AdaptiveLIF
from spikinggamma.nn.neurons.lif import LIF
from spikinggamma.nn.neurons.srm_alpha import SRMAlpha

__all__ = ["NeuronWork", "integrator_work", "neuron_work", "projected"]

# v⁻ = i + β (v - i): a difference and a product.
_MEMBRANE = Work(multiply_accumulates=1.0, accumulates=1.0)
_COMPARISON = Work(accumulates=1.0)


class NeuronWork(NamedTuple):
    """The work of one neuron at every step and for a spike besides sending it, and the number of its state variables."""

    step: Work
    spike: Work
    variables: int


@singledispatch
def neuron_work(neuron: nn.Module) -> NeuronWork | None:
    """Return the work of one neuron of this kind, or None where nobody has counted it yet.

    Whoever adds a kind of neuron may count it: `@neuron_work.register`.
    """
    return None


@neuron_work.register
def _(neuron: LIF) -> NeuronWork:
    # Arrivals are summed in i, which decays where synapses have a time constant; a spike subtracts ϑ from v.
    current = Work(multiplies=1.0 if neuron.options.synapse_tau_ms > 0.0 else 0.0)
    return NeuronWork(current + _MEMBRANE + _COMPARISON, Work(accumulates=1.0), 2)


@neuron_work.register
def _(neuron: AdaptiveLIF) -> NeuronWork:
    # A = ϑ + β_a a, the decay of a; a spike adds 1 to it.
    current = Work(multiplies=1.0 if neuron.options.synapse_tau_ms > 0.0 else 0.0)
    rising = Work(multiply_accumulates=1.0, multiplies=1.0)
    return NeuronWork(current + _MEMBRANE + _COMPARISON + rising, Work(accumulates=2.0), 3)


@neuron_work.register
def _(neuron: SRMAlpha) -> NeuronWork:
    # Twice p = d p and a = d (a + c p), then m = a - c_r ϑ r; a spike adds 1 to the second p.
    filters = 2.0 * Work(multiply_accumulates=1.0, multiplies=2.0)
    membrane = Work(multiply_accumulates=1.0)
    return NeuronWork(filters + membrane + _COMPARISON, Work(accumulates=1.0), 4)


def integrator_work(*, synapse: bool, membrane: bool, bias: bool) -> NeuronWork:
    """Return the work of one output; without a `membrane` the drive itself is the logit, a sum that begins at its bias."""
    biased = Work(weight_reads=1.0) if bias else Work()
    if not membrane:
        return NeuronWork(biased, Work(), 1)
    added = biased + Work(accumulates=1.0) if bias else Work()
    return NeuronWork(Work(multiplies=1.0 if synapse else 0.0) + _MEMBRANE + added, Work(), 2)


def projected(
    neuron: NeuronWork, inputs: int, neurons: int, *, graded: bool, axons: bool, recurrent: bool, delay_line: int
) -> LayerWork:
    """Return the work of a fully connected layer of such neurons.

    Args:
        neuron: Work of each neuron.
        inputs: Number of inputs M.
        neurons: Number of neurons N.
        graded: Whether arriving spikes have heights, as those that are split between two steps do.
        axons: Whether inputs are delayed, so that each message looks up its delay.
        recurrent: Whether the neurons are connected to one another.
        delay_line: Words that hold delayed spikes.
    """
    variables = neurons * neuron.variables
    looked_up = Work(weight_reads=1.0 if axons else 0.0)
    return LayerWork(
        fan_out=torch.full((inputs,), float(neurons)),
        graded=graded,
        recurrent=float(neurons) if recurrent else 0.0,
        steady=Work(),
        update=neurons * neuron.step + touched(variables),
        arrival=looked_up + Work(state_reads=1.0),
        message=neuron.spike + Work(state_writes=1.0),
        synapses=neurons * (inputs + float(neurons if recurrent else 0)),
        dense=neurons * (neuron.spike + Work(accumulates=1.0)),
        recording=Work(),
        variables=variables,
        memory=variables,
        delay_line=delay_line,
    )
