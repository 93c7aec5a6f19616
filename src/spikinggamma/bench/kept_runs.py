"""Runs of a benchmark: one for each recipe, overrides and seed, each kept in its own folder and never repeated.

Besides the files of every run, such a folder holds `outcomes.jsonl`: evaluations of the best epoch on the test part,
unperturbed or perturbed, at the time step of the training or at another.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spikinggamma import tasks
from spikinggamma.data import resolved
from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes import Recipe, load_recipe
from spikinggamma.runs import load_run, read_rows

__all__ = ["OUTCOMES", "Asked", "Outcome", "PlannedRun", "check_recipe", "missing", "outcomes", "planned_run"]

OUTCOMES = "outcomes.jsonl"


class PlannedRun(NamedTuple):
    """A run that a benchmark needs; `name` is its folder, readable and unique for its recipe."""

    name: str
    source: str
    settings: tuple[str, ...]
    recipe: Recipe


class Asked(NamedTuple):
    """An evaluation of a trained net.

    Attributes:
        perturb: Text of a perturbation, empty for none.
        perturb_seed: Its seed.
        dt_ms: Time step [ms]; None for that of the training.
        mapping: How the net is carried to that step, see `rediscretisation`; empty for as it is.
    """

    perturb: str = ""
    perturb_seed: int = 0
    dt_ms: float | None = None
    mapping: str = ""


class Outcome(NamedTuple):
    """Result of a trained net on the test part.

    Attributes:
        right: Whether each decision is correct, 0 or 1.
        spikes_per_neuron_s: Mean spike rate of its neurons.
        steps: Number of steps of the longest recording; 0 where it was not recorded.
        decisions: Number of decisions of each recording; empty where each has one.
        r2: R² of values, which have no decisions.
    """

    right: tuple[int, ...]
    spikes_per_neuron_s: float
    steps: int = 0
    decisions: tuple[int, ...] = ()
    r2: float | None = None


def planned_run(
    source: str, overrides: Sequence[str], *, task: str, seed: int, small: Sequence[str] = (), quick: bool = False
) -> PlannedRun:
    """Return the run of a recipe for a seed, on one thread. Synthetic tasks are generated for every seed.

    Args:
        source: Name of the recipe, or path of its file.
        overrides: Overrides of that recipe, which are part of the folder's name.
        task: The value of `data.name`.
        seed: Seed of weights, batch order and a synthetic task.
        small: Further overrides, which are not part of the name.
        quick: Whether the name starts with "quick".

    Raises:
        SpikingGammaError: The overrides do not fit the recipe.
    """
    own_data = (f"data.seed={seed}",) if task in tasks.names() else ()
    settings = (*overrides, *small, f"training.seed={seed}", *own_data, "training.threads=1")
    recipe = resolved(load_recipe(source, settings))
    told = json.dumps(recipe.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    digest = hashlib.blake2b(told.encode(), digest_size=4).hexdigest()
    words = [*(["quick"] if quick else []), Path(source).stem, *map(_word, overrides), f"s{seed}", digest]
    return PlannedRun("-".join(words), source, settings, recipe)


def outcomes(folder: Path, recipe: Recipe) -> dict[Asked, Outcome]:
    """Return the known outcomes of a run; none if it is not finished.

    Raises:
        SpikingGammaError: The folder holds a run of another recipe, or a damaged file.
    """
    if not (folder / "result.json").exists():
        return {}
    check_recipe(folder, recipe)
    return {
        Asked(row["perturb"], row["perturb_seed"], row.get("dt_ms"), row.get("mapping", "")): Outcome(
            tuple(map(int, row["right"])),
            row["spikes_per_neuron_s"],
            row.get("steps", 0),
            tuple(row.get("decisions", ())),
            row.get("r2"),
        )
        for row in read_rows(folder / OUTCOMES)
    }


def check_recipe(folder: Path, recipe: Recipe) -> None:
    """Check that a folder holds the run of its name.

    Raises:
        SpikingGammaError: The folder holds a run of another recipe, or none.
    """
    if load_run(folder).recipe != recipe:
        remedy = "Move it away, or name other --runs."
        raise SpikingGammaError("--runs", f"{folder}, a run of another recipe", "runs of this suite", remedy)


def missing(folder: Path, recipe: Recipe, wanted: Sequence[Asked]) -> list[Asked]:
    """Return the evaluations of a run that are still to be made.

    Args:
        folder: Folder of the run.
        recipe: Its recipe.
        wanted: The required evaluations.
    """
    known = outcomes(folder, recipe)
    return [asked for asked in wanted if asked not in known]


def _word(override: str) -> str:
    """Return an override as a part of a folder's name.

    Example:
        >>> _word('data.perturb=["replacement=0.2"]'), _word("data.variant=norm")
        ('replacement_0.2', 'norm')
    """
    key, _, value = override.partition("=")
    text = re.sub(r"[^A-Za-z0-9.]+", "_", value).strip("_")
    last = key.rpartition(".")[2]
    return text if last in ("perturb", "variant") else f"{last}_{text}"
