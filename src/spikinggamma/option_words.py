"""Options in words: what kind of value each takes, in which range and unit; and what is wrong with one that does not fit."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import NoneType
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from spikinggamma.errors import SpikingGammaError
from spikinggamma.options import Options

__all__ = ["OptionRow", "check_options", "option_rows", "range_words"]

AnyOptions = TypeVar("AnyOptions", bound=Options)
_RANGE_ERRORS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
}


class OptionRow(NamedTuple):
    """An option as a table shows it.

    Attributes:
        key: Its name.
        kind: What kind of value it takes, such as "a number".
        default: What it is where nothing is chosen, as a recipe writes it.
        range: Which values it takes; empty where all of its kind are.
        description: What it is, with its unit in brackets.
    """

    key: str
    kind: str
    default: str
    range: str
    description: str


def option_rows(options: type[Options]) -> tuple[OptionRow, ...]:
    """Return every option of a class with its kind, default, range and description.

    Example:
        >>> from spikinggamma.functional import SURROGATES
        >>> option_rows(SURROGATES["arctan"].options)[0].range
        'above 0, at most 1e+06'
    """
    return tuple(
        OptionRow(key, _kind_words(field), _default_words(field), range_words(field), field.description or "")
        for key, field in options.model_fields.items()
    )


def check_options(options: type[AnyOptions], values: Mapping[str, Any], *, name: str, argument: str = "") -> AnyOptions:
    """Return options with these values; lists become tuples.

    Args:
        options: The class of the options.
        values: By key; what is not given has its default.
        name: Of what the options belong to.
        argument: What an error calls the table that the values came from; empty where keys stand alone.

    Raises:
        SpikingGammaError: An unknown key, a wrong type, or a value out of range.
    """
    given = {key: _tuples(value) for key, value in values.items()}
    try:
        return options.model_validate(given)
    except ValidationError as error:
        raise _explain(error, options, given, name, argument) from None


def range_words(field: FieldInfo) -> str:
    """Return the range of a field in words, such as "at least 0" or "1 to 255", or "" where it has none."""
    bounds = _bounds(field)
    if not bounds:
        choices = [str(choice) or '""' for choice in _choices(field)]
        return _item_range(field) or (f"one of {', '.join(choices)}" if len(choices) > 2 else " or ".join(choices))
    unit = _unit(field)
    after = f" {unit}" if unit else ""
    if "ge" in bounds and "le" in bounds:
        between = f"{bounds['ge']} to {bounds['le']}{after}"
        return between if unit and int not in _kinds(field) else f"from {between}"
    if "ge" in bounds and "lt" in bounds:
        return f"from {bounds['ge']} to below {bounds['lt']}{after}"
    return ", ".join(f"{_BOUNDS[name]} {bounds[name]}" for name in _BOUNDS if name in bounds) + after


def _item_range(field: FieldInfo) -> str:
    """Return the range of each entry of a list, or "" where there is none."""
    items = get_args(field.annotation)[:1] if get_origin(field.annotation) is tuple else ()
    constraints = [one for item in items for one in getattr(item, "__metadata__", ()) if isinstance(one, FieldInfo)]
    words = [range_words(one) for one in constraints]
    return f"each {words[0]}" if words and words[0] else ""


def _explain(
    error: ValidationError, options: type[Options], given: dict[str, Any], name: str, argument: str
) -> SpikingGammaError:
    # An unknown key comes first: a misspelt key is the likeliest reason for anything else that is wrong.
    first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SpikingGammaError):  # of options within these: it names its key itself
        return cause
    of_the_table = f"{argument}." if argument else ""
    if not first["loc"]:  # of several options together
        return SpikingGammaError(argument or name, repr(given), _message(first))
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        known = list(options.model_fields)
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        expected = f"an option of {name}: {', '.join(known) or 'it has none'}"
        remedy = f"Did you mean `{near[0]}`?" if near else ""
        return SpikingGammaError(of_the_table + key, "an unknown key", expected, remedy)
    field = options.model_fields[key]
    about = f"Meaning: {field.description}." if field.description else ""
    inside = len(first["loc"]) > 1 and first["type"] in _RANGE_ERRORS
    value = given.get(key, first["input"])
    if first["type"] in _RANGE_ERRORS and float in _kinds(field) and isinstance(value, int):
        value = float(value)
    return SpikingGammaError(of_the_table + key, repr(value), _expected(field, first, inside=inside), about)


def _expected(field: FieldInfo, problem: Any, *, inside: bool) -> str:
    if inside:
        return f"each {_message(problem)}"
    if problem["type"] == "value_error":
        return _message(problem)
    limits = range_words(field)
    if problem["type"] in _RANGE_ERRORS and limits:
        whole_between = int in _kinds(field) and limits.startswith("from")
        return f"a whole number {limits}" if whole_between else limits
    if problem["type"] == "literal_error" and isinstance(problem["input"], str):
        return limits
    return _kind_words(field)


def _message(problem: Any) -> str:
    return str(problem["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    """Return the types that a field takes, None left out."""
    annotation = field.annotation
    if get_origin(annotation) in (Literal, tuple, dict) or not get_args(annotation):
        return (annotation,)
    return tuple(kind for kind in get_args(annotation) if kind is not NoneType)


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _kind_words(field: FieldInfo) -> str:
    kind = _kinds(field)[0]
    if get_origin(kind) is tuple:
        of = get_args(kind)[0]
        return "a list of words" if of is str else "a list of tables" if get_origin(of) is dict else "a list of numbers"
    if get_origin(kind) is dict:
        return "a table"
    if kind is str or _choices(field):
        return f"a word, as {field.default!r}" if field.default else "a word"
    return _KINDS.get(kind, "a value")


def _default_words(field: FieldInfo) -> str:
    if field.is_required():
        return "to be given"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return "none"
    if isinstance(default, bool):
        return "true" if default else "false"
    return str(list(default)) if isinstance(default, tuple) else str(default)


def _bounds(field: FieldInfo) -> dict[str, str]:
    """Return the bounds of a field by what pydantic calls them: ge, gt, le, lt."""
    found = {}
    for constraint in field.metadata:
        for name in _BOUNDS:
            limit = getattr(constraint, name, None)
            if limit is not None:
                found[name] = str(limit) if isinstance(limit, int) else f"{limit:g}"
    return found


def _unit(field: FieldInfo) -> str:
    """Return what stands in brackets at the end of a description's first part, as in "time constant [ms]; 0: none"."""
    before, bracket, after = (field.description or "").rpartition("[")
    return after.partition("]")[0] if before and bracket and "]" in after else ""


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list) else value
