"""The `papers` and `reproduce` commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.errors import SpikingGammaError

__all__ = ["papers", "reproduce"]

_ROWS = Path("papers.jsonl")


def papers(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One of them, to see its claims.", show_default=False)
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Rows of `reproduce`, for the verdicts.", show_default="papers.jsonl, if there"
        ),
    ] = None,
) -> None:
    """List published systems with their claims and our verdicts, or with NAME every claim of one.

    [bold]Examples[/bold]

      spikinggamma papers
      spikinggamma papers beyond_rate_coding

    A claim is reproduced, not reproduced, or not measurable here. Packages that
    are installed may add papers, by an entry point of the group spikinggamma.
    """
    from spikinggamma.papers.reproduction.listing import claims_text, known_claims, papers_text

    known = known_claims(rows, _ROWS)
    typer.echo(papers_text(known) if name is None else claims_text(name, known))


def reproduce(
    name: Annotated[str, typer.Argument(help="A paper, as `spikinggamma papers` lists them.", show_default=False)],
    quick: Annotated[
        bool, typer.Option("--quick", help="Run small versions, as a check that they work; most decide nothing.")
    ] = False,
    seeds: Annotated[
        str, typer.Option(metavar="N,...", help="Seeds of weights, batch order and generated tasks.")
    ] = "0,1,2",
    jobs: Annotated[int, typer.Option(help="Number of processes at a time, with one thread each.")] = 1,
    only: Annotated[
        str | None, typer.Option(metavar="CLAIM,...", help="Decide only these claims.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE.jsonl", help="File for the rows, one for each claim.")] = _ROWS,
    runs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where nets and rows are kept.", show_default="runs/papers")
    ] = None,
    rows: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="Rows of benches; decide from these alone and run nothing. May be given many times.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the experiments of a published system, and decide which of its claims hold.

    [bold]Examples[/bold]

      spikinggamma reproduce rel_psp --quick
      spikinggamma reproduce beyond_rate_coding --jobs 2 --seeds 0,1,2
      spikinggamma reproduce beyond_rate_coding --only isi,isi_delays --seeds 0
      spikinggamma reproduce beyond_rate_coding --rows timing.jsonl
      spikinggamma report papers.jsonl

    The same command resumes after Ctrl-C or a crash: finished runs and rows are
    kept, and a claim that is decided in the file is not run again. Full
    experiments take hours, --quick minutes.
    """
    from spikinggamma.bench.rows import FailedRuns
    from spikinggamma.papers.reproduction.run import RUNS
    from spikinggamma.papers.reproduction.run import reproduce as rows_of

    try:
        numbers = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        raise SpikingGammaError("--seeds", repr(seeds), "whole numbers and commas, such as 0,1,2") from None
    chosen = [part.strip() for part in (only or "").split(",") if part.strip()]
    try:
        for row in rows_of(
            name, quick=quick, seeds=numbers, jobs=jobs, out=out, runs=runs or RUNS, only=chosen, rows=rows or []
        ):
            typer.echo(f"{row['claim']}: {row['verdict']}. {row['why']}")
    except FailedRuns as failed:
        typer.echo(f"failed: {failed}", err=True)
        raise typer.Exit(1) from None
    typer.echo(str(out))
