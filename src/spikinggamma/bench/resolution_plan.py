"""What the resolution bench measures: sweeps over the time step.

| mode | nets | each is run at | set against |
| --- | --- | --- | --- |
| `trained` | one for each step | the step that it was trained at | the best of them; spikes at the recipe's own step |
| `carried` | one | every other step, as it is | its best step; spikes at the step that it was trained at |

A SpikingGamma net allows steps up to its shortest bucket; the neurons of other nets decay exponentially, at any step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from spikinggamma.bench.kept_runs import PlannedRun, planned_run
from spikinggamma.bench.resolution_table import MODELS, QUICK, QUICK_STEPS_MS, RECIPES, SMALL, STEPS_MS
from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes import Recipe, load_recipe

__all__ = ["Case", "Sweep", "cases", "planned", "select", "sweeps"]


class Case(NamedTuple):
    """A model on a task, and the recipe that trains it."""

    task: str
    model: str
    recipe: str
    overrides: tuple[str, ...]


class Sweep(NamedTuple):
    """Rows that are set against one another.

    Attributes:
        case: Model and task.
        mode: What differs between rows: the step of training and of the test, or that of the test alone.
        recipe_dt_ms: The step nearest to the recipe's own.
        home_dt_ms: The step of the row that spikes are set against: `recipe_dt_ms`, or where the carried net was trained.
        steps_ms: Of all rows; a carried net at home is a row of mode `trained`, and not told twice.
    """

    case: Case
    mode: Literal["trained", "carried"]
    recipe_dt_ms: float
    home_dt_ms: float
    steps_ms: tuple[float, ...]

    @property
    def pairs_ms(self) -> list[tuple[float, float]]:
        """Step of training and of the test, of everything that is compared."""
        return [(step if self.mode == "trained" else self.home_dt_ms, step) for step in self.steps_ms]

    @property
    def told_ms(self) -> list[tuple[float, float]]:
        """Those that get a row."""
        return [pair for pair in self.pairs_ms if self.mode == "trained" or pair[0] != pair[1]]


def cases(*, quick: bool) -> list[Case]:
    """Every model on every task; `quick` takes few."""
    return [
        Case(task, model, recipe, tuple(overrides))
        for (task, model), (recipe, *overrides) in RECIPES.items()
        if not quick or (task, model) in QUICK
    ]


def select(chosen: Sequence[Case], only: Sequence[str], models: Sequence[str]) -> list[Case]:
    """Cases of these tasks and models; nothing for all.

    Raises:
        SpikingGammaError: A name that is no task, or no model; a model that none of these tasks has.
    """
    tasks = list(dict.fromkeys(case.task for case in chosen))
    for name in only:
        if name not in tasks:
            raise SpikingGammaError("--only", repr(name), f"tasks among {', '.join(tasks)}")
    known = [model for model in MODELS if any(case.model == model for case in chosen)]
    for name in models:
        if name not in known:
            raise SpikingGammaError("--models", repr(name), f"models among {', '.join(known)}")
    return [case for case in chosen if (not only or case.task in only) and (not models or case.model in models)]


def sweeps(case: Case, *, quick: bool) -> list[Sweep]:
    """Carried from each step that the case allows, then trained at each.

    Example:
        >>> [(sweep.mode, sweep.told_ms) for sweep in sweeps(Case("localisation", "mine", "localisation", ()), quick=True)]
        [('carried', [(2.0, 4.0)]), ('carried', [(4.0, 2.0)]), ('trained', [(2.0, 2.0), (4.0, 4.0)])]
    """
    recipe = load_recipe(case.recipe, case.overrides)
    longest = _longest_ms(recipe)
    steps = tuple(step for step in (QUICK_STEPS_MS if quick else STEPS_MS) if step <= longest)
    if not steps:
        raise SpikingGammaError("net.tau_ms", f"{longest} ms in {case.recipe}", "buckets as long as one of the steps")
    own = min(steps, key=lambda step: abs(math.log(step / recipe.data.dt_ms)))
    carried = [Sweep(case, "carried", own, home, steps) for home in steps if len(steps) > 1]
    return [*carried, Sweep(case, "trained", own, own, steps)]


def planned(case: Case, dt_ms: float, seed: int, *, quick: bool) -> PlannedRun:
    """The run of a case that is trained at a step."""
    overrides = (*case.overrides, f"data.dt_ms={dt_ms}")
    small = SMALL if quick else ()
    return planned_run(case.recipe, overrides, task=case.task, seed=seed, small=small, quick=quick)


def _longest_ms(recipe: Recipe) -> float:
    return min(recipe.net.tau_ms) if recipe.net.model == "spikinggamma" else math.inf
