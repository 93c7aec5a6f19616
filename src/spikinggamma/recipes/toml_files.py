"""Recipes as text: reading TOML and `section.key=value` overrides, and writing a recipe with every key explained."""

from __future__ import annotations

import copy
import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes.checks import check_together
from spikinggamma.recipes.earlier_keys import with_present_keys
from spikinggamma.recipes.option_tables import NAMED_BY, OPTION_TABLES, entry_of_table, without_foreign_options
from spikinggamma.recipes.schema import Range, Recipe
from spikinggamma.recipes.search_space import check_space
from spikinggamma.recipes.validation_errors import explained

__all__ = ["dump_recipe", "load_recipe", "parse_recipe", "recipe_names", "recipe_table", "with_values"]


def recipe_names() -> list[str]:
    """Return the names of the recipes in the package."""
    folder = resources.files("spikinggamma.recipes") / "bundled"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def recipe_table() -> str:
    """Return a line for each bundled recipe: its name, and the comment at its head."""
    folder = resources.files("spikinggamma.recipes") / "bundled"
    lines = []
    for name in recipe_names():
        head = []
        for line in (folder / f"{name}.toml").read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                break
            head.append(line.removeprefix("#").strip())
        lines.append((name, " ".join(head)))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {words}" for name, words in lines)


def load_recipe(source: str | Path = "localisation", overrides: Iterable[str] = ()) -> Recipe:
    """Return a recipe by name or from a file, with overrides applied.

    Args:
        source: Name of a bundled recipe (`recipe_names`) or path of a `.toml` file.
        overrides: Texts of the form `section.key=value`; the value is TOML, or a bare word.

    Raises:
        SpikingGammaError: The recipe does not exist or is not TOML, a key is unknown, or a value has a wrong type or is
            out of range.

    Example:
        >>> load_recipe("localisation", ["training.epochs=3"]).training.epochs
        3
    """
    text, origin = _read(str(source))
    return parse_recipe(text, origin=origin, overrides=overrides)


def parse_recipe(text: str, *, origin: str = "recipe", overrides: Iterable[str] = ()) -> Recipe:
    """Return a recipe from its TOML text.

    Args:
        text: The TOML text.
        origin: Name of the text in errors.
        overrides: As in `load_recipe`.

    Raises:
        SpikingGammaError: As `load_recipe`.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpikingGammaError(origin, f"text that is not TOML ({error})", "a recipe in TOML") from None
    tables = with_present_keys(tables)
    before: dict[str, Any] | None = copy.deepcopy(tables)
    names = {f"{section}.{key}" for (section, key), _ in NAMED_BY.values()}
    # Names come first: an option given together with a new name belongs to the new entry.
    ordered = sorted(overrides, key=lambda override: override.partition("=")[0].strip() not in names)
    for override in ordered:
        if before is not None and override.partition("=")[0].strip() not in names:
            tables, before = without_foreign_options(tables, before), None
        _override(tables, override)
    if before is not None:
        tables = without_foreign_options(tables, before)
    try:
        recipe = Recipe.model_validate(_tuples(tables))
    except ValidationError as error:
        raise explained(error, origin) from None
    check_together(recipe)
    check_space(recipe)
    return recipe


def dump_recipe(recipe: Recipe) -> str:
    """Return the recipe as TOML, with every key and its explanation; `parse_recipe` reads it back unchanged."""
    lines = [_line("name", recipe.name, Recipe)]
    for section in _sections():
        table: BaseModel = getattr(recipe, section)
        values = dict(table)
        lines += ["", f"[{section}]"]
        lines += [_line(key, value, type(table)) for key, value in values.items() if not isinstance(value, dict)]
        for key, value in values.items():
            if isinstance(value, dict):
                lines += ["", f"[{section}.{key}]", *(f"{_toml_key(k)} = {_toml(v)}" for k, v in value.items())]
    for name in OPTION_TABLES:
        entry = entry_of_table(recipe, name)
        if entry is not None and getattr(recipe, name):
            lines += ["", f"[{name}]"]
            lines += [_line(key, value, entry.options) for key, value in getattr(recipe, name).items()]
    for layer in recipe.layers:
        lines += ["", "[[layers]]", *(f"{_toml_key(key)} = {_toml(value)}" for key, value in layer.items())]
    return "\n".join(lines) + "\n"


def with_values(recipe: Recipe, values: Mapping[str, object]) -> Recipe:
    """Return the recipe with other values, by key.

    Raises:
        SpikingGammaError: As `parse_recipe`.

    Example:
        >>> with_values(Recipe(), {"learning.dropout": 0.5}).learning.dropout
        0.5
    """
    return parse_recipe(dump_recipe(recipe), overrides=[f"{key}={_toml(value)}" for key, value in values.items()])


def _read(source: str) -> tuple[str, str]:
    if source in recipe_names():
        entry = resources.files("spikinggamma.recipes") / "bundled" / f"{source}.toml"
        return entry.read_text(encoding="utf-8"), f"recipe {source}"
    path = Path(source)
    if path.suffix != ".toml":
        near = difflib.get_close_matches(source, recipe_names(), n=1)
        remedy = f"Did you mean `{near[0]}`?" if near else ""
        expected = f"a bundled recipe ({', '.join(recipe_names())}) or the path of a .toml file"
        raise SpikingGammaError("recipe", repr(source), expected, remedy)
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except FileNotFoundError:
        bundled = ", ".join(recipe_names())
        raise SpikingGammaError(
            "recipe", f"{path}, which does not exist", f"a .toml file or one of {bundled}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpikingGammaError("recipe", f"{path}, which cannot be read ({error})", "a text file in UTF-8") from None


def _override(tables: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise SpikingGammaError("--set", repr(override), "section.key=value, e.g. learning.learning_rate=3e-3")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a bare word: --set learning.rule=windowed needs no quotes
    table = tables
    for part in parts[:-1]:
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            raise SpikingGammaError("--set", repr(override), f"a key that exists; `{part}` is not a table")
        table = below
    table[parts[-1]] = value


def _tuples(value: Any) -> Any:
    """Return the value with TOML arrays as tuples, which frozen sections require."""
    if isinstance(value, dict):
        return {key: _tuples(entry) for key, entry in value.items()}
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list) else value


def _sections() -> list[str]:
    return [name for name, field in Recipe.model_fields.items() if isinstance(field.default, BaseModel)]


def _line(key: str, value: object, model: type[BaseModel]) -> str:
    return f"{key} = {_toml(value)}".ljust(36) + f"  # {model.model_fields[key].description}"


def _toml_key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(entry) for entry in value)}]"
    if isinstance(value, Range):
        given = {key: entry for key, entry in value if entry != Range.model_fields[key].default}
        return f"{{{', '.join(f'{key} = {_toml(entry)}' for key, entry in given.items())}}}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_toml_key(key)} = {_toml(entry)}' for key, entry in value.items())}}}"
    return repr(value)
