"""The `plan` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Device, Settings, this_command

__all__ = ["plan"]


def plan(
    recipe: Annotated[
        str,
        typer.Argument(metavar="RECIPE", help="Name of a bundled recipe or path of a .toml file.", show_default=False),
    ],
    settings: Settings = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="MEMORY", help="Memory that the run may take, e.g. 2GB; says which batch or chunk fits."),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where the net runs.")] = Device.auto,
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Append the plan as a row.")] = None,
) -> None:
    """Foresee the memory and time of a run on this machine, before it runs.

    [bold]Examples[/bold]

      spikinggamma plan fsdd
      spikinggamma plan fsdd_chain --budget 600MB
      spikinggamma plan my.toml --set training.batch_size=64 --set learning.rule=traced

    It loads the data and takes a few real training steps, on batches of several
    sizes, in a process of its own; nothing is kept. So it works for every rule and
    net. Memory is the peak of the run. With --budget it also measures smaller or
    larger batches, and chunks where the recipe does not fit.
    """
    from spikinggamma import planning, recipes, runs
    from spikinggamma.versions import versions

    budget_mib = None if budget is None else planning.parse_memory(budget)
    found = planning.plan(recipes.load_recipe(recipe, settings or []), budget_mib=budget_mib, device=device.value)
    if out is not None:
        row = {"bench": "plan", "command": this_command(), "device": device.value, "versions": versions()}
        runs.append_row(out, row | planning.plan_row(found))
    typer.echo(planning.describe_plan(found))
