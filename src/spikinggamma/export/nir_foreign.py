"""NIR graphs from other programs: the one structure that equals a net of this library; others are refused with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.nir_nodes import REMEDY, Nodes
from spikinggamma.export.nir_wiring import milliseconds, seconds
from spikinggamma.nn import Dense, GammaNet, Timescales

__all__ = ["read_foreign_net"]

_RESETS = "neurons that reset by subtraction: NIR's reset to a value, which no net of this library does"
_REASONS = {"LIF": _RESETS, "CubaLIF": _RESETS, "IF": _RESETS}
_CHAIN = ("Input", "Linear or Affine", "LI", "Output")


def read_foreign_net(graph: Any, dt_ms: float) -> GammaNet:
    """Read a read-out of Input, Linear (or Affine without bias), LI and Output, with the Euler step of `dt_ms`.

    It becomes one layer of one bucket, whose weight is R dt/τ.

    Raises:
        SpikingGammaError: The graph has another node or other edges; the message names it and the reason.
    """
    nodes = Nodes(graph.nodes)
    for name in graph.nodes:
        if nodes.kind(name) in _REASONS:
            raise SpikingGammaError(name, f"a {nodes.kind(name)}", _REASONS[nodes.kind(name)], REMEDY)
    names = _in_a_row(graph)
    for name, kind in zip(names, _CHAIN, strict=False):
        if nodes.kind(name) not in kind.split(" or "):
            raise SpikingGammaError(name, f"a {nodes.kind(name)}", kind, REMEDY)
    nodes.require(names[-1], len(names), len(_CHAIN), "a row of nodes of length ")
    _, weight_name, li, _ = names
    weight = nodes.field(weight_name, "", "weight")
    if nodes.kind(weight_name) == "Affine" and np.any(nodes.field(weight_name, "", "bias")):
        raise SpikingGammaError(weight_name, "a bias in front of an LI", "a bias of zero: ours comes after it", REMEDY)
    tau, r, rest = (nodes.field(li, "LI", field) for field in ("tau", "r", "v_leak"))
    if np.any(rest) or np.ptp(tau) > 0.0 or tau.ndim != 1 or weight.ndim != 2:
        expected = "v_leak 0 and one time constant for all, in a row of neurons"
        raise SpikingGammaError(li, f"tau {tau.tolist()}, v_leak {rest.tolist()}", expected, REMEDY)
    layer = Dense((weight.shape[1],), len(weight), Timescales([milliseconds(float(tau[0]))]), code=None, readout=True)
    layer.alpha(dt_ms)
    net = GammaNet([layer]).to(torch.from_numpy(weight).dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bucket_weight.copy_(torch.from_numpy(r * seconds(dt_ms) / tau).unsqueeze(0))
    return net


def _in_a_row(graph: Any) -> list[str]:
    """Return the names of nodes from input to output, which must form a chain."""
    following: dict[str, list[str]] = {name: [] for name in graph.nodes}
    n_inputs: dict[str, int] = dict.fromkeys(graph.nodes, 0)
    for source, target in graph.edges:
        following[source].append(target)
        n_inputs[target] += 1
    start = [name for name, count in n_inputs.items() if count == 0]
    for name in graph.nodes:
        if len(following[name]) > 1 or n_inputs[name] > 1 or (n_inputs[name] == 0 and name != start[0]):
            raise SpikingGammaError(name, f"edges {following[name]} out of it", "nodes in a row", REMEDY)
    row = start
    while following[row[-1]]:
        row.append(following[row[-1]][0])
    return row
