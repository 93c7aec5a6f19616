"""The `data` commands: list, fetch, show, convert, normalise. They parse and call; the rooms do the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Part, Statistics, this_command
from spikinggamma.errors import SpikingGammaError

__all__ = ["data_app"]

data_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="See which data sets and tasks there are; fetch, draw, convert and normalise recordings.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A data set or task, e.g. fsdd.", show_default=False)]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="How it is loaded: split, validation_fraction, seed, or an option of its own; may be given many times.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]


@data_app.command("list")
def data_list() -> None:
    """Data sets and tasks: what they are, where they lie and how big, under which licence, how to cite them."""
    from spikinggamma import data

    typer.echo(data.data_table())


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="Name of a data set, e.g. fsdd.")]) -> None:
    """Download a data set, check it, and convert it to spikes, so that training begins at once.

    [bold]Example[/bold]

      spikinggamma data fetch fsdd
    """
    from spikinggamma import data

    typer.echo(data.fetch(name))


@data_app.command("show")
def data_show(
    name: Name,
    index: Annotated[int | None, typer.Argument(metavar="[INDEX]", help="A recording's place, from 0.")] = None,
    part: Annotated[Part, typer.Option(help="Which part of the data.")] = Part.train,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="The picture.", show_default="NAME-PART[-INDEX].png")
    ] = None,
    settings: Setting = None,
) -> None:
    """Draw a data set, or one recording of it, and say what is in it.

    Without INDEX: a recording of each class (of a camera, what each class
    looks like), and spikes, durations, channels and classes in numbers.

    [bold]Examples[/bold]

      spikinggamma data show fsdd
      spikinggamma data show fsdd 0 --part test --out zero.png
      spikinggamma data show fsdd --set split=speaker:theo --set ramp_ms=40

    Recordings are loaded as the recipe of the same name loads them, with all
    their channels.
    """
    from spikinggamma import report

    path, info = report.show(name, index, part=part.value, out=out, settings=settings or [])
    typer.echo(f"{path}\n{info}")


@data_app.command("convert")
def data_convert(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="A sound file, a folder of sounds, or a data set.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="An HDF5 file; a folder for a data set.", show_default=False)
    ],
    n_channels: Annotated[int | None, typer.Option(help="Places along the cochlea.", show_default="700")] = None,
    c0: Annotated[float | None, typer.Option(help="Stiffness of the cochlea's base.", show_default="1e9")] = None,
    ramp_ms: Annotated[
        float | None, typer.Option(help="Rise and fall over each sound \\[ms].", show_default="they meet in the middle")
    ] = None,
    pre_emphasis_hz: Annotated[
        float | None, typer.Option(help="Corner of a high-pass in front [Hz].", show_default="none")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the random release of spikes.", show_default="0")] = None,
    settings: Setting = None,
    force: Force = False,
) -> None:
    """Sounds through the cochlea, or a data set, as HDF5 in the layout of the Spiking Heidelberg Digits.

    [bold]Examples[/bold]

      spikinggamma data convert hello.wav hello.h5
      spikinggamma data convert sounds/ sounds.h5 --ramp-ms 20 --pre-emphasis-hz 50
      spikinggamma data convert fsdd spikes/ --set split=speaker:theo

    WAV and FLAC files in one folder are named {label}_... or, as those of the
    Free Spoken Digit Dataset, {label}_{speaker}_{take}; in folders of their
    own, the folder's name is the class.

    A data set becomes NAME_train.h5, NAME_validation.h5 and NAME_test.h5 in
    the folder OUT, loaded as the recipe of its name loads it; options of the
    cochlea go to its loader. A folder named as a data set is written ./fsdd.
    """
    from spikinggamma import data
    from spikinggamma.data.conversion import convert_data, convert_sounds

    given = {"n_channels": n_channels, "c0": c0, "ramp_ms": ramp_ms, "pre_emphasis_hz": pre_emphasis_hz}
    options = {key: value for key, value in given.items() if value is not None}
    if source in data.data_names():
        release = {} if seed is None else {"cochlea_seed": seed}
        texts = [f"{key}={value}" for key, value in (options | release).items()]
        typer.echo(convert_data(source, out, [*texts, *(settings or [])], force=force))
        return
    if settings:
        raise SpikingGammaError(
            "--set", settings[0], "a data set to convert", "For sounds there are options, see --help."
        )
    from spikinggamma.cochlea import Cochlea

    cochlea = Cochlea(**options)  # type: ignore[arg-type]
    typer.echo(convert_sounds(source, out, cochlea, seed=seed or 0, force=force))


@data_app.command("normalise")
def data_normalise(
    name: Name,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the files.", show_default=False)],
    split: Annotated[
        str, typer.Option(help="How the data is divided.", show_default="speaker:theo for fsdd, official for others")
    ] = "",
    group_channels: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Sum neighbours to N channels before; 0: none.", show_default="as the recipe does"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of spikes and recordings.")] = 0,
    rare: Annotated[
        float | None, typer.Option(help="Share of the recordings that a channel may cost.", show_default="0.01")
    ] = None,
    most_removed: Annotated[
        float | None, typer.Option(help="Share that all channels together may cost.", show_default="0.2")
    ] = None,
    statistics: Annotated[Statistics | None, typer.Option(help="Recordings that decide.", show_default="train")] = None,
    as_authors: Annotated[
        bool, typer.Option("--as-authors", help="As in Beyond Rate Coding: bins, all recordings decide, 60/15/15 %.")
    ] = False,
    settings: Setting = None,
    force: Force = False,
) -> None:
    """Make recordings whose spike counts say nothing: whole, part and norm.

    In norm every channel has the same number of spikes in every recording,
    chosen at random, so only their timing tells classes apart; part has the
    same recordings and channels with all their spikes, whole is everything.

    [bold]Examples[/bold]

      spikinggamma data normalise fsdd --out fsdd-norm
      spikinggamma data normalise fsdd --out fsdd-140 --group-channels 140
      spikinggamma data normalise shd --out shd-norm --as-authors

    Writes {whole,part,norm}_{train,validation,test}.h5 in the layout of the
    Spiking Heidelberg Digits, and about.json with channels, counts and
    command.
    """
    from spikinggamma.data.normalisation import NormaliseOptions, normalise

    making = NormaliseOptions(
        settings=tuple(settings or ()),
        split=split,
        group_channels=group_channels,
        seed=seed,
        rare=rare,
        most_removed=most_removed,
        statistics=None if statistics is None else statistics.value,
        as_authors=as_authors,
    )
    typer.echo(normalise(name, out, making, force=force, command=this_command()))
