"""What a decision costs: operations, memory and energy. A room above nets, which know nothing of it."""

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
