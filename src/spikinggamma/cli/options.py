"""Options that several commands share."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["Device", "Part", "Settings", "Statistics", "this_command"]

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the recipe; may be given many times."),
]


class Device(StrEnum):
    """Device on which the net runs; `auto` takes a CUDA device if there is one."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Part(StrEnum):
    """A part of the data."""

    train = "train"
    validation = "validation"
    test = "test"


class Statistics(StrEnum):
    """Recordings that decide how many spikes of a channel are kept."""

    train = "train"
    all = "all"


def this_command() -> str:
    """Return the command line as it was typed, to be recorded in rows and files."""
    return shlex.join(["spikinggamma", *sys.argv[1:]])
