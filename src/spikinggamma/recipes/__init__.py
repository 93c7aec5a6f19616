"""Recipes: all settings of a training, as TOML files and as checked values."""

from spikinggamma.recipes.checks import longest_step_ms
from spikinggamma.recipes.option_tables import OPTION_TABLES, entry_of_table, net_class
from spikinggamma.recipes.schema import (
    Augmentation,
    Data,
    Delays,
    Learning,
    Net,
    Range,
    Readout,
    Recipe,
    Search,
    Training,
)
from spikinggamma.recipes.toml_files import (
    dump_recipe,
    load_recipe,
    parse_recipe,
    recipe_names,
    recipe_table,
    with_values,
)

__all__ = [
    "OPTION_TABLES",
    "Augmentation",
    "Data",
    "Delays",
    "Learning",
    "Net",
    "Range",
    "Readout",
    "Recipe",
    "Search",
    "Training",
    "dump_recipe",
    "entry_of_table",
    "load_recipe",
    "longest_step_ms",
    "net_class",
    "parse_recipe",
    "recipe_names",
    "recipe_table",
    "with_values",
]
