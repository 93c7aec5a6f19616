"""Read a net of leaky integrate-and-fire neurons from the nodes of a NIR graph, by the names that `nir_surrogate` gives them.

The result is a guess from the names of the nodes; `nir_file` verifies it by writing the net again and comparing every node.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from spikinggamma.export.nir_nodes import Nodes
from spikinggamma.export.nir_wiring import Array, digits, leak
from spikinggamma.nn import AxonalDelays, Recurrent, SurrogateNet

__all__ = ["read_surrogate_net"]


def read_surrogate_net(nodes: Nodes, dt_ms: float) -> SurrogateNet:
    """Return the net whose layers are `layer0_...`, `layer1_...`, ... in a graph that is exact at `dt_ms`."""
    names: list[str] = []
    while f"layer{len(names)}_weight" in nodes:
        names.append(f"layer{len(names)}")
    weights = [torch.from_numpy(nodes.field(f"{name}_weight", "Linear", "weight")) for name in names]
    integrates = f"{names[-1]}_signal" in nodes
    delays = [_read_delays(nodes, name, dt_ms) for name in names]
    known = [delay for delay in delays if delay is not None]
    fractional = any(f"{name}_far" in nodes for name in names)
    net = SurrogateNet(
        (weights[0].shape[1], *(len(weight) for weight in weights)),
        neuron=_read_kind(nodes),
        options=_read_options(nodes, names, dt_ms),
        recurrent="layer0_recurrent" in nodes,
        readout="integrator" if integrates else "spikes",
        readout_tau_ms=_tau_ms(nodes, f"{names[-1]}_membrane", dt_ms) if integrates else None,
        delays=("fractional" if fractional else "floored") if known else "none",
        delay_input=delays[0] is not None,
        max_delay_ms=max((float(delay.max()) for delay in known), default=0.0),
    ).to(weights[0].dtype)
    with torch.no_grad():
        for index, (name, weight, delay) in enumerate(zip(names, weights, delays, strict=True)):
            nodes.require(f"{name}_weight", list(weight.shape), list(net.weights[index].shape), "weights of shape ")
            net.weights[index].copy_(weight)
            _fill_delays(nodes, f"{name}_near", net.delays[index], delay)
            if f"{name}_recurrent" in nodes:
                recurrent = torch.from_numpy(nodes.field(f"{name}_recurrent", "Linear", "weight"))
                layer = net.spiking[index]
                assert isinstance(layer, Recurrent)
                own = layer.recurrent_weight
                nodes.require(f"{name}_recurrent", list(recurrent.shape), list(own.shape), "weights of shape ")
                own.copy_(recurrent)
        if net.bias is not None:
            bias = torch.from_numpy(nodes.field(f"{names[-1]}_signal", "Affine", "bias"))
            nodes.require(f"{names[-1]}_signal", list(bias.shape), [net.classes], "a bias of shape ")
            net.bias.copy_(bias)
    return net


def _read_kind(nodes: Nodes) -> str:
    signs = {"rise": "adaptive_lif", "refractory": "srm_alpha"}
    return next((kind for sign, kind in signs.items() if f"layer0_{sign}" in nodes), "lif")


def _read_options(nodes: Nodes, names: list[str], dt_ms: float) -> dict[str, float]:
    """Return the options of the first layer's neurons; the read-out has a synapse of the same kind."""
    first = names[0]
    found: dict[str, float] = {}
    current = next((f"{name}_current" for name in names if f"{name}_current" in nodes), "")
    if current:
        found["synapse_tau_ms"] = _tau_ms(nodes, current, dt_ms)
    if f"{first}_threshold" not in nodes:
        return found
    below = nodes.field(f"{first}_threshold", "Threshold", "threshold").flat[0]
    found["threshold"] = float(str(np.nextafter(below, below.dtype.type(np.inf))))
    if f"{first}_refractory" in nodes:
        depth = float(nodes.field(f"{first}_barrier", "Scale", "scale").flat[0])
        found.pop("synapse_tau_ms", None)
        return found | {
            "tau_ms": _tau_ms(nodes, f"{first}_trace", dt_ms),
            "refractory_tau_ms": _tau_ms(nodes, f"{first}_refractory_trace", dt_ms),
            "refractory_scale": float(f"{-depth / found['threshold']:.7g}"),
        }
    found["tau_ms"] = _tau_ms(nodes, f"{first}_membrane", dt_ms)
    if f"{first}_rise" in nodes:
        strength = -nodes.field(f"{first}_barrier", "Scale", "scale").flat[0]
        found["adaptation"] = float(str(strength))
        found["adaptation_tau_ms"] = _tau_ms(nodes, f"{first}_rise", dt_ms)
    return found


def _tau_ms(nodes: Nodes, name: str, dt_ms: float) -> float:
    """Return the time constant of an exponential decay from that of its Euler step; 0 without decay or without a node."""
    if name not in nodes:
        return 0.0
    tau = float(nodes.field(name, "LI", "tau").flat[0])
    share = leak(0.0, dt_ms) / tau
    return 0.0 if share >= 1.0 else digits(-dt_ms / math.log1p(-share))


def _read_delays(nodes: Nodes, name: str, dt_ms: float) -> Array | None:
    """Return the delays of a layer's inputs in ms, or None where there are none."""
    if f"{name}_near" not in nodes:
        return None
    whole = np.rint(nodes.field(f"{name}_near", "Delay", "delay") * 1000.0 / dt_ms)
    if f"{name}_far" not in nodes:
        return whole * dt_ms
    return (whole + nodes.field(f"{name}_far_share", "Scale", "scale")) * dt_ms


def _fill_delays(nodes: Nodes, name: str, axons: AxonalDelays | None, delay: Array | None) -> None:
    if axons is None:
        return
    found = None if delay is None else list(delay.shape)
    nodes.require(name, found, list(axons.delay_ms.shape), "delays of shape ")
    axons.delay_ms.copy_(torch.from_numpy(delay))
