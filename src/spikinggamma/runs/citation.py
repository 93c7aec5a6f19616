"""Citations of the methods and the data that a recipe uses."""

from __future__ import annotations

from spikinggamma.data.loading import data_info
from spikinggamma.datasets import heidelberg
from spikinggamma.recipes.schema import SPIKELESS_MODELS, Recipe
from spikinggamma.runs import bibliography

__all__ = ["citations"]

# Further sources of each data set: its idea, or the conversion to spikes.
_BEHIND = {
    "localisation": [bibliography.LOCALISATION],
    "fsdd": [heidelberg.CITATION],
    "speech_commands": [heidelberg.CITATION],
    "spoken_words": [heidelberg.CITATION],
}


def citations(recipe: Recipe) -> str:
    """Return the BibTeX entries of the net, the learning rule, the task and the data, in this order.

    Example:
        >>> citations(Recipe()).count("@")
        5
    """
    entries = [*_net(recipe), bibliography.BEYOND_RATE]
    entries += [entry for entry in (data_info(recipe).citation, *_BEHIND.get(recipe.data.name, ())) if entry]
    return "\n\n".join(dict.fromkeys(entries)) + "\n"


def _net(recipe: Recipe) -> list[str]:
    net, surrogate, learning = recipe.net, recipe.surrogate, recipe.learning
    if net.model == "spikinggamma":
        adapts = [bibliography.ADAPTATION] if net.adaptation > 0 else []
        return [bibliography.SPIKINGGAMMA, bibliography.GAMMA_MEMORY, *adapts]
    if net.model in SPIKELESS_MODELS:
        return [bibliography.GATED_UNITS] if net.model == "gru" else []
    slopes = {"fast_sigmoid": bibliography.SUPER_SPIKE, "arctan": bibliography.ARCTAN}
    entries = [
        bibliography.SLAYER if net.model == "srm_alpha" else slopes.get(surrogate.surrogate, bibliography.SLAYER)
    ]
    kinds = {"adaptive_lif": bibliography.E_PROP, "recurrent_lif": heidelberg.CITATION}
    entries += [kinds[net.model]] if net.model in kinds else []
    entries += [bibliography.SLAYER] if surrogate.delays != "none" else []
    rules = {"ottt": bibliography.OTTT, "eprop": bibliography.E_PROP}
    losses = {"spikemax": bibliography.SPIKEMAX, "cumulative": bibliography.CUMULATIVE}
    return [*entries, *_chosen(rules, learning.rule), *_chosen(losses, learning.loss)]


def _chosen(entries: dict[str, str], name: str) -> list[str]:
    return [entries[name]] if name in entries else []
