"""The memory and time that a recipe will take on this machine, measured by a few of its steps, and what fits a budget."""

from spikinggamma.planning.budget import Fit, largest_fitting, parse_memory
from spikinggamma.planning.measurement import Measurement, measure
from spikinggamma.planning.planner import Offer, Plan, plan
from spikinggamma.planning.text import describe_plan, plan_row

__all__ = [
    "Fit",
    "Measurement",
    "Offer",
    "Plan",
    "describe_plan",
    "largest_fitting",
    "measure",
    "parse_memory",
    "plan",
    "plan_row",
]
