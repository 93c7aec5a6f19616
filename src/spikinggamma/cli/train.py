"""The `train` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Device, Settings, this_command
from spikinggamma.errors import SpikingGammaError

__all__ = ["train"]


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="A bundled recipe (localisation, fsdd), a .toml file, or a folder or file of your own recordings.",
            show_default="localisation",
        ),
    ] = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the run.", show_default="runs/RECIPE-SEED-N")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, batch order and dropout: training.seed.")] = None,
    device: Annotated[Device, typer.Option(help="Where the net runs.")] = Device.auto,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Resume an interrupted run, with the same results.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write files for TensorBoard too.")] = False,
) -> None:
    """Train a net from a recipe, and test its best epoch once.

    [bold]Examples[/bold]

      spikinggamma train                            sound localisation
      spikinggamma train fsdd --seed 1              spoken digits
      spikinggamma train my.toml --out runs/mine    your own recipe
      spikinggamma train sounds/                    your own recordings
      spikinggamma train --resume runs/fsdd-1-1     after Ctrl-C or a crash
      spikinggamma train fsdd --set data.split=speaker:george
      spikinggamma train --set learning.rule=traced --set "net.hidden=[96]"
      torchrun --nproc-per-node 2 -m spikinggamma train fsdd

    The last example trains one net in two processes, with the same results;
    --resume works with any number of processes. The folder of a run holds
    recipe.toml, in which every key is explained: copy it to start a recipe of
    your own. Checkpoints are written every epoch. The best epoch is chosen on
    validation data, and the test split is used once.
    """
    from spikinggamma import data, distributed, evaluation, training

    try:
        if resume is not None:
            if recipe is not None or settings or out is not None or seed is not None:
                expected = (
                    "nothing beside it but --device and --tensorboard: the run keeps its own recipe, seed and folder"
                )
                raise SpikingGammaError("--resume", "a recipe, --set, --seed or --out as well", expected)
            run = training.resume(resume, device=device.value, tensorboard=tensorboard)
        else:
            seeds = [] if seed is None else [f"training.seed={seed}"]
            chosen = data.recipe_for(recipe or "localisation", [*(settings or []), *seeds])
            run = training.train(chosen, out, device=device.value, command=this_command(), tensorboard=tensorboard)
    except distributed.LostProcess as lost:
        typer.echo(f"error: {lost}", err=True)
        raise typer.Exit(1) from None
    if distributed.is_first():
        typer.echo(evaluation.summary(run))
