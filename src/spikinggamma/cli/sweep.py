"""The `sweep` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spikinggamma.errors import SpikingGammaError

__all__ = ["sweep"]


def sweep(
    recipes: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE...", help="Names of bundled recipes or paths of .toml files.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for runs and rows.", show_default=False)],
    seeds: Annotated[
        str, typer.Option(metavar="N,...", help="Seeds of weights, batch order and generated tasks.")
    ] = "0,1,2",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one key of every recipe; may be given many times."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Number of runs at a time, with one thread each.")] = 1,
    leave_out: Annotated[
        str,
        typer.Option(
            metavar="speaker|COLUMN", help="Test on each speaker (or value of a column) of your own recordings in turn."
        ),
    ] = "",
) -> None:
    """Train recipes from several seeds; report the mean accuracy and its interval over seeds and recordings.

    [bold]Examples[/bold]

      spikinggamma sweep fsdd fsdd_lif --seeds 0,1,2 --out runs/sweep --jobs 2
      spikinggamma sweep mine.toml --set training.epochs=20 --out runs/mine
      spikinggamma sweep motion.toml --leave-out speaker --seeds 0 --out runs/motion

    The same command resumes after Ctrl-C or a crash: finished runs are kept, and
    interrupted ones continue from their last checkpoint. More seeds or other
    recipes may be added in the same folder. The folder holds a folder and a log
    for each run, and sweep.jsonl with a row for each recipe.
    """
    from spikinggamma.bench.rows import FailedRuns
    from spikinggamma.bench.sweep import sweep as rows_of
    from spikinggamma.bench.sweep import sweep_table

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise SpikingGammaError("--seeds", repr(seeds), "whole numbers and commas, such as 0,1,2") from None
    rows: list[dict[str, Any]] = []
    try:
        rows.extend(rows_of(recipes, out, seeds=numbers, settings=settings or [], jobs=jobs, leave_out=leave_out))
    except FailedRuns as failed:
        typer.echo(f"failed: {failed}", err=True)
        raise typer.Exit(1) from None
    finally:
        if rows:
            typer.echo(sweep_table(rows))
