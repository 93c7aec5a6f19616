"""The `data` commands: list, fetch, check, show, convert and normalise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikinggamma.cli.options import Part, Settings, Statistics, this_command
from spikinggamma.errors import SpikingGammaError

__all__ = ["data_app"]

data_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="List data sets and tasks; fetch, check, draw, convert and normalise recordings.",
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A data set or task, e.g. fsdd, or your own folder or file.", show_default=False
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Option for loading: split, validation_fraction, seed, or one of the data set; may be given many times.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]


@data_app.command("list")
def data_list() -> None:
    """List data sets and tasks with their description, folder, size, licence and citation."""
    from spikinggamma import data

    typer.echo(data.data_table())


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="Name of a data set, e.g. fsdd.")]) -> None:
    """Download a data set, verify it, and convert it to spikes, so that training can start at once.

    [bold]Example[/bold]

      spikinggamma data fetch fsdd
    """
    from spikinggamma import data

    typer.echo(data.fetch(name))


@data_app.command("check")
def data_check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder or file of recordings.", show_default=False)],
    settings: Settings = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Write a recipe that fits these recordings.")
    ] = None,
    force: Force = False,
) -> None:
    """Say what is in recordings of your own, and what looks wrong with them.

    [bold]Examples[/bold]

      spikinggamma data check sounds/
      spikinggamma data check spikes.csv --set data.options.time_unit=ms
      spikinggamma data check motion.npz --recipe motion.toml

    Lengths, rates, gaps, copies, times whose unit cannot be right, sizes of the
    classes; and a recipe whose time step and time constants fit them.
    `spikinggamma layouts` lists what can be read.
    """
    from spikinggamma.data.check import checked, write_suggested

    found = checked(path, settings or [])
    typer.echo(found.text)
    if recipe is not None:
        written = write_suggested(found, recipe, force=force)
        typer.echo(f"recipe: {written}\nNext: spikinggamma train {written}")


@data_app.command("show")
def data_show(
    name: Name,
    index: Annotated[int | None, typer.Argument(metavar="[INDEX]", help="Index of a recording, from 0.")] = None,
    part: Annotated[Part, typer.Option(help="Part of the data.")] = Part.train,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="The picture.", show_default="NAME-PART[-INDEX].png")
    ] = None,
    settings: Setting = None,
) -> None:
    """Draw a data set, or one recording of it, and print its statistics.

    Without INDEX, the drawing shows a recording of each class (for a camera, the
    mean image of each class) and statistics of spikes, durations, channels
    and classes.

    [bold]Examples[/bold]

      spikinggamma data show fsdd
      spikinggamma data show fsdd 0 --part test --out zero.png
      spikinggamma data show fsdd --set split=speaker:theo --set ramp_ms=40
      spikinggamma data show sounds/ 3

    Recordings are loaded with the settings of the recipe of the same name, with
    all their channels.
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
    n_channels: Annotated[
        int | None, typer.Option(help="Number of places along the cochlea.", show_default="700")
    ] = None,
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
    """Convert sounds to spikes by the cochlea model, or save a data set, as HDF5 files in the layout of SHD.

    [bold]Examples[/bold]

      spikinggamma data convert hello.wav hello.h5
      spikinggamma data convert sounds/ sounds.h5 --ramp-ms 20 --pre-emphasis-hz 50
      spikinggamma data convert fsdd spikes/ --set split=speaker:theo
      spikinggamma data convert hd spikes/

    WAV and FLAC files in one folder are named {label}_... or, as in the Free
    Spoken Digit Dataset, {label}_{speaker}_{take}; in subfolders, the name of
    the folder is the class. SHD are the Spiking Heidelberg Digits.

    A data set becomes NAME_train.h5, NAME_validation.h5 and NAME_test.h5 in
    the folder OUT, loaded with the settings of the recipe of its name; options
    of the cochlea are passed to its loader. hd becomes hd_train.h5 and
    hd_test.h5, which its loader reads in place of the sounds. Converted spikes
    are kept as they are made, so an interrupted conversion goes on where it
    was. Write ./fsdd for a folder that has the name of a data set.
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
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.", show_default=False)],
    split: Annotated[
        str, typer.Option(help="How the data is split.", show_default="speaker:theo for fsdd, official for others")
    ] = "",
    group_channels: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="First sum neighbouring channels to N; 0 keeps all.", show_default="as the recipe does"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of spikes and recordings.")] = 0,
    rare: Annotated[
        float | None,
        typer.Option(help="Share of the recordings that may be removed to keep one channel.", show_default="0.01"),
    ] = None,
    most_removed: Annotated[
        float | None,
        typer.Option(help="Share of the recordings that may be removed to keep channels in all.", show_default="0.2"),
    ] = None,
    statistics: Annotated[Statistics | None, typer.Option(help="Recordings that decide.", show_default="train")] = None,
    as_authors: Annotated[
        bool,
        typer.Option(
            "--as-authors",
            help="Use the procedure of Beyond Rate Coding: bins, statistics of all recordings, 60/15/15 %.",
        ),
    ] = False,
    settings: Setting = None,
    force: Force = False,
) -> None:
    """Write variants of a data set in which spike counts carry no information: whole, part and norm.

    In norm every channel has the same number of randomly chosen spikes in every
    recording, so that only their timing separates the classes; part has the
    same recordings and channels with all their spikes; whole is the full data.

    [bold]Examples[/bold]

      spikinggamma data normalise fsdd --out fsdd-norm
      spikinggamma data normalise fsdd --out fsdd-140 --group-channels 140
      spikinggamma data normalise shd --out shd-norm --as-authors

    Writes {whole,part,norm}_{train,validation,test}.h5 in the layout of the
    Spiking Heidelberg Digits, and about.json with the channels, the counts and
    the command.
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
