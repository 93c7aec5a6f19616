"""What to cite for a recipe: BibTeX of exactly the parts that it uses."""

from __future__ import annotations

from spikinggamma import bibliography
from spikinggamma.data.loading import data_info
from spikinggamma.datasets import heidelberg
from spikinggamma.recipes.schema import SPIKELESS_MODELS, Recipe

__all__ = ["citations"]

# What the recordings of each data set rest on besides themselves: an idea, or how they became spikes.
_BEHIND = {
    "localisation": [bibliography.LOCALISATION],
    "fsdd": [heidelberg.CITATION],
    "speech_commands": [heidelberg.CITATION],
    "spoken_words": [heidelberg.CITATION],
}


def citations(recipe: Recipe) -> str:
    """BibTeX entries for the net, how it learns, the question asked of it, and the data, in that order.

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
