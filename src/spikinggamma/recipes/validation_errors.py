"""Errors of invalid values in a recipe, in terms of the recipe."""

from __future__ import annotations

import difflib

from pydantic import BaseModel, ValidationError

from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes.schema import Range, Recipe

__all__ = ["explained"]

# Names of types in a recipe, by pydantic's type of error.
_WORDS = {
    "tuple_type": "a list, e.g. [64, 64]",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "dict_type": "a table",
    "model_type": "a table",
}


def explained(error: ValidationError, origin: str) -> SpikingGammaError:
    """Return the error for the first problem, in terms of the recipe, with the number of further problems.

    Args:
        error: Error of pydantic.
        origin: Name of the recipe's text.
    """
    # An unknown key comes first, because a misspelt key is the most likely reason for the other problems.
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    first, more = problems[0], len(problems) - 1
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SpikingGammaError):  # from a table of options, and already names its key
        return cause
    path = [str(part) for part in first["loc"]]
    others = f"{more} more problem{'s' if more > 1 else ''} in this recipe." if more else ""
    if first["type"] == "extra_forbidden":
        known = _keys_of(path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=3, cutoff=0.5)
        named = [f"`{'.'.join([*path[:-1], key])}`" for key in near]
        meant = f"Did you mean {' or '.join(named)}?" if near else ""
        where = f"[{'.'.join(path[:-1])}]" if path[:-1] else "a recipe"
        expected = f"a key of {where}: {', '.join(known)}"
        return SpikingGammaError(".".join(path), f"an unknown key in {origin}", expected, _join(meant, others))
    expected = _WORDS.get(first["type"]) or first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    given = first["input"]
    got = f"{list(given) if isinstance(given, tuple) else given!r} in {origin}"
    about = _description(path)
    return SpikingGammaError(".".join(path), got, expected, _join(f"Meaning: {about}." if about else "", others))


def _model_at(path: list[str]) -> type[BaseModel] | None:
    if not path:
        return Recipe
    if path[:2] == ["search", "space"] and len(path) == 3:
        return Range
    default = Recipe.model_fields[path[0]].default if path[0] in Recipe.model_fields else None
    return type(default) if isinstance(default, BaseModel) and len(path) == 1 else None


def _keys_of(path: list[str]) -> list[str]:
    model = _model_at(path)
    return sorted(model.model_fields) if model else []


def _description(path: list[str]) -> str:
    model = _model_at(path[:1]) if len(path) > 1 else Recipe
    key = path[min(1, len(path) - 1)]
    field = model.model_fields.get(key) if model else None
    return (field.description or "") if field else ""


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
