"""The registered learning rules by the nets that they suit."""

from __future__ import annotations

from spikinggamma.learning import RULES
from spikinggamma.nn import Chain, GammaNet, SequenceNet


def rules_for(kind: type[SequenceNet]) -> tuple[str, ...]:
    """Names of the rules that suit such a net."""
    return tuple(entry.name for entry in RULES.entries() if issubclass(kind, entry.target.nets))


GAMMA_RULES = rules_for(GammaNet)
CHAIN_RULES = rules_for(Chain)
