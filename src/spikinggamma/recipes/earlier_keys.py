"""Reading recipes of version 0.1: keys that have moved since are put into their present places."""

from __future__ import annotations

from typing import Any

__all__ = ["with_present_keys"]

_MOVED = {
    "surrogate.tau_ms": "neuron.tau_ms",
    "surrogate.synapse_tau_ms": "neuron.synapse_tau_ms",
    "surrogate.threshold": "neuron.threshold",
    "surrogate.surrogate": "neuron.surrogate",
    "surrogate.adaptation": "neuron.adaptation",
    "surrogate.adaptation_tau_ms": "neuron.adaptation_tau_ms",
    "surrogate.refractory_tau_ms": "neuron.refractory_tau_ms",
    "surrogate.refractory_scale": "neuron.refractory_scale",
    "surrogate.surrogate_width": "neuron.surrogate_width",
    "surrogate.readout": "readout.kind",
    "surrogate.readout_tau_ms": "readout.tau_ms",
    "surrogate.delays": "delays.kind",
    "surrogate.delay_input": "delays.input",
    "surrogate.max_delay_ms": "delays.max_ms",
    "surrogate.initial_delay_ms": "delays.initial_ms",
    "surrogate.delay_rate_ms": "learning.delay_rate_ms",
    "learning.tolerance": "rule.tolerance",
}
# Written by version 0.1 for every neuron, whether it has such an option or not.
_OF = {
    "neuron.synapse_tau_ms": ("lif", "adaptive_lif"),
    "neuron.surrogate": ("lif", "adaptive_lif"),
    "neuron.adaptation": ("adaptive_lif",),
    "neuron.adaptation_tau_ms": ("adaptive_lif",),
    "neuron.refractory_tau_ms": ("srm_alpha",),
    "neuron.refractory_scale": ("srm_alpha",),
    "neuron.surrogate_width": ("srm_alpha",),
    "neuron.tau_ms": ("lif", "adaptive_lif", "srm_alpha"),
    "neuron.threshold": ("lif", "adaptive_lif", "srm_alpha"),
}


def with_present_keys(tables: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of a recipe with keys of version 0.1 moved to their present places.

    Example:
        >>> with_present_keys({"net": {"model": "lif"}, "surrogate": {"tau_ms": 5.0}})
        {'net': {'model': 'lif'}, 'neuron': {'tau_ms': 5.0}}
    """
    found = {name: dict(table) if isinstance(table, dict) else table for name, table in tables.items()}
    net = found.get("net")
    model = net.get("model", "spikinggamma") if isinstance(net, dict) else "spikinggamma"
    if isinstance(net, dict) and model == "recurrent_lif":
        net |= {"model": "lif", "recurrent": True}
        model = "lif"
    rule = found["learning"].get("rule", "windowed") if isinstance(found.get("learning"), dict) else "windowed"
    for old, new in _MOVED.items():
        table, _, key = old.partition(".")
        if not isinstance(found.get(table), dict) or key not in found[table]:
            continue
        value = found[table].pop(key)
        if (new in _OF and model not in _OF[new]) or (new == "rule.tolerance" and rule != "windowed"):
            continue
        there, _, name = new.partition(".")
        found.setdefault(there, {})[name] = value
    space = found.get("search", {}).get("space") if isinstance(found.get("search"), dict) else None
    if isinstance(space, dict):
        found["search"]["space"] = {_MOVED.get(key, key): among for key, among in space.items()}
    if found.get("surrogate") == {}:
        del found["surrogate"]
    return found
