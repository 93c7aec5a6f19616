"""The catalogue of data sets and tasks: listing, fetching and opening them by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma import datasets
from spikinggamma.data.loading import DataInfo, data_info, data_names, known_name, load_splits, resolved
from spikinggamma.data.suggested import recipe_for
from spikinggamma.datasets import DATASETS
from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.recipes.schema import Data, Recipe
from spikinggamma.recipes.toml_files import load_recipe, parse_recipe, recipe_names

__all__ = ["LoadedData", "data_recipe", "data_table", "fetch", "open_data", "open_files", "recipe_of"]

# Keys of [data] in a recipe that a loader takes under the same name; every other key is an option of the loader.
_COMMON = ("split", "validation_fraction", "seed", "layout", "encoder", "scale")


class LoadedData(NamedTuple):
    """A data set or task, loaded with the settings of its recipe and with all recorded channels."""

    recipe: Recipe
    info: DataInfo
    splits: Splits


def data_table() -> str:
    """Return a text with one paragraph for each data set and task."""
    return "\n\n".join(_paragraph(name) for name in data_names())


def fetch(name: str) -> str:
    """Download a data set where it is missing, verify and convert it, and return a summary.

    Raises:
        SpikingGammaError: The data set is unknown, cannot be downloaded, or has a damaged file.
    """
    known_name("data set", name, data_names())
    if name not in datasets.names():
        raise SpikingGammaError("data set", repr(name), "a data set that is fetched", "This task is made on the spot.")
    splits = load_splits(recipe_of(name))
    sizes = ", ".join(f"{len(part)} {label}" for label, part in splits._asdict().items())
    return f"{name} is ready: {sizes}.\n{_paragraph(name)}"


def open_data(name: str, settings: Iterable[str] = ()) -> LoadedData:
    """Load a data set or task with the settings of its bundled recipe, but with all recorded channels.

    Args:
        name: One of `data_names`; or a path of recordings, or of a recipe.
        settings: Texts KEY=VALUE: split, validation_fraction, seed, or an option of this data set's loader.

    Raises:
        SpikingGammaError: The name or an option is unknown, a value has the wrong type, or the loader raises it.

    Example:
        >>> len(open_data("localisation", ["n_test=20"]).splits.test)
        20
    """
    recipe = resolved(data_recipe(name, settings))
    return LoadedData(recipe, data_info(recipe), load_splits(recipe))


def open_files(name: str, settings: Iterable[str] = ()) -> LoadedData:
    """Load as `open_data` does, without holding out a share of the training part for validation.

    Raises:
        SpikingGammaError: As `open_data` does.
    """
    if name not in datasets.names():
        return open_data(name, settings)
    recipe = data_recipe(name, settings)
    data = recipe.data
    options: dict[str, Any] = dict(data.options)
    splits = datasets.load(name, split=data.split, validation_fraction=0.0, seed=data.seed, **options)
    return LoadedData(recipe, data_info(recipe), splits)


def data_recipe(name: str, settings: Iterable[str] = ()) -> Recipe:
    """Return the recipe that `open_data` loads from."""
    overrides = [_qualified(setting) for setting in settings]
    if name not in data_names() and Path(name).exists():
        return recipe_for(name, [*overrides, "data.n_channels=0"])
    known_name("data set", name, data_names())
    return recipe_of(name, [*overrides, "data.n_channels=0"])


def recipe_of(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """Return the bundled recipe of this name, or a default recipe for the data set where there is none."""
    if name in recipe_names():
        return load_recipe(name, overrides)
    return parse_recipe(f'[data]\nname = "{name}"\n', origin=f"recipe {name}", overrides=overrides)


def _qualified(setting: str) -> str:
    key = setting.partition("=")[0].strip()
    if "=" not in setting or not key:
        expected = "KEY=VALUE, e.g. split=speaker:theo or an option of the loader such as ramp_ms=20"
        raise SpikingGammaError("--set", repr(setting), expected)
    if key.startswith(("data.", "encoder.")):
        return setting
    return f"data.{setting}" if key in _COMMON else f"data.options.{setting}"


def _paragraph(name: str) -> str:
    info = data_info(Recipe(data=Data(name=name)))
    lines = [
        f"{name}: {info.title}",
        f"  classes   {info.n_classes}: {', '.join(info.class_names)}",
        f"  channels  {info.n_channels}",
        f"  licence   {info.licence}",
    ]
    if name in datasets.names():
        lines += [
            f"  size      {datasets.info(name).size}",
            f"  source    {info.url}",
            f"  here      {_place(name)}",
        ]
    lines.append(f"  cite      spikinggamma cite {name}")
    return "\n".join(lines)


def _place(name: str) -> str:
    kept = cache_root() / name
    # What is made on the spot has no files of its own.
    folder = (None if DATASETS[name].target.made_here else data_root(None)) or cache_root()
    folder = folder / name
    if not folder.is_dir():
        return f"not here yet ({folder}): spikinggamma data fetch {name}"
    if folder == kept or not kept.is_dir():
        return f"{folder} ({_size(folder)})"
    return f"{folder} ({_size(folder)}); as spikes in {kept} ({_size(kept)})"


def _size(folder: Path) -> str:
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB"
