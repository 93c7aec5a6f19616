"""The `export` command: parses and calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Part

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="Which form: c.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.", show_default=False)],
    dt_ms: Annotated[float | None, typer.Option(help="Time step \\[ms]; as trained if not given.")] = None,
    number: Annotated[
        str | None,
        typer.Option(help="What a C program computes in: float, int16 or int32.", show_default="float"),
    ] = None,
    test_vectors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write recordings as the C program's input; binary if it ends in .bin."),
    ] = None,
    split: Annotated[Part, typer.Option(help="Which recordings those are.")] = Part.test,
) -> None:
    """Write the best epoch of a run in another form.

    [bold]c[/bold]: one stand-alone C99 file that reads events from standard input and
    writes spikes, class and scores. It needs no library and no memory beyond
    its tables. Its head says what goes in and out, and how numbers are scaled.

    [bold]Examples[/bold]

      spikinggamma export runs/fsdd-0-1 --to c --out net.c
      cc -std=c99 -O2 -o net net.c
      printf '0 12\\n1500 13\\nend 20000\\n' | ./net

      spikinggamma export runs/fsdd-0-1 --to c --number int16 --out net16.c
      spikinggamma export runs/fsdd-0-1 --to c --out net.c --test-vectors test.txt
      ./net -q < test.txt

    What a form cannot say exactly is refused, with the layer and the reason.
    """
    from spikinggamma import export as room
    from spikinggamma import training

    typer.echo(str(room.export_run(run, to, out, {"dt_ms": dt_ms, "number": number})))
    if test_vectors is not None:
        typer.echo(str(room.write_events(getattr(training.load_run(run).splits(), split.value), test_vectors)))
