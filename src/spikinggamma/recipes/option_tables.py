"""The tables of a recipe whose keys are the options of the entries that the recipe names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spikinggamma.encoders import ENCODERS
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SURROGATES
from spikinggamma.learning import LOSSES, RULES
from spikinggamma.nn import NETS, NEURONS, SequenceNet, SurrogateNet
from spikinggamma.nn.layers.make import Specification, inner_layers, layer_entry
from spikinggamma.nn.layers.recurrent import Recurrence
from spikinggamma.registry import Entry, Registry

if TYPE_CHECKING:
    from spikinggamma.recipes.schema import Recipe

__all__ = [
    "NAMED_BY",
    "OPTION_TABLES",
    "completed_tables",
    "entry_of_table",
    "net_class",
    "without_foreign_options",
]

# Options of a neuron with a table of their own.
_ELSEWHERE = ("surrogate_options",)


def _neuron(recipe: Recipe) -> Entry[Any] | None:
    model = recipe.net.model
    if model in NEURONS:
        return NEURONS[model]
    if model in NETS:
        return None
    known = sorted((*NETS, *NEURONS))
    near = difflib.get_close_matches(model, known, n=1)
    raise SpikingGammaError(
        "net.model", repr(model), f"one of {', '.join(known)}", f"Did you mean `{near[0]}`?" if near else ""
    )


def net_class(recipe: Recipe) -> type[SequenceNet]:
    """Return the class of the net in `net.model`; a kind of neuron stands for a net of such neurons.

    Raises:
        SpikingGammaError: The net or neuron is unknown; the message gives the nearest name.

    Example:
        >>> from spikinggamma.recipes import Recipe
        >>> net_class(Recipe()).__name__
        'GammaNet'
    """
    return NETS[recipe.net.model].target if _neuron(recipe) is None else SurrogateNet


def _surrogate(recipe: Recipe) -> Entry[Any] | None:
    entry = _neuron(recipe)
    if entry is None or "surrogate_options" not in entry.options.model_fields:
        return None
    chosen = recipe.neuron.get("surrogate", entry.options.model_fields["surrogate"].default)
    return SURROGATES.find(chosen, argument="neuron.surrogate")


def _encoder(recipe: Recipe) -> Entry[Any] | None:
    return ENCODERS.find(recipe.data.encoder, argument="data.encoder") if recipe.data.encoder else None


# The entry whose options each table holds, by the name of the table.
OPTION_TABLES: dict[str, Callable[[Recipe], Entry[Any] | None]] = {
    "neuron": _neuron,
    "surrogate": _surrogate,
    "rule": lambda recipe: RULES.find(recipe.learning.rule, argument="learning.rule"),
    "loss": lambda recipe: LOSSES.find(recipe.learning.loss, argument="learning.loss"),
    "encoder": _encoder,
}


# The key whose value names the entry of each table, and where that entry is registered.
NAMED_BY: dict[str, tuple[tuple[str, str], Registry[Any]]] = {
    "neuron": (("net", "model"), NEURONS),
    "surrogate": (("neuron", "surrogate"), SURROGATES),
    "rule": (("learning", "rule"), RULES),
    "loss": (("learning", "loss"), LOSSES),
    "encoder": (("data", "encoder"), ENCODERS),
}


def without_foreign_options(tables: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a recipe after a change of names, without options that only the entries named before had.

    Args:
        tables: Tables of the recipe after the change.
        before: Tables before the change.
    """
    found = dict(tables)
    for table, ((section, key), registry) in NAMED_BY.items():
        old, new = (_value(which, section, key) for which in (before, tables))
        if old == new or not isinstance(found.get(table), dict):
            continue
        known = registry[new].options.model_fields if new in registry else {}
        found[table] = {name: value for name, value in found[table].items() if name in known}
    return found


def _value(tables: Mapping[str, Any], section: str, key: str) -> Any:
    table = tables.get(section)
    return table.get(key) if isinstance(table, Mapping) else None


def entry_of_table(recipe: Recipe, table: str) -> Entry[Any] | None:
    """Return the entry whose options a table holds, or None if the entries that the recipe names have no such table."""
    return OPTION_TABLES[table](recipe)


def completed_tables(recipe: Recipe) -> dict[str, Any]:
    """Return the tables of options with every key, and the layers of a chain as they are.

    Raises:
        SpikingGammaError: A name, a key or a value is unknown or invalid, or a table belongs to no entry.
    """
    found: dict[str, Any] = {}
    for table in OPTION_TABLES:
        given: dict[str, Any] = getattr(recipe, table)
        entry = entry_of_table(recipe, table)
        if entry is None:
            if given:
                expected = "no such table, since nothing that this recipe names has options of that kind"
                raise SpikingGammaError(table, f"[{table}] with {', '.join(given)}", expected)
            found[table] = {}
            continue
        hidden = [key for key in given if key in _ELSEWHERE]
        if hidden:
            raise SpikingGammaError(f"{table}.{hidden[0]}", "an unknown key", "the table [surrogate] for these options")
        values = entry.make_options(given, argument=table)
        found[table] = {key: value for key, value in values if key not in _ELSEWHERE}
    _check_layers(recipe.layers, "layers")
    return found


def _check_layers(layers: Sequence[Specification], where: str) -> None:
    """Check the names and options of the layers of a chain; their shapes are checked when the net is built."""
    for index, specification in enumerate(layers):
        place = f"{where}[{index}]"
        given = dict(specification)
        name = given.pop("layer", None)
        if not isinstance(name, str):
            raise SpikingGammaError(place, f"a table without the key `layer` ({given})", 'layer = "name"')
        entry = layer_entry(name, argument=f"{place}.layer")
        if name in NEURONS:
            Recurrence.of(given.pop("recurrent", None), argument=f"{place}.recurrent")
        entry.make_options(given, argument=place)
        for key, row in inner_layers(specification).items():
            _check_layers(row, f"{place}.{key}")
