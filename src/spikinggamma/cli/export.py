"""The `export` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Part

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="Format of the file: c or nir.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.", show_default=False)],
    dt_ms: Annotated[float | None, typer.Option(help="Time step \\[ms]; that of the training if not given.")] = None,
    number: Annotated[
        str | None,
        typer.Option(help="c: number format of the program, float, int16 or int32.", show_default="float"),
    ] = None,
    test_vectors: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="c: also write recordings as input of the program; binary if the name ends in .bin."
        ),
    ] = None,
    split: Annotated[Part, typer.Option(help="Part of the data that these recordings come from.")] = Part.test,
    without_adaptation: Annotated[
        bool, typer.Option("--without-adaptation", help="nir: fix all thresholds first, which changes the net.")
    ] = False,
    max_spikes: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="nir: first limit the spikes of a neuron in one step, which may change the net."
        ),
    ] = None,
) -> None:
    """Export the net of a run's best epoch as a C program or a NIR graph, exactly or not at all.

    [bold]c[/bold]: one stand-alone C99 file that reads events from standard input and
    writes spikes, class and scores. It needs no library and allocates no memory
    beyond its tables. A comment at its top describes the input, the output and
    the scaling of numbers.

      spikinggamma export runs/fsdd-0-1 --to c --out net.c
      cc -std=c99 -O2 -o net net.c
      printf '0 12\\n1500 13\\nend 20000\\n' | ./net

      spikinggamma export runs/fsdd-0-1 --to c --number int16 --out net16.c
      spikinggamma export runs/fsdd-0-1 --to c --out net.c --test-vectors test.txt
      ./net -q < test.txt

    [bold]nir[/bold]: a graph of the Neuromorphic Intermediate Representation.

      spikinggamma export runs/fsdd_lif-0-1 --to nir --out lif.nir
      spikinggamma export runs/fsdd-0-1 --to nir --out fsdd.nir
        --without-adaptation --max-spikes 16

    NIR has no node for an adaptive threshold, and needs a limit on the spikes
    of a neuron in one step. A net with adaptive thresholds or without such a
    limit is refused, unless the options above change it. The file records what
    was changed and how the graph is to be run. To measure the effect of the
    change, evaluate the net that spikinggamma.export.read_nir reads from the
    file. Needs the package nir:

      pip install nir
    """
    from spikinggamma import export as room
    from spikinggamma import runs

    asked = {"dt_ms": dt_ms, "number": number, "max_spikes": max_spikes}
    asked["without_adaptation"] = without_adaptation or None
    typer.echo(str(room.export_run(run, to, out, asked)))
    if test_vectors is not None:
        typer.echo(str(room.write_events(getattr(runs.load_run(run).splits(), split.value), test_vectors)))
