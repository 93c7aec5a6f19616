"""The `stream` command: parses and calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Device
from spikinggamma.errors import SpikingGammaError

__all__ = ["stream"]


def stream(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.", show_default=False)],
    source: Annotated[str, typer.Option("--in", metavar="FILE", help="A file of events; -: standard input.")] = "-",
    socket: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Listen at a Unix socket that only you may open, instead.")
    ] = None,
    format: Annotated[str, typer.Option(help="text, aer, or auto: told by the first byte.")] = "auto",
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Predictions go here, not to stdout.")] = None,
    state: Annotated[Path | None, typer.Option(metavar="DIR", help="Checkpoints: the same command goes on.")] = None,
    every_s: Annotated[float, typer.Option(help="Seconds between checkpoints.")] = 5.0,
    chunk: Annotated[int, typer.Option(help="Steps run at once, and between predictions.")] = 8,
    dt_ms: Annotated[float | None, typer.Option(help="Time step \\[ms]; as trained if not given.")] = None,
    late: Annotated[
        str, typer.Option(metavar="POLICY", help="Events out of order: drop, error or reorder-within=MS.")
    ] = "error",
    longest_gap_s: Annotated[float, typer.Option(help="A time further ahead than this is bad input.")] = 3600.0,
    forget_ms: Annotated[
        float | None, typer.Option(help="Older evidence fades with this time constant: for streams without segments.")
    ] = None,
    learn: Annotated[bool, typer.Option("--learn", help="Learn from labels in the stream.")] = False,
    rule: Annotated[str | None, typer.Option(help="Learning rule; the run's own if not given.")] = None,
    loss: Annotated[str | None, typer.Option(help="Loss, e.g. running or last; the run's own if not given.")] = None,
    rate: Annotated[float | None, typer.Option(help="Step size; a tenth of the run's own if not given.")] = None,
    remember_ms: Annotated[
        float, typer.Option(help="How late a label may come, and how long its segment be.")
    ] = 10_000.0,
    device: Annotated[Device, typer.Option(help="Where the net runs.")] = Device.cpu,
) -> None:
    """Predict from a stream of events as they come, learn from labels on the way, and go on after a crash.

    [bold]Examples[/bold]

      spikinggamma stream runs/fsdd-0-1 --in events.txt
      sender | spikinggamma stream runs/fsdd-0-1 --late reorder-within=20
      spikinggamma stream runs/fsdd-0-1 --socket ears.sock --state ears --learn
      spikinggamma stream runs/fsdd-0-1 --in hour.aer --out hour.jsonl --state hour

    Text is one item a line, times in whole microseconds; aer is the same in
    twelve bytes each (docs/stream.md):

      1500 12           channel 12 spiked
      end 500000        the segment ends: decide, and begin the next
      label 500000 7    what ended then was of class 7
      tick 504000       nothing before this time is still to come
      reset 600000      forget, and begin anew at this time
      stop              the stream is over

    Predictions are JSON Lines. With --state a stream that was killed goes on
    from its last checkpoint, by the same command, to the same predictions.
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
