"""The `search` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Device, Settings, this_command

__all__ = ["search"]


def search(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="Name of a bundled recipe or path of a .toml file, with the values to try in \\[search.space].",
            show_default=False,
        ),
    ],
    settings: Settings = None,
    trials: Annotated[
        int | None, typer.Option(help="Number of trials in all: search.trials.", show_default="the recipe's")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Number of processes; with more than one, each uses one thread.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the search.", show_default="runs/RECIPE-search-N")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the suggested values: search.seed.")] = None,
    device: Annotated[Device, typer.Option(help="Where the nets run.")] = Device.cpu,
) -> None:
    """Search for the values of a recipe's keys that do best on validation recordings.

    [bold]Examples[/bold]

      spikinggamma search my.toml --trials 40 --jobs 2
      spikinggamma search fsdd --trials 20 --set search.epochs=10
        --set "search.space.learning.learning_rate={low=1e-3, high=3e-2, log=true}"
        --set "search.space.training.batch_size={choices=\\[16, 32, 64]}"
      spikinggamma search runs/fsdd-search-1/search.toml --out runs/fsdd-search-1

    The last example continues a search after Ctrl-C or a crash. The first trial
    uses the recipe as it is; poor trials are stopped after a third of their
    epochs. The test split is not used. The folder holds best.toml (the recipe
    with the best values), trials.jsonl (a row for each trial) and the runs of
    the trials. Needs Optuna:

      pip install optuna
    """
    from spikinggamma import data, search

    seeds = [] if seed is None else [f"search.seed={seed}"]
    chosen = data.recipe_for(recipe, [*(settings or []), *seeds])
    found = search.search(chosen, out, trials=trials, jobs=jobs, device=device.value, command=this_command())
    typer.echo(search.search_summary(found))
