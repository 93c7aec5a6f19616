"""The `recipes` command: lists the bundled recipes, or prints one with every key explained."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["recipes"]


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
