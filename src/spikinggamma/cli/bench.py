"""The `bench` command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import this_command

__all__ = ["bench"]


def bench(
    name: Annotated[str, typer.Argument(help="Name of the measurement, e.g. gradient or memory.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="Run a smaller measurement, as a check that it works.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of all random numbers.", show_default="0")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Append the rows to this file.")] = None,
    only: Annotated[
        str | None, typer.Option(metavar="GROUP,...", help="Run only these groups or tasks, e.g. isi.")
    ] = None,
    models: Annotated[str | None, typer.Option(metavar="MODEL,...", help="Run only these models, e.g. lif.")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="N,...", help="Run with these seeds, e.g. 0,1,2.")] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Number of runs at a time, with one thread each.", show_default="2")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where runs are kept.", show_default="runs/NAME")
    ] = None,
) -> None:
    """Run a benchmark and write its results as JSON rows.

    Rows go to standard output, one per line, unless --out names a file.

    [bold]Examples[/bold]

      spikinggamma bench gradient --quick
      spikinggamma bench memory --out benchmarks/results/memory.jsonl
      spikinggamma bench timing --only isi --models lif,spikinggamma --seeds 0,1,2 --out timing.jsonl
      spikinggamma bench resolution --only fsdd --jobs 2 --out resolution.jsonl
      spikinggamma bench speed --only sparse --models snntorch

    timing and resolution train nets for hours; --seeds, --jobs and --runs apply
    to these two, --only and --models to speed as well. Finished runs are kept
    and not trained again, and a row that is in the file is not measured
    again. Groups of timing are isi, polychrony, coincidence, localisation and
    fsdd, or parts of them such as polychrony.max_interval_ms or
    fsdd.norm.jitter; tasks of resolution are localisation and fsdd; hd, for
    both, is measured only where it is named. Cases of speed are sparse, dense,
    steps and shd.
    """
    from spikinggamma.bench.rows import FailedRuns
    from spikinggamma.bench.run_bench import measure

    options = {"only": only, "models": models, "seeds": seeds, "jobs": jobs, "runs": runs}
    try:
        for row in measure(name, quick=quick, seed=seed, out=out, command=this_command(), options=options):
            if out is None:
                typer.echo(json.dumps(row))
    except FailedRuns as failed:
        typer.echo(f"failed: {failed}", err=True)
        raise typer.Exit(1) from None
