"""The work of surrogate-gradient neurons and their read-out, read off the equations of `functional`."""

from __future__ import annotations

from typing import NamedTuple

import torch

from spikinggamma.cost.operations import LayerWork, Work, touched

__all__ = ["NeuronWork", "integrator_work", "population_work", "projected"]

# v⁻ = i + β (v - i): a difference and a product.
_MEMBRANE = Work(multiply_accumulates=1.0, accumulates=1.0)
_COMPARISON = Work(accumulates=1.0)


class NeuronWork(NamedTuple):
    """The work of one neuron at every step and for a spike besides sending it, and the number of its state variables."""

    step: Work
    spike: Work
    variables: int


def _lif(synapse: bool) -> NeuronWork:
    # Arrivals are summed in i, which decays where synapses have a time constant; a spike subtracts ϑ from v.
    current = Work(multiplies=1.0 if synapse else 0.0)
    return NeuronWork(current + _MEMBRANE + _COMPARISON, Work(accumulates=1.0), 2)


def _adaptive_lif(synapse: bool) -> NeuronWork:
    # A = ϑ + β_a a, the decay of a; a spike adds 1 to it.
    plain = _lif(synapse)
    rising = Work(multiply_accumulates=1.0, multiplies=1.0)
    return NeuronWork(plain.step + rising, plain.spike + Work(accumulates=1.0), 3)


def _srm_alpha(synapse: bool) -> NeuronWork:
    # Twice p = d p and a = d (a + c p), then m = a - c_r ϑ r; a spike adds 1 to the second p.
    filters = 2.0 * Work(multiply_accumulates=1.0, multiplies=2.0)
    membrane = Work(multiply_accumulates=1.0)
    return NeuronWork(filters + membrane + _COMPARISON, Work(accumulates=1.0), 4)


_KINDS = {"lif": _lif, "adaptive_lif": _adaptive_lif, "recurrent_lif": _lif, "srm_alpha": _srm_alpha}


def population_work(kind: str, *, synapse: bool) -> NeuronWork:
    """Return the work of one neuron of a kind in `POPULATIONS`; `synapse` says whether it has a synaptic time constant."""
    return _KINDS[kind](synapse)


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
