"""Recipes: what a run is made of, as TOML files and as checked values."""

from spikinggamma.recipes.schema import (
    SPIKELESS_MODELS,
    Augmentation,
    Data,
    Learning,
    Net,
    Range,
    Recipe,
    Search,
    Surrogate,
    Training,
)
from spikinggamma.recipes.toml_files import dump_recipe, load_recipe, parse_recipe, recipe_names, with_values

__all__ = [
    "SPIKELESS_MODELS",
    "Augmentation",
    "Data",
    "Learning",
    "Net",
    "Range",
    "Recipe",
    "Search",
    "Surrogate",
    "Training",
    "dump_recipe",
    "load_recipe",
    "parse_recipe",
    "recipe_names",
    "with_values",
]
