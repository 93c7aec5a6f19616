"""All learning rules by name: those of SpikingGamma, and those of the surrogate-gradient nets beside it."""

from __future__ import annotations

from pydantic import Field

from spikinggamma import bibliography
from spikinggamma.learning.bptt import Backpropagation
from spikinggamma.learning.eprop import EProp
from spikinggamma.learning.instantaneous import Instantaneous
from spikinggamma.learning.ottt import OTTT, Truncated
from spikinggamma.learning.rule import Rule
from spikinggamma.learning.shifted import Shifted
from spikinggamma.learning.traced import Traced
from spikinggamma.learning.windowed import ThroughTime, Windowed
from spikinggamma.nn import Chain, CountNet, GammaNet, GRUNet
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["RULES"]

RULES: Registry[type[Rule]] = Registry("rule")


class WindowedOptions(Options):
    """Options of `windowed`."""

    tolerance: float = Field(
        default=1e-4, gt=0.0, lt=1.0, description="what `windowed` may leave out of a kernel's tail"
    )


_CITED = {"ottt": (bibliography.OTTT,), "eprop": (bibliography.E_PROP,)}
for _name, _rule, _nets, _options in (
    ("instantaneous", Instantaneous, (GammaNet,), Options),
    ("shifted", Shifted, (GammaNet,), Options),
    ("windowed", Windowed, (GammaNet,), WindowedOptions),
    ("traced", Traced, (GammaNet,), Options),
    ("through_time", ThroughTime, (GammaNet,), Options),
    ("bptt", Backpropagation, (Chain, CountNet, GRUNet), Options),
    ("truncated", Truncated, (Chain,), Options),
    ("ottt", OTTT, (Chain,), Options),
    ("eprop", EProp, (Chain,), Options),
):
    _rule.nets = _nets
    RULES.register(_name, options=_options, citations=_CITED.get(_name, ()))(_rule)
