"""The `export` command: parses and calls."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


class Target(StrEnum):
    """What a net is written as."""

    nir = "nir"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    to: Annotated[Target, typer.Option("--to", help="What to write.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="PATH", help="Where it goes.", show_default=False)],
    dt_ms: Annotated[float | None, typer.Option(help="Time step \\[ms]; as trained if not given.")] = None,
    without_adaptation: Annotated[
        bool, typer.Option("--without-adaptation", help="Let thresholds stand still first, which is another net.")
    ] = False,
    max_spikes: Annotated[
        int | None, typer.Option(metavar="N", help="Limit the spikes of a neuron in a step first.")
    ] = None,
) -> None:
    """Write the net of a run's best epoch for other programs, exactly or not at all.

    [bold]Examples[/bold]

      spikinggamma export runs/fsdd_lif-0-1 --to nir --out lif.nir
      spikinggamma export runs/fsdd-0-1 --to nir --out fsdd.nir
        --without-adaptation --max-spikes 4

    NIR has no node for a threshold that adapts, and needs a limit on the
    spikes of a step: a net that has the one and not the other is refused,
    unless you ask for it to be changed. The file says what was changed, and
    how it is to be run. To see what the change costs, evaluate the net that
    spikinggamma.export.read_nir reads from it. Needs the package nir:

      pip install "spikinggamma\\[nir]"
    """
    from spikinggamma.export import write_nir

    written = write_nir(run, out, dt_ms=dt_ms, without_adaptation=without_adaptation, max_spikes=max_spikes)
    typer.echo(str(written))
