"""What decisions cost: work counted from the traffic that was measured, driven by events and dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spikinggamma.learning import Traffic
from spikinggamma.nn import DENSE, GRADED, UNIT, LayerWork, SpikingNet, Work
from spikinggamma.training.energy import Energy, EnergyTable, energy

__all__ = ["Cost", "cost_row", "dense_cost", "event_cost"]


class Cost(NamedTuple):
    """Work of all layers together.

    Attributes:
        synapses: Use of synapses, and products over them.
        neurons: Everything else: upkeep at each step, reading and sending messages.
        synaptic_operations: Synapses used, or multiplied in full.
        updates: State variables of neurons touched by their upkeep.
        by_layer: `synaptic_operations` of each layer.
    """

    synapses: Work
    neurons: Work
    synaptic_operations: float
    updates: float
    by_layer: tuple[float, ...]


def event_cost(layers: Sequence[LayerWork], traffic: Traffic) -> Cost:
    """Driven by events: synapses work where something arrives; neurons are kept up at every step all the same."""
    synapses, neurons, operations = Work(), Work(), []
    sums = (traffic.arrivals, traffic.multiples, traffic.messages.tolist())
    for layer, arrived, several, sent in zip(layers, *sums, strict=True):
        used, multiplied = (float((number * layer.fan_out.double()).sum()) for number in (arrived, several))
        multiplied = used if layer.graded else multiplied
        heard = sent * layer.recurrent
        always, once = _always(layer, traffic)
        synapses += multiplied * GRADED + (used - multiplied + heard) * UNIT + always
        operations.append(used + heard + once)
        neurons += traffic.steps * layer.update + float(arrived.sum()) * layer.arrival + sent * layer.message
    return Cost(synapses, neurons, sum(operations), _updates(layers, traffic), tuple(operations))


def dense_cost(layers: Sequence[LayerWork], traffic: Traffic) -> Cost:
    """Dense: every product at every step, whatever arrives."""
    synapses, neurons, operations = Work(), Work(), []
    for layer in layers:
        always, once = _always(layer, traffic)
        synapses += traffic.steps * layer.synapses * DENSE + always
        operations.append(traffic.steps * layer.synapses + once)
        neurons += traffic.steps * (layer.update + layer.dense)
    return Cost(synapses, neurons, sum(operations), _updates(layers, traffic), tuple(operations))


def cost_row(net: SpikingNet, traffic: Traffic, dt_ms: float, table: EnergyTable) -> dict[str, Any]:
    """Both counts for a row, of the mean recording, with what they cost by a table of energies."""
    layers = net.work(dt_ms)
    weights = sum(parameter.numel() for parameter in net.parameters())
    states = sum(layer.memory for layer in layers)
    seconds = traffic.steps * dt_ms / 1000.0 / traffic.recordings
    row: dict[str, Any] = {
        "energies": table.name,
        "seconds": seconds,
        "weight_memory_bytes": weights * table.weight_bytes,
        "state_memory_bytes": states * table.state_bytes,
        "delay_line_bytes": sum(layer.delay_line for layer in layers) * table.state_bytes,
    }
    for name, cost in (("event", event_cost(layers, traffic)), ("dense", dense_cost(layers, traffic))):
        spent = energy(cost.synapses, cost.neurons, table, weights=weights, states=states)
        by_layer = [operations / traffic.recordings for operations in cost.by_layer]
        row[name] = {**_figures(cost, spent, table, traffic, seconds), "synaptic_operations_by_layer": by_layer}
    return row


def _always(layer: LayerWork, traffic: Traffic) -> tuple[Work, float]:
    """What either way of counting has, and how many products over synapses are in it."""
    work = traffic.steps * layer.steady + traffic.recordings * layer.recording
    steady, once = layer.steady.multiply_accumulates, layer.recording.multiply_accumulates
    return work, traffic.steps * steady + traffic.recordings * once


def _updates(layers: Sequence[LayerWork], traffic: Traffic) -> float:
    return traffic.steps * sum(layer.variables for layer in layers)


def _figures(cost: Cost, spent: Energy, table: EnergyTable, traffic: Traffic, seconds: float) -> dict[str, float]:
    """Of the mean recording; energies in nanojoules."""
    work = cost.synapses + cost.neurons
    totals = {
        "synaptic_operations": cost.synaptic_operations,
        "state_updates": cost.updates,
        "multiply_accumulates": work.multiply_accumulates,
        "accumulates": work.accumulates,
        "multiplies": work.multiplies,
        "functions": work.functions,
        "weight_bytes_read": work.weight_reads * table.weight_bytes,
        "state_bytes_read": work.state_reads * table.state_bytes,
        "state_bytes_written": work.state_writes * table.state_bytes,
        "arithmetic_nj": spent.arithmetic_pj / 1000.0,
        "weights_nj": spent.weights_pj / 1000.0,
        "states_nj": spent.states_pj / 1000.0,
        "energy_nj": spent.total_pj / 1000.0,
        "energy_weights_in_dram_nj": spent.total_with_dram_pj / 1000.0,
    }
    mean = {name: total / traffic.recordings for name, total in totals.items()}
    return mean | {
        "synaptic_operations_per_s": mean["synaptic_operations"] / seconds,
        "energy_nj_per_s": mean["energy_nj"] / seconds,
    }
