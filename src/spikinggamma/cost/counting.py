"""The work of each layer of a net, by one function for each kind of net."""

from __future__ import annotations

from functools import singledispatch

import torch

from spikinggamma.cost.dense_operations import count_work, gru_work
from spikinggamma.cost.gamma_operations import gamma_work, sends_heights
from spikinggamma.cost.lif_operations import integrator_work, population_work, projected
from spikinggamma.cost.operations import LayerWork
from spikinggamma.nn import CountNet, GammaNet, GRUNet, SurrogateNet

__all__ = ["layer_work"]


@singledispatch
def layer_work(net: torch.nn.Module, dt_ms: float) -> tuple[LayerWork, ...]:
    """Return the work of each layer for each arriving event and at every step; delay lines depend on the time step."""
    raise TypeError(f"operations of a {type(net).__name__} are not counted")


@layer_work.register
def _(net: GammaNet, dt_ms: float) -> tuple[LayerWork, ...]:
    graded = [False, *(sends_heights(layer.code) for layer in net.hidden)]
    return tuple(gamma_work(layer, graded=heights) for layer, heights in zip(net.stack, graded, strict=True))


@layer_work.register
def _(net: SurrogateNet, dt_ms: float) -> tuple[LayerWork, ...]:
    synapse = net.settings.synapse_tau_ms > 0.0
    spiking = population_work(net.neuron, synapse=synapse)
    logits = integrator_work(synapse=synapse, membrane=net.readout_tau_ms > 0.0, bias=net.bias is not None)
    return tuple(
        projected(
            spiking if index < len(net.spiking) else logits,
            *net.sizes[index : index + 2],
            graded=delays.kind == "fractional",
            axons=delays.kind != "none",
            recurrent=net.neuron == "recurrent_lif" and index < len(net.spiking),
            delay_line=delays.words(dt_ms),
        )
        for index, delays in enumerate(net.delays)
    )


@layer_work.register
def _(net: CountNet, dt_ms: float) -> tuple[LayerWork, ...]:
    return count_work(net.sizes)


@layer_work.register
def _(net: GRUNet, dt_ms: float) -> tuple[LayerWork, ...]:
    return gru_work(net.sizes)
