"""The work of each layer of a net, by one function for each kind of net."""

from __future__ import annotations

from functools import singledispatch

import torch

from spikinggamma.cost.dense_operations import count_work, gru_work
from spikinggamma.cost.gamma_operations import gamma_work, sends_heights
from spikinggamma.cost.lif_operations import NeuronWork, integrator_work, neuron_work, projected
from spikinggamma.cost.operations import LayerWork
from spikinggamma.nn import CountNet, GammaNet, GRUNet, Recurrent, SurrogateNet

__all__ = ["NotCountedError", "layer_work"]


class NotCountedError(TypeError):
    """Nobody has said what this layer or net has to do: its cost is reported as not counted."""


@singledispatch
def layer_work(net: torch.nn.Module, dt_ms: float) -> tuple[LayerWork, ...]:
    """Return what each layer has to do for what arrives, and at every step; the time step sets the size of delay lines."""
    raise NotCountedError(f"operations of a {type(net).__name__} are not counted")


@layer_work.register
def _(net: GammaNet, dt_ms: float) -> tuple[LayerWork, ...]:
    graded = [False, *(sends_heights(layer.code) for layer in net.hidden)]
    return tuple(gamma_work(layer, graded=heights) for layer, heights in zip(net.stack, graded, strict=True))


@layer_work.register
def _(net: SurrogateNet, dt_ms: float) -> tuple[LayerWork, ...]:
    found = []
    for index, delays in enumerate(net.delays):
        spiking = net.spiking[index] if index < len(net.spiking) else None
        if spiking is None:
            integrator = net.integrator
            assert integrator is not None
            synapse, membrane = integrator.synapse_tau_ms > 0.0, integrator.tau_ms > 0.0
            neuron = integrator_work(synapse=synapse, membrane=membrane, bias=net.bias is not None)
        else:
            neuron = _counted(spiking.neuron if isinstance(spiking, Recurrent) else spiking)
        found.append(
            projected(
                neuron,
                *net.sizes[index : index + 2],
                graded=delays is not None and delays.kind == "fractional",
                axons=delays is not None,
                recurrent=isinstance(spiking, Recurrent),
                delay_line=0 if delays is None else delays.parameters_at(dt_ms).remembered_steps() * net.sizes[index],
            )
        )
    return tuple(found)


def _counted(neuron: torch.nn.Module) -> NeuronWork:
    work = neuron_work(neuron)
    if work is None:
        raise NotCountedError(f"operations of {type(neuron).__name__} neurons are not counted")
    return work


@layer_work.register
def _(net: CountNet, dt_ms: float) -> tuple[LayerWork, ...]:
    return count_work(net.sizes)


@layer_work.register
def _(net: GRUNet, dt_ms: float) -> tuple[LayerWork, ...]:
    return gru_work(net.sizes)
