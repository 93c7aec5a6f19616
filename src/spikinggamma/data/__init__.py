"""Loading, listing, conversion and normalisation of data sets and tasks."""

from spikinggamma.data.catalogue import LoadedData, data_recipe, data_table, fetch, open_data, recipe_of
from spikinggamma.data.given import given_recordings
from spikinggamma.data.loading import (
    Bound,
    DataInfo,
    data_entry,
    data_info,
    data_names,
    is_task,
    known_name,
    load_splits,
    resolved,
    training_batches,
)
from spikinggamma.data.suggested import recipe_for

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
    "given_recordings",
    "is_task",
    "known_name",
    "load_splits",
    "open_data",
    "recipe_for",
    "recipe_of",
    "resolved",
    "training_batches",
]
