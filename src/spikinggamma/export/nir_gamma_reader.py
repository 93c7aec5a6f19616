"""Read a SpikingGamma net from the nodes of a NIR graph, by the names that `nir_gamma` gives them.

The result is a guess from the names of the nodes; `nir_file` verifies it by writing the net again and comparing every node.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from spikinggamma.export.nir_nodes import Nodes
from spikinggamma.export.nir_wiring import milliseconds
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import Conv2d, Dense, GammaLayer, GammaNet, PerSynapse, Timescales

__all__ = ["read_gamma_net"]


def read_gamma_net(nodes: Nodes) -> GammaNet:
    """Return the net whose layers are `layer0_...`, `layer1_...`, ... in a graph."""
    gain = nodes.field("input_gain", "Scale", "scale")
    shape = tuple(gain.shape)
    layers: list[GammaLayer] = []
    while f"layer{len(layers)}_bucket0" in nodes:
        layers.append(_read_layer(nodes, f"layer{len(layers)}", shape))
        shape = layers[-1].out_shape
    return GammaNet(layers, input_gain=float(str(gain.flat[0]))).to(torch.from_numpy(gain).dtype)


def _read_layer(nodes: Nodes, name: str, shape: tuple[int, ...]) -> GammaLayer:
    tau_ms = []
    for k in itertools.count():
        if f"{name}_bucket{k}" not in nodes:
            break
        tau_ms.append(milliseconds(float(nodes.field(f"{name}_bucket{k}", "LI", "tau").flat[0])))
    code = _read_code(nodes, name)
    options: dict[str, Any] = {"code": code, "readout": code is None}
    bias = torch.from_numpy(nodes.field(f"{name}_signal", "", "bias"))
    make = _maker(nodes, name, shape)
    layer = make(Timescales(tau_ms), options).to(bias.dtype)
    kind, field = ("Linear", "weight") if isinstance(layer, PerSynapse) else ("Scale", "scale")
    taps = [torch.from_numpy(nodes.field(f"{name}_tap{k}", kind, field)) for k in range(len(tau_ms))]
    with torch.no_grad():
        _fill(layer.bias, bias, nodes, f"{name}_signal")
        exact = torch.tensor(tau_ms, dtype=torch.float64)
        layer.timescales.get_buffer("first_ms").copy_(exact[:1])
        layer.timescales.get_buffer("fixed_ms").copy_(exact[1:])
        if isinstance(layer, PerSynapse):
            _fill(layer.weight, torch.stack(taps).transpose(1, 2), nodes, f"{name}_tap0")
        else:
            _fill(layer.weight, torch.from_numpy(nodes.field(f"{name}_weight", "", "weight")), nodes, f"{name}_weight")
            per_channel = torch.stack([tap.flatten(1)[:, 0] if tap.ndim > 1 else tap for tap in taps])
            _fill(layer.get_parameter("bucket_weight"), per_channel, nodes, f"{name}_tap0")
    return layer


def _maker(nodes: Nodes, name: str, shape: tuple[int, ...]) -> Callable[[Timescales, dict[str, Any]], GammaLayer]:
    flat = (torch.Size(shape).numel(),)
    if f"{name}_weight" not in nodes:
        neurons = len(nodes.field(f"{name}_signal", "Affine", "bias"))
        return lambda timescales, options: PerSynapse(flat, neurons, timescales, **options)
    weight = nodes.field(f"{name}_weight", "", "weight")
    if nodes.kind(f"{name}_weight") == "Linear":
        return lambda timescales, options: Dense(flat, len(weight), timescales, **options)
    stride, padding = (int(nodes.field(f"{name}_weight", "Conv2d", field)[0]) for field in ("stride", "padding"))
    geometry: dict[str, Any] = {"stride": stride, "padding": padding}
    return lambda timescales, options: Conv2d(shape, len(weight), weight.shape[-1], timescales, **geometry, **options)


def _read_code(nodes: Nodes, name: str) -> SigmaDelta | None:
    if f"{name}_sent" not in nodes:
        return None
    height = nodes.field(f"{name}_sent", "Scale", "scale").flat[0]
    spikes = sum(f"{name}_threshold{j}" in nodes for j in range(1, len(nodes) + 1))
    return SigmaDelta(float(str(height / 2)), adaptation=0.0, max_spikes=spikes)


def _fill(parameter: Tensor, values: Tensor, nodes: Nodes, name: str) -> None:
    nodes.require(name, list(values.shape), list(parameter.shape), "numbers of shape ")
    parameter.copy_(values)
