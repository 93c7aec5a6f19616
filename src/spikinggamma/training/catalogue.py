"""Data sets and tasks for the command line: what there is, where it lies, and fetching it."""

from __future__ import annotations

import os
from pathlib import Path

from spikinggamma import datasets
from spikinggamma.datasets.cache import cache_root
from spikinggamma.errors import SpikingGammaError
from spikinggamma.training.data import data_names, facts_of, known_name, load_splits
from spikinggamma.training.recipe import Data, Recipe
from spikinggamma.training.recipe_file import load_recipe, recipe_names

__all__ = ["data_table", "fetch"]


def data_table() -> str:
    """One paragraph for everything that `data.name` of a recipe can be."""
    return "\n\n".join(_paragraph(name) for name in data_names())


def fetch(name: str) -> str:
    """Fetch a data set where it is missing, check it, convert it as its recipe wants it, and say what there is now.

    Raises:
        SpikingGammaError: No such data set; it cannot be fetched, or a file is damaged.
    """
    known_name("data set", name, data_names())
    if name not in datasets.names():
        raise SpikingGammaError("data set", repr(name), "a data set that is fetched", "This task is made on the spot.")
    splits = load_splits(_recipe(name))
    sizes = ", ".join(f"{len(part)} {label}" for label, part in splits._asdict().items())
    return f"{name} is ready: {sizes}.\n{_paragraph(name)}"


def _recipe(name: str) -> Recipe:
    """The bundled recipe of this name, whose spikes are those that training will ask for."""
    return load_recipe(name) if name in recipe_names() else Recipe(data=Data(name=name))


def _paragraph(name: str) -> str:
    facts = facts_of(Recipe(data=Data(name=name)))
    lines = [
        f"{name}: {facts.title}",
        f"  classes   {facts.n_classes}: {', '.join(facts.class_names)}",
        f"  channels  {facts.n_channels}",
        f"  licence   {facts.licence}",
    ]
    if name in datasets.names():
        lines += [f"  source    {facts.url}", f"  here      {_place(name)}"]
    return "\n".join(lines)


def _place(name: str) -> str:
    named = os.environ.get("SPIKINGGAMMA_DATA")
    folder = Path(named).expanduser() / name if named else cache_root() / name
    return f"{folder}" if folder.is_dir() else f"not here yet ({folder}): spikinggamma data fetch {name}"
