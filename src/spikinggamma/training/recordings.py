"""The recordings of a run: those of its recipe or given in Python, and that it goes on with the same ones."""

from __future__ import annotations

import os
from typing import Any

from spikinggamma.data.floors import digest_of_splits, measured_floors
from spikinggamma.data.given import Given, given_recordings
from spikinggamma.data.loading import check_parts, load_splits, resolved
from spikinggamma.distributed import ProcessGroup
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Splits
from spikinggamma.recipes.schema import Recipe
from spikinggamma.runs.run import Run

__all__ = ["check_same_recordings", "facts_of_recordings", "recordings_for"]


def check_same_recordings(run: Run, splits: Splits) -> None:
    """Refuse to go on with a run on other recordings than it was begun with.

    Raises:
        SpikingGammaError: They differ; both are named.
    """
    before, now = run.info.get("recordings"), digest_of_splits(splits)
    if before is not None and before != now:
        place = run.recipe.data.path or os.environ.get("SPIKINGGAMMA_DATA") or "the cache"
        got = f"recordings {now} of {place}"
        expected = f"recordings {before}, of {run.info.get('recordings_at', 'another place')}, with which it was begun"
        remedy = "Point SPIKINGGAMMA_DATA, or data.path, at those, or train anew in another folder."
        raise SpikingGammaError(str(run.path), got, expected, remedy)


def recordings_for(recipe: Recipe, splits: Any, processes: ProcessGroup) -> Given:
    """Return the recordings that were given, or else the recipe's, and the recipe with what is known of them."""
    if splits is not None:
        return processes.in_turn(lambda: given_recordings(splits, recipe))
    whole = processes.in_turn(lambda: resolved(recipe))
    return Given(whole, processes.in_turn(lambda: check_parts(load_splits(whole), whole)))


def facts_of_recordings(given: Given) -> dict[str, object]:
    """Return what `run.json` says of the recordings: which they are, and what simple observers reach on them."""
    data = given.recipe.data
    facts: dict[str, object] = {
        "recordings": digest_of_splits(given.splits),
        "recordings_at": data.path or os.environ.get("SPIKINGGAMMA_DATA") or "the cache",
    }
    if data.path and data.answer == "class":
        facts["floors"] = [bound._asdict() for bound in measured_floors(given.splits)]
    return facts
