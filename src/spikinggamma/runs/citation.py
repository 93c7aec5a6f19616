"""Citations of the methods and the data that a recipe uses."""

from __future__ import annotations

from pathlib import Path

from spikinggamma import bibliography
from spikinggamma.data.loading import data_entry
from spikinggamma.datasets import heidelberg
from spikinggamma.functional import SURROGATES
from spikinggamma.layouts import LAYOUTS, recognised
from spikinggamma.nn import LAYERS, NETS, NEURONS, GammaNet
from spikinggamma.nn.layers.make import Specification, inner_layers, layer_entry
from spikinggamma.recipes import OPTION_TABLES, Recipe, entry_of_table, net_class

__all__ = ["citations"]


def citations(recipe: Recipe) -> str:
    """Return the BibTeX entries of the net, the learning rule, the task and the data, in this order.

    Example:
        >>> citations(Recipe()).count("@")
        5
    """
    entries = [*_net(recipe), bibliography.BEYOND_RATE]
    if recipe.data.path:
        layout = recipe.data.layout or (
            recognised(recipe.data.path).entry.name if Path(recipe.data.path).exists() else ""
        )
        entries += LAYOUTS[layout].citations if layout else ()
    else:
        entries += data_entry(recipe.data.name).citations
    return "\n\n".join(dict.fromkeys(entries)) + "\n"


def _net(recipe: Recipe) -> list[str]:
    net = recipe.net
    found: list[str] = []
    if net.model in NETS:
        found += NETS[net.model].citations
    if issubclass(net_class(recipe), GammaNet) and net.adaptation > 0:
        found.append(bibliography.ADAPTATION)
    for table in OPTION_TABLES:
        entry = entry_of_table(recipe, table)
        found += [] if entry is None else entry.citations
    if net.model in NEURONS and net.recurrent:
        found.append(heidelberg.CITATION)
    if net.model in NEURONS and recipe.delays.kind != "none":
        found += LAYERS["axonal_delay"].citations
    for layer in recipe.layers:
        found += _layer(layer)
    return found


def _layer(layer: Specification) -> list[str]:
    """Return what a layer of a chain rests on, and the layers inside it."""
    found = list(layer_entry(layer["layer"]).citations)
    if layer.get("surrogate"):
        found += SURROGATES[layer["surrogate"]].citations
    for row in inner_layers(layer).values():
        for inner in row:
            found += _layer(inner)
    return found
