"""The `stream` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Device
from spikinggamma.errors import SpikingGammaError

__all__ = ["stream"]


def stream(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    source: Annotated[str, typer.Option("--in", metavar="FILE", help="File of events; - is standard input.")] = "-",
    socket: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Read from a Unix socket instead, which only you may open.")
    ] = None,
    format: Annotated[str, typer.Option(help="text, aer, or auto: detected from the first byte.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="File for predictions, instead of standard output.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for checkpoints, from which the same command resumes.")
    ] = None,
    every_s: Annotated[float, typer.Option(help="Seconds between checkpoints.")] = 5.0,
    chunk: Annotated[int, typer.Option(help="Number of steps that run at once; a prediction follows each chunk.")] = 8,
    dt_ms: Annotated[float | None, typer.Option(help="Time step \\[ms]; that of the training if not given.")] = None,
    late: Annotated[
        str, typer.Option(metavar="POLICY", help="What to do with late events: drop, error or reorder-within=MS.")
    ] = "error",
    longest_gap_s: Annotated[
        float, typer.Option(help="Longest allowed gap between two times; a longer one is bad input.")
    ] = 3600.0,
    forget_ms: Annotated[
        float | None,
        typer.Option(help="Time constant \\[ms] with which older evidence fades, for streams without segments."),
    ] = None,
    learn: Annotated[bool, typer.Option("--learn", help="Learn from labels in the stream.")] = False,
    rule: Annotated[str | None, typer.Option(help="Learning rule; the run's own if not given.")] = None,
    loss: Annotated[str | None, typer.Option(help="Loss, e.g. running or last; the run's own if not given.")] = None,
    rate: Annotated[float | None, typer.Option(help="Step size; a tenth of the run's own if not given.")] = None,
    remember_ms: Annotated[
        float, typer.Option(help="How long \\[ms] a segment is kept for a label that comes late.")
    ] = 10_000.0,
    device: Annotated[Device, typer.Option(help="Where the net runs.")] = Device.cpu,
) -> None:
    """Predict from a stream of events as they arrive; optionally learn from labels and resume after a crash.

    [bold]Examples[/bold]

      spikinggamma stream runs/fsdd-0-1 --in events.txt
      sender | spikinggamma stream runs/fsdd-0-1 --late reorder-within=20
      spikinggamma stream runs/fsdd-0-1 --socket ears.sock --state ears --learn
      spikinggamma stream runs/fsdd-0-1 --in hour.aer --out hour.jsonl --state hour

    The text format has one record per line, with times in whole microseconds;
    aer has the same records in twelve bytes each (docs/stream.md):

      1500 12           channel 12 spiked
      end 500000        the segment ends: decide, and start the next one
      label 500000 7    the segment that ended then was of class 7
      tick 504000       no event before this time will follow
      reset 600000      forget the segment, and start a new one
      stop              the stream ends

    Predictions are JSON Lines. With --state, the same command resumes a killed
    stream from its last checkpoint, with the same predictions.
    """
    from spikinggamma import stream as room
    from spikinggamma.runs import load_run

    if not learn and any(given is not None for given in (rule, loss, rate)):
        raise SpikingGammaError("--learn", "--rule, --loss or --rate without it", "--learn beside them")
    settings = room.Settings(
        format=format,
        dt_ms=dt_ms,
        chunk=chunk,
        late=room.parse_late(late),
        longest_gap_s=longest_gap_s,
        forget_ms=forget_ms,
        remember_ms=remember_ms,
        lessons=room.LearningOptions(rule, loss, rate) if learn else None,
        state=state,
        every_s=every_s,
        device=device.value,
    )
    loaded = load_run(run)
    settings.check()
    where: room.Source
    if socket is not None:
        where = room.SocketSource(socket)
    else:
        where = room.PipeSource() if source == "-" else room.FileSource(Path(source))
    room.stream(loaded, where, room.Output(out), settings)
