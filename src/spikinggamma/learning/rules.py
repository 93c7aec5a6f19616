"""All learning rules by name: those of SpikingGamma, and those of the surrogate-gradient nets beside it."""

from __future__ import annotations

from spikinggamma.learning.bptt import Backpropagation
from spikinggamma.learning.eprop import EProp
from spikinggamma.learning.instantaneous import Instantaneous
from spikinggamma.learning.ottt import OTTT, Truncated
from spikinggamma.learning.rule import Rule
from spikinggamma.learning.shifted import Shifted
from spikinggamma.learning.traced import Traced
from spikinggamma.learning.windowed import ThroughTime, Windowed

__all__ = ["GAMMA_RULES", "RULES", "SURROGATE_RULES"]

GAMMA_RULES: dict[str, type[Rule]] = {
    "instantaneous": Instantaneous,
    "shifted": Shifted,
    "windowed": Windowed,
    "traced": Traced,
    "through_time": ThroughTime,
}
# The first for whatever is differentiable, the others for LIF nets without delays.
SURROGATE_RULES: dict[str, type[Rule]] = {
    "bptt": Backpropagation,
    "truncated": Truncated,
    "ottt": OTTT,
    "eprop": EProp,
}
RULES = GAMMA_RULES | SURROGATE_RULES
