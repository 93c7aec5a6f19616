"""The search space: checks of the keys and values of `[search.space]` before anything is trained.

A key may be searched only if all trials remain comparable on the same validation recordings. So data, split, seeds and
the length of training are fixed, and of `[data]` only the time step, the number of channels and the options of the
loader may differ between trials.
"""

from __future__ import annotations

import difflib
import math
from typing import Any

from pydantic import BaseModel, ValidationError

from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes.option_tables import OPTION_TABLES, without_foreign_options
from spikinggamma.recipes.schema import Range, Recipe

__all__ = ["check_space", "ends_of", "is_whole", "own_values"]

# Only these keys of these tables may be searched.
_ONLY = {"data": ("dt_ms", "n_channels"), "training": ("batch_size",), "search": ()}
_FORMS = "{low = 1e-4, high = 1e-2, log = true}, {low = 1, high = 4, step = 1} or {choices = [...]}"


def check_space(recipe: Recipe) -> None:
    """Check the keys and values of `[search.space]`.

    Raises:
        SpikingGammaError: A key is unknown or may not be searched, a range is missing or empty, or the key does not
            take a value.
    """
    known = _searchable(recipe)
    for key, among in recipe.search.space.items():
        where = f"search.space.{key}"
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else ""
            expected = "a key of net, learning, augment, or another that does not change the task"
            raise SpikingGammaError(where, "a key that cannot be searched", expected, remedy)
        _check_range(where, among)
        for value in among.choices or (among.low, among.high):
            _check_value(recipe, key, value)


def own_values(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe's own values of the searched keys, which are those of the first trial.

    Raises:
        SpikingGammaError: One of them is not in its range.

    Example:
        >>> from spikinggamma.recipes.schema import Search
        >>> own_values(Recipe(search=Search(space={"learning.dropout": Range(low=0.0, high=0.5)})))
        {'learning.dropout': 0.0}
    """
    values = {key: _value_at(recipe, key) for key in recipe.search.space}
    for key, among in recipe.search.space.items():
        if not _among(values[key], among):
            said = among.choices or f"from {among.low} to {among.high}" + (f" by {among.step}" if among.step else "")
            remedy = "The first trial uses the recipe's own values: widen the range, or set another value."
            raise SpikingGammaError(key, values[key], f"a value of search.space.{key} ({said})", remedy)
        if among.choices:  # as written in the space: 4 may stand for 4.0
            values[key] = among.choices[among.choices.index(values[key])]
        elif is_whole(among):
            values[key] = int(values[key])
    return values


def is_whole(among: Range) -> bool:
    """Return whether only integers are tried.

    Example:
        >>> is_whole(Range(low=1, high=4)), is_whole(Range(low=1, high=4.0))
        (True, False)
    """
    return isinstance(among.low, int) and isinstance(among.high, int)


def ends_of(among: Range) -> tuple[int | float, int | float]:
    """Return the lowest and the highest value of a checked interval."""
    if among.low is None or among.high is None:
        raise SpikingGammaError("search.space", "no whole range", _FORMS)
    return among.low, among.high


def _searchable(recipe: Recipe) -> list[str]:
    keys = [f"data.options.{key}" for key in recipe.data.options]
    for section, table in recipe:
        if isinstance(table, BaseModel):
            keys += [f"{section}.{key}" for key in _ONLY.get(section, tuple(type(table).model_fields))]
    return keys + [f"{table}.{key}" for table in OPTION_TABLES for key in getattr(recipe, table)]


def _check_range(where: str, among: Range) -> None:
    step = among.step
    if among.choices:
        if among.low is not None or among.high is not None or step is not None or among.log:
            raise SpikingGammaError(where, "choices beside low, high, log or step", _FORMS)
        if len(among.choices) < 2 or any(choice in among.choices[:place] for place, choice in enumerate(among.choices)):
            raise SpikingGammaError(where, f"choices {list(among.choices)}", "two or more different choices")
        return
    if among.low is None or among.high is None:
        raise SpikingGammaError(where, "no whole range", _FORMS)
    low, high = among.low, among.high
    if not low < high:
        raise SpikingGammaError(where, f"low {low}, high {high}", "a lower end below the upper one")
    if among.log and (low <= 0 or step is not None):
        raise SpikingGammaError(where, f"low {low}, step {step}, log", "a lower end above 0, and no step, with log")
    if step is None:
        return
    if is_whole(among) and not isinstance(step, int):
        raise SpikingGammaError(
            where, f"step {step}", "an integer step between integer ends", "Write the ends with a decimal point."
        )
    if step > high - low or not _on_grid(high, low, step):
        raise SpikingGammaError(where, f"step {step}", f"a step that divides the interval from {low} to {high}")


def _check_value(recipe: Recipe, key: str, value: object) -> None:
    tables = recipe.model_dump() | {"search": {}}
    *path, last = key.split(".")
    table = tables
    for name in path:
        table = table[name]
    table[last] = value
    tables = without_foreign_options(tables, recipe.model_dump())
    try:
        Recipe.model_validate(tables)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        raise SpikingGammaError(f"search.space.{key}", repr(value), f"what {key} takes: {message}") from None


def _value_at(recipe: Recipe, key: str) -> Any:
    value: Any = recipe
    for part in key.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def _among(value: Any, among: Range) -> bool:
    if among.choices:
        return value in among.choices
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low, high = ends_of(among)
    step = among.step or (1 if is_whole(among) else None)
    return low <= value <= high and (step is None or _on_grid(value, low, step))


def _on_grid(value: int | float, low: int | float, step: int | float) -> bool:
    # 0.3 is three steps of 0.1 except for the last bit.
    steps = (value - low) / step
    return math.isclose(steps, round(steps), rel_tol=1e-9, abs_tol=1e-9)
