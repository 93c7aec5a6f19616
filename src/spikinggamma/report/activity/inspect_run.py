"""Inspection of a trained net on recordings, where checkpoint and data are on this machine."""

from __future__ import annotations

import os
from typing import NamedTuple

from spikinggamma import datasets
from spikinggamma.datasets.cache import cache_root
from spikinggamma.errors import SpikingGammaError
from spikinggamma.report.activity.recording import Sample, record
from spikinggamma.report.activity.survey import Survey, choose, survey
from spikinggamma.runs import Run

__all__ = ["Look", "look_at"]


class Look(NamedTuple):
    """The activity of a net, or the reason in `missing` why there is none and what to do about it.

    Attributes:
        part: Part of the data: test where the run has been tested, else validation.
        survey: Averages over recordings, or None.
        samples: Activity on single recordings, a correctly classified one first.
        missing: Reason why the activity is missing; empty if it is not.
    """

    part: str
    survey: Survey | None
    samples: list[Sample]
    missing: str


def look_at(run: Run) -> Look:
    """Run the net of a run's best epoch on recordings that it was not trained on. Nothing is downloaded.

    Raises:
        SpikingGammaError: The checkpoint is damaged or belongs to another net.
    """
    part = "test" if run.result is not None else "validation"
    if not run.best.is_file():
        return Look(part, None, [], f"There is no {run.best.name} yet: it is written after the first epoch.")
    name = run.recipe.data.name
    fetched = os.environ.get("SPIKINGGAMMA_DATA") or (cache_root() / name).is_dir()
    if not run.recipe.data.path and name in datasets.names() and not fetched:
        return Look(part, None, [], _missing(run, f"The recordings of {name} are not on this machine."))
    net = run.net()
    try:
        splits = run.splits()
    except SpikingGammaError as error:
        return Look(part, None, [], _missing(run, f"The recordings of {name} could not be read: {error}"))
    recordings = splits.test if part == "test" else splits.validation
    found = survey(net, run.recipe, recordings)
    samples = [record(net, run.recipe, recordings[index], index) for index in choose(found)]
    return Look(part, found, samples, "")


def _missing(run: Run, what: str) -> str:
    if run.recipe.data.path:
        return f"{what} Put them there again, or set data.path in its recipe.toml; then draw this again."
    name = run.recipe.data.name
    get = f"Get them with `spikinggamma data fetch {name}`, or point SPIKINGGAMMA_DATA at a folder that holds them"
    return f"{what} {get}; then draw this again."
