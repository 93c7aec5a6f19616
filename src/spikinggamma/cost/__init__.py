"""The cost of a decision: operations, memory and energy. Nets do not depend on this package."""

from spikinggamma.cost.costs import Cost, cost_row, dense_cost, event_cost
from spikinggamma.cost.counting import layer_work
from spikinggamma.cost.energy import ENERGY_TABLES, Energy, EnergyTable, energy, load_energy_table
from spikinggamma.cost.event_counts import EventCounter, EventCounts, arrivals, event_counter
from spikinggamma.cost.operations import DENSE, GRADED, UNIT, LayerWork, Work

__all__ = [
    "DENSE",
    "ENERGY_TABLES",
    "GRADED",
    "UNIT",
    "Cost",
    "Energy",
    "EnergyTable",
    "EventCounter",
    "EventCounts",
    "LayerWork",
    "Work",
    "arrivals",
    "cost_row",
    "dense_cost",
    "energy",
    "event_cost",
    "event_counter",
    "layer_work",
    "load_energy_table",
]
