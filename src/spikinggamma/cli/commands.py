"""The command line. Commands parse their arguments and call the packages that do the work."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.bench import bench
from spikinggamma.cli.data import data_app
from spikinggamma.cli.entries import add_entry_commands, recipes
from spikinggamma.cli.exit_codes import ExitCodes
from spikinggamma.cli.export import export
from spikinggamma.cli.options import Device, Part, this_command
from spikinggamma.cli.papers import papers, reproduce
from spikinggamma.cli.plan import plan
from spikinggamma.cli.search import search
from spikinggamma.cli.stream import stream
from spikinggamma.cli.sweep import sweep
from spikinggamma.cli.train import train

__all__ = ["app", "main"]


app = typer.Typer(
    name="spikinggamma",
    cls=ExitCodes,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data_app, name="data")

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)]


def _version(wanted: bool) -> None:
    if wanted:
        from spikinggamma import __version__

        typer.echo(f"spikinggamma {__version__}")
        raise typer.Exit


@app.callback()
def _begin(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Spiking networks that learn [italic]when[/italic], not only [italic]how often[/italic].

    [bold]Start here[/bold] (no data needed, about a minute on two cores):

      spikinggamma train
      spikinggamma report runs/localisation-0-1

    [bold]Next[/bold], spoken digits:

      spikinggamma data fetch fsdd
      spikinggamma data show fsdd
      spikinggamma train fsdd

    Exit codes: 0 success, 2 bad input, 1 internal error, 130 interrupted.
    """
    # Of the processes that torchrun starts, only the first logs progress; all of them log errors.
    level = logging.INFO if os.environ.get("RANK", "0") == "0" else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr, force=True)


app.command()(train)
app.command()(plan)
app.command()(search)
app.command()(sweep)
app.command()(recipes)


@app.command()
def evaluate(
    run: RunFolder,
    split: Annotated[Part, typer.Option(help="Part of the data.")] = Part.test,
    dt_ms: Annotated[float | None, typer.Option(help="Time step \\[ms]; that of the training if not given.")] = None,
    perturb: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[=LEVEL]",
            help="Perturb the recordings first, e.g. jitter=5ms; may be given several times. "
            "`spikinggamma perturbations` lists all kinds.",
        ),
    ] = None,
    perturb_seed: Annotated[int, typer.Option(help="Seed of the perturbation.")] = 0,
    threshold_scale: Annotated[
        float,
        typer.Option(metavar="X", help="Multiply all thresholds, without retraining; above 1: fewer spikes."),
    ] = 1.0,
    energies: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="Energies of operations: float32, float16, int32, int8, or a table of your own.",
        ),
    ] = "float32",
    device: Annotated[Device, typer.Option(help="Where the net runs.")] = Device.auto,
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Append the result as a row.")] = None,
) -> None:
    """Evaluate the best epoch of a run, at any time step, on plain or perturbed recordings, and count its operations.

    [bold]Examples[/bold]

      spikinggamma evaluate runs/fsdd-0-1
      spikinggamma evaluate runs/localisation-0-1 --dt-ms 0.5
      spikinggamma evaluate runs/localisation-0-1 --perturb jitter=5ms --perturb deletion=0.2
      spikinggamma evaluate runs/fsdd-0-1 --split validation --out rows.jsonl
      spikinggamma evaluate runs/fsdd-0-1 --threshold-scale 2
      spikinggamma evaluate runs/fsdd-0-1 --energies int8

    Costs are those of the mean recording: synaptic operations driven by events,
    synaptic operations of a dense computation, and their energy by published
    figures of a 45 nm process. docs/cost.md says what is counted.
    """
    from spikinggamma import evaluation, runs

    row = evaluation.evaluate(
        run,
        part=split.value,
        dt_ms=dt_ms,
        perturb=perturb or (),
        perturb_seed=perturb_seed,
        threshold_scale=threshold_scale,
        energies=energies,
        device=device.value,
        command=this_command(),
    )
    if out is not None:
        runs.append_row(out, row)
    typer.echo(evaluation.describe(row, runs.load_run(run)))


@app.command()
def report(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="Folders of runs, or files of rows: of `bench timing`, `resolution` or `speed`, of costs, or of "
            "`reproduce`.",
        ),
    ],
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="File for the page.")] = None,
) -> None:
    """Draw runs or rows of benchmarks as one self-contained HTML page.

    [bold]Examples[/bold]

      spikinggamma report runs/fsdd-0-1 --out fsdd.html
      spikinggamma report timing.jsonl --out timing.html
    """
    from spikinggamma import report as room

    typer.echo(str(room.write_report(paths, out)))


app.command()(stream)
app.command()(bench)
app.command()(papers)
app.command()(reproduce)
app.command()(export)


@app.command()
def cite(
    what: Annotated[
        str, typer.Argument(metavar="RUN|RECIPE|DATA", help="A run's folder, a recipe's name or file, or a data set.")
    ],
) -> None:
    """Print the BibTeX entries of everything that a run or a recipe uses.

    [bold]Examples[/bold]

      spikinggamma cite fsdd >> references.bib
      spikinggamma cite runs/fsdd-0-1
    """
    from spikinggamma import data, recipes, runs

    if Path(what).is_dir():
        recipe = runs.load_run(what).recipe
    else:
        recipe = data.recipe_of(what) if what in data.data_names() else recipes.load_recipe(what)
    typer.echo(runs.citations(recipe), nl=False)


add_entry_commands(app)


def main() -> None:
    """Entry point of the `spikinggamma` command."""
    # Schedulers end a job by SIGTERM: a run that receives it says how to go on, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    app()
