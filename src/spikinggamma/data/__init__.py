"""Loading, listing, conversion and normalisation of data sets and tasks."""

from spikinggamma.data.catalogue import LoadedData, data_recipe, data_table, fetch, open_data, recipe_of
from spikinggamma.data.loading import (
    Bound,
    DataInfo,
    data_entry,
    data_info,
    data_names,
    known_name,
    load_splits,
    training_batches,
)

__all__ = [
    "Bound",
    "DataInfo",
    "LoadedData",
    "data_entry",
    "data_info",
    "data_names",
    "data_recipe",
    "data_table",
    "fetch",
    "known_name",
    "load_splits",
    "open_data",
    "recipe_of",
    "training_batches",
]
