"""The plan of the resolution benchmark: sweeps over the time step.

| mode | nets | each is run at | compared with |
| --- | --- | --- | --- |
| `trained` | one for each step | the step of its training | the best of them; spikes at the recipe's own step |
| `carried` | one | every other step, unchanged | its best step; spikes at the step of its training |
| `carried`, with a mapping | the one trained at the recipe's step | the same, by `rediscretisation` | the same |

A SpikingGamma net allows steps up to its shortest bucket; the neurons of other nets decay exponentially, at any step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from spikinggamma.bench.kept_runs import Asked, PlannedRun, planned_run
from spikinggamma.bench.rediscretisation import MAPPINGS
from spikinggamma.bench.resolution_table import (
    MAPPED,
    MODELS,
    ON_DEMAND,
    QUICK,
    QUICK_STEPS_MS,
    RECIPES,
    SMALL,
    steps_ms,
)
from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes import load_recipe, longest_step_ms

__all__ = ["Case", "Sweep", "cases", "planned", "select", "sweeps"]


class Case(NamedTuple):
    """A model on a task, with the recipe for its training."""

    task: str
    model: str
    recipe: str
    overrides: tuple[str, ...]


class Sweep(NamedTuple):
    """A group of rows that are compared with one another.

    Attributes:
        case: Model and task.
        mode: `trained` varies the step of training and test together, `carried` that of the test alone.
        recipe_dt_ms: The step nearest to the recipe's own.
        home_dt_ms: The step whose spikes are the reference: `recipe_dt_ms`, or the training step of a carried net.
        steps_ms: Steps of all rows; a carried net at its training step has its row in mode `trained` only.
        mapping: How a carried net of LIF neurons does steps of another length; empty: as it is.
    """

    case: Case
    mode: Literal["trained", "carried"]
    recipe_dt_ms: float
    home_dt_ms: float
    steps_ms: tuple[float, ...]
    mapping: str = ""

    def asked(self, trained_ms: float, run_ms: float) -> Asked:
        """Return the evaluation of a net; at the step of its training no mapping changes anything."""
        return Asked(dt_ms=run_ms, mapping="" if run_ms == trained_ms else self.mapping)

    @property
    def pairs_ms(self) -> list[tuple[float, float]]:
        """Return the steps of training and of the test of all compared measurements."""
        return [(step if self.mode == "trained" else self.home_dt_ms, step) for step in self.steps_ms]

    @property
    def told_ms(self) -> list[tuple[float, float]]:
        """Return the pairs of steps that have a row in this sweep."""
        return [pair for pair in self.pairs_ms if self.mode == "trained" or pair[0] != pair[1]]


def cases(*, quick: bool) -> list[Case]:
    """Return every model on every task; `quick` takes a few."""
    return [
        Case(task, model, recipe, tuple(overrides))
        for (task, model), (recipe, *overrides) in RECIPES.items()
        if not quick or (task, model) in QUICK
    ]


def select(chosen: Sequence[Case], only: Sequence[str], models: Sequence[str]) -> list[Case]:
    """Return the cases of these tasks and models; an empty list stands for all, but of tasks only for small ones.

    Args:
        chosen: The cases to select from.
        only: Names of tasks.
        models: Names of models.

    Raises:
        SpikingGammaError: A task or model is unknown, or none of these tasks has the model.
    """
    tasks = list(dict.fromkeys(case.task for case in chosen))
    for name in only:
        if name not in tasks:
            raise SpikingGammaError("--only", repr(name), f"tasks among {', '.join(tasks)}")
    known = [model for model in MODELS if any(case.model == model for case in chosen)]
    for name in models:
        if name not in known:
            raise SpikingGammaError("--models", repr(name), f"models among {', '.join(known)}")
    return [
        case
        for case in chosen
        if (case.task in only if only else case.task not in ON_DEMAND) and (not models or case.model in models)
    ]


def sweeps(case: Case, *, quick: bool) -> list[Sweep]:
    """Return the sweeps of a case: carried from each allowed step, then trained at each.

    Example:
        >>> [(sweep.mode, sweep.told_ms) for sweep in sweeps(Case("localisation", "mine", "localisation", ()), quick=True)]
        [('carried', [(2.0, 4.0)]), ('carried', [(4.0, 2.0)]), ('trained', [(2.0, 2.0), (4.0, 4.0)])]
    """
    recipe = load_recipe(case.recipe, case.overrides)
    longest = longest_step_ms(recipe)
    steps = tuple(step for step in (QUICK_STEPS_MS if quick else steps_ms(case.task)) if step <= longest)
    if not steps:
        raise SpikingGammaError(
            "net.tau_ms", f"{longest} ms in {case.recipe}", "time constants of at least one of the steps"
        )
    own = min(steps, key=lambda step: abs(math.log(step / recipe.data.dt_ms)))
    carried = [Sweep(case, "carried", own, home, steps) for home in steps if len(steps) > 1]
    if case.task in MAPPED and recipe.net.model == "lif" and len(steps) > 1:
        carried += [Sweep(case, "carried", own, own, steps, mapping) for mapping in MAPPINGS]
    return [*carried, Sweep(case, "trained", own, own, steps)]


def planned(case: Case, dt_ms: float, seed: int, *, quick: bool) -> PlannedRun:
    """Return the run of a case that is trained at a time step.

    Args:
        case: The case.
        dt_ms: Time step of the training in ms.
        seed: Seed of the run.
        quick: Whether it is a quick check.
    """
    overrides = (*case.overrides, f"data.dt_ms={dt_ms}")
    small = SMALL[case.task] if quick else ()
    return planned_run(case.recipe, overrides, task=case.task, seed=seed, small=small, quick=quick)
