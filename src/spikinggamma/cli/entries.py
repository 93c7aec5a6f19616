"""The commands that list recipes, and what recipes can name: neurons, rules, losses and so on, made from the registries."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from spikinggamma.registry import Entry, Registry

__all__ = ["COMMANDS", "add_entry_commands", "entry_text", "recipes", "table_text"]

# Each command by its name: the registry that it lists, as room and kind, what it is for, and an entry to ask about.
COMMANDS: dict[str, tuple[str, str, str, str]] = {
    "neurons": ("spikinggamma.nn", "neuron", "Neurons that net.model, or a layer of a chain, can name", "lif"),
    "layers": ("spikinggamma.nn", "layer", "Layers that a chain, the key layers of a recipe, can name", "conv2d"),
    "rules": ("spikinggamma.learning", "rule", "Learning rules that learning.rule can name", "windowed"),
    "losses": ("spikinggamma.learning", "loss", "Losses that learning.loss can name", "running"),
    "surrogates": ("spikinggamma.functional", "surrogate", "Surrogate gradients that a neuron can name", "arctan"),
    "layouts": ("spikinggamma.layouts", "layout", "Layouts of your own recordings, for data.path", "event_table"),
    "encoders": ("spikinggamma.encoders", "encoder", "Encoders of sampled signals as events", "level_crossing"),
    "perturbations": ("spikinggamma.events", "perturbation", "Perturbations of recordings, for --perturb", "jitter"),
}


def add_entry_commands(app: typer.Typer) -> None:
    """Add a command for each kind of entry."""
    for name, (_, _, purpose, example) in COMMANDS.items():
        app.command(name, help=_help(name, purpose, example))(_command(name))


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A bundled recipe, or the path of a .toml file.", show_default=False),
    ] = None,
) -> None:
    """List the bundled recipes, or print one with every key explained.

    [bold]Examples[/bold]

      spikinggamma recipes
      spikinggamma recipes fsdd
      spikinggamma recipes fsdd > mine.toml

    What is printed is a recipe: change it, and train it with
    `spikinggamma train mine.toml`.
    """
    from spikinggamma import recipes as room

    typer.echo(room.recipe_table() if name is None else room.dump_recipe(room.load_recipe(name)), nl=name is None)


def table_text(registry: Registry[Any]) -> str:
    """Return a line for each entry: its name, and what it is in one sentence."""
    entries = registry.entries()
    width = max((len(entry.name) for entry in entries), default=0)
    return "\n".join(f"{entry.name:<{width}}  {entry.summary}".rstrip() for entry in entries)


def entry_text(entry: Entry[Any]) -> str:
    """Return an entry with every option, its kind, default, range and description, and what to cite."""
    from spikinggamma.option_words import option_rows

    lines = [f"{entry.name}: {entry.summary}", f"from {entry.module}", ""]
    for row in option_rows(entry.options):
        lines += [f"  {row.key} = {row.default}", f"      {', '.join(filter(None, (row.kind, row.range)))}"]
        lines += [f"      {row.description}"] if row.description else []
    if not entry.options.model_fields:
        lines.append("  It has no options.")
    return "\n".join([*lines, *(f"\n{citation}" for citation in entry.citations)])


def _registry(name: str) -> Registry[Any]:
    from spikinggamma.registry import REGISTRIES

    room, kind, _, _ = COMMANDS[name]
    importlib.import_module(room)
    return REGISTRIES[kind]


def _command(command: str) -> Callable[[str | None], None]:
    def run(
        name: Annotated[
            str | None, typer.Argument(metavar="[NAME]", help="One of them, to see its options.", show_default=False)
        ] = None,
    ) -> None:
        registry = _registry(command)
        typer.echo(table_text(registry) if name is None else entry_text(registry.find(name)))

    return run


def _help(command: str, purpose: str, example: str) -> str:
    return f"""{purpose}: a line for each, or with NAME all its options and what to cite.

    [bold]Examples[/bold]

      spikinggamma {command}
      spikinggamma {command} {example}

    Each option is shown with its default, the kind of value, its range and
    its unit in brackets. Packages that are installed may add entries, by an
    entry point of the group spikinggamma.
    """
