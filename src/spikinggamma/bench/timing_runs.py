"""The runs and evaluations that a cell of the timing suite needs."""

from __future__ import annotations

from spikinggamma.bench.kept_runs import Asked, PlannedRun, planned_run
from spikinggamma.bench.timing_plan import Cell
from spikinggamma.bench.timing_table import SMALL

__all__ = ["PERTURB_SEEDS", "asked_of", "planned"]

PERTURB_SEEDS = (0, 1, 2)


def planned(cell: Cell, seed: int, *, quick: bool) -> PlannedRun:
    """Return the run that a cell needs for a seed.

    Raises:
        SpikingGammaError: The overrides do not fit the recipe.
    """
    small = SMALL[cell.task] if quick else ()
    return planned_run(cell.recipe, cell.overrides, task=cell.task, seed=seed, small=small, quick=quick)


def asked_of(cell: Cell) -> list[Asked]:
    """Return the evaluations that a cell needs of its run; random perturbations are drawn several times."""
    if not cell.perturb:
        return [Asked()]
    return [Asked(cell.perturb, seed) for seed in (PERTURB_SEEDS if "=" in cell.perturb else PERTURB_SEEDS[:1])]
