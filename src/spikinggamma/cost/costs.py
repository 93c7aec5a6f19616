"""Costs of decisions, computed from measured events for event-driven and for dense computation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spikinggamma.cost.counting import NotCountedError, layer_work
from spikinggamma.cost.energy import Energy, EnergyTable, energy
from spikinggamma.cost.event_counts import EventCounts
from spikinggamma.cost.operations import DENSE, GRADED, UNIT, LayerWork, Work
from spikinggamma.nn import SequenceNet

__all__ = ["Cost", "cost_row", "dense_cost", "event_cost"]


class Cost(NamedTuple):
    """The total work of all layers.

    Attributes:
        synapses: Work of synapses: weights added, and products with weights.
        neurons: All other work: the update of neurons at each step, reading and sending messages.
        synaptic_operations: Number of synapses used by events, or multiplied in a dense computation.
        updates: State variables of neurons that are updated at each step.
        by_layer: `synaptic_operations` of each layer.
    """

    synapses: Work
    neurons: Work
    synaptic_operations: float
    updates: float
    by_layer: tuple[float, ...]


def event_cost(layers: Sequence[LayerWork], events: EventCounts) -> Cost:
    """Return the cost driven by events: synapses work only where an event arrives; neurons are updated at every step."""
    synapses, neurons, operations = Work(), Work(), []
    sums = (events.arrivals, events.multiples, events.messages.tolist())
    for layer, arrived, several, sent in zip(layers, *sums, strict=True):
        used, multiplied = (float((number * layer.fan_out.double()).sum()) for number in (arrived, several))
        multiplied = used if layer.graded else multiplied
        heard = sent * layer.recurrent
        always, once = _always(layer, events)
        synapses += multiplied * GRADED + (used - multiplied + heard) * UNIT + always
        operations.append(used + heard + once)
        neurons += events.steps * layer.update + float(arrived.sum()) * layer.arrival + sent * layer.message
    return Cost(synapses, neurons, sum(operations), _updates(layers, events), tuple(operations))


def dense_cost(layers: Sequence[LayerWork], events: EventCounts) -> Cost:
    """Return the cost of a dense computation, which makes every product at every step."""
    synapses, neurons, operations = Work(), Work(), []
    for layer in layers:
        always, once = _always(layer, events)
        synapses += events.steps * layer.synapses * DENSE + always
        operations.append(events.steps * layer.synapses + once)
        neurons += events.steps * (layer.update + layer.dense)
    return Cost(synapses, neurons, sum(operations), _updates(layers, events), tuple(operations))


def cost_row(net: SequenceNet, events: EventCounts | None, dt_ms: float, table: EnergyTable) -> dict[str, Any] | None:
    """Return both costs of the mean recording with their energies; None for a net whose operations are not counted."""
    if events is None:
        return None
    try:
        layers = layer_work(net, dt_ms)
    except NotCountedError:
        return None
    weights = sum(parameter.numel() for parameter in net.parameters())
    states = sum(layer.memory for layer in layers)
    seconds = events.steps * dt_ms / 1000.0 / events.recordings
    row: dict[str, Any] = {
        "energies": table.name,
        "seconds": seconds,
        "weight_memory_bytes": weights * table.weight_bytes,
        "state_memory_bytes": states * table.state_bytes,
        "delay_line_bytes": sum(layer.delay_line for layer in layers) * table.state_bytes,
    }
    for name, cost in (("event", event_cost(layers, events)), ("dense", dense_cost(layers, events))):
        spent = energy(cost.synapses, cost.neurons, table, weights=weights, states=states)
        by_layer = [operations / events.recordings for operations in cost.by_layer]
        row[name] = {**_figures(cost, spent, table, events, seconds), "synaptic_operations_by_layer": by_layer}
    return row


def _always(layer: LayerWork, events: EventCounts) -> tuple[Work, float]:
    """Return the work that both ways of counting include, and the number of products over synapses in it."""
    work = events.steps * layer.steady + events.recordings * layer.recording
    steady, once = layer.steady.multiply_accumulates, layer.recording.multiply_accumulates
    return work, events.steps * steady + events.recordings * once


def _updates(layers: Sequence[LayerWork], events: EventCounts) -> float:
    return events.steps * sum(layer.variables for layer in layers)


def _figures(cost: Cost, spent: Energy, table: EnergyTable, events: EventCounts, seconds: float) -> dict[str, float]:
    """Return the figures of the mean recording; energies are in nanojoules."""
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
    mean = {name: total / events.recordings for name, total in totals.items()}
    return mean | {
        "synaptic_operations_per_s": mean["synaptic_operations"] / seconds,
        "energy_nj_per_s": mean["energy_nj"] / seconds,
    }
