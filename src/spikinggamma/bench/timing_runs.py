"""Runs of the timing suite: one for each recipe, overrides and seed, in a folder of its own, kept and never repeated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spikinggamma import tasks
from spikinggamma.bench.timing_plan import Cell
from spikinggamma.bench.timing_table import SMALL
from spikinggamma.errors import SpikingGammaError
from spikinggamma.training import Recipe, load_recipe, load_run, read_rows

__all__ = [
    "OUTCOMES",
    "PERTURB_SEEDS",
    "Asked",
    "Outcome",
    "PlannedRun",
    "asked_of",
    "check_recipe",
    "missing",
    "outcomes",
    "planned",
]

OUTCOMES = "outcomes.jsonl"
PERTURB_SEEDS = (0, 1, 2)
Asked = tuple[str, int]  # a perturbation's text, empty for none, and its seed


class PlannedRun(NamedTuple):
    """A run that is to be there: `name` is its folder, readable, and unlike that of any other recipe."""

    name: str
    source: str
    settings: tuple[str, ...]
    recipe: Recipe


class Outcome(NamedTuple):
    """What a trained net did on the test part: how right each recording was, 0 or 1, and how much its neurons spoke."""

    right: tuple[int, ...]
    spikes_per_neuron_s: float


def planned(cell: Cell, seed: int, *, quick: bool) -> PlannedRun:
    """The run that a cell needs for a seed. Tasks that are made on the spot are made anew for every seed.

    Raises:
        SpikingGammaError: Overrides that do not fit the recipe.
    """
    small = SMALL[cell.task] if quick else ()
    own_data = (f"data.seed={seed}",) if cell.task in tasks.names() else ()
    settings = (*cell.overrides, *small, f"training.seed={seed}", *own_data, "training.threads=1")
    recipe = load_recipe(cell.recipe, settings)
    told = json.dumps(recipe.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    digest = hashlib.blake2b(told.encode(), digest_size=4).hexdigest()
    words = [*(["quick"] if quick else []), cell.recipe, *map(_word, cell.overrides), f"s{seed}", digest]
    return PlannedRun("-".join(words), cell.recipe, settings, recipe)


def asked_of(cell: Cell) -> list[Asked]:
    """The evaluations that a cell needs of its run; random perturbations are drawn several times."""
    if not cell.perturb:
        return [("", 0)]
    return [(cell.perturb, seed) for seed in (PERTURB_SEEDS if "=" in cell.perturb else PERTURB_SEEDS[:1])]


def outcomes(folder: Path, recipe: Recipe) -> dict[Asked, Outcome]:
    """What is known of a run; nothing if it is not finished.

    Raises:
        SpikingGammaError: The folder holds a run of another recipe, or a damaged file.
    """
    if not (folder / "result.json").exists():
        return {}
    check_recipe(folder, recipe)
    return {
        (row["perturb"], row["perturb_seed"]): Outcome(tuple(map(int, row["right"])), row["spikes_per_neuron_s"])
        for row in read_rows(folder / OUTCOMES)
    }


def check_recipe(folder: Path, recipe: Recipe) -> None:
    """See that a folder holds the run that its name says.

    Raises:
        SpikingGammaError: It holds a run of another recipe, or none.
    """
    if load_run(folder).recipe != recipe:
        remedy = "Move it away, or name other --runs."
        raise SpikingGammaError("--runs", f"{folder}, a run of another recipe", "runs of this suite", remedy)


def missing(folder: Path, recipe: Recipe, wanted: Sequence[Asked]) -> list[Asked]:
    """Evaluations that are yet to be made."""
    known = outcomes(folder, recipe)
    return [asked for asked in wanted if asked not in known]


def _word(override: str) -> str:
    """An override as a part of a folder's name.

    Example:
        >>> _word('data.perturb=["replacement=0.2"]'), _word("data.variant=norm")
        ('replacement_0.2', 'norm')
    """
    key, _, value = override.partition("=")
    text = re.sub(r"[^A-Za-z0-9.]+", "_", value).strip("_")
    last = key.rpartition(".")[2]
    return text if last in ("perturb", "variant") else f"{last}_{text}"
