"""The memory and time of a whole run, and which batch or chunk fits a budget."""

from __future__ import annotations

from typing import NamedTuple

from spikinggamma.planning.budget import Fit, largest_fitting
from spikinggamma.planning.measurement import Measurement, measure
from spikinggamma.recipes.schema import Recipe
from spikinggamma.recipes.toml_files import with_values

__all__ = ["Offer", "Plan", "plan"]

_LARGEST_BATCH = 65_536


class Offer(NamedTuple):
    """A key of the recipe, and the largest value with which the run fits the budget.

    Attributes:
        key: Of the recipe.
        fit: The value and its measured peak; None where memory does not depend on it.
    """

    key: str
    fit: Fit | None


class Plan(NamedTuple):
    """What a recipe will take.

    Attributes:
        recipe: As it is to be trained.
        measured: What a few of its steps took.
        budget_mib: Memory that it may take, if that was asked.
        offers: Values of the recipe's keys with which it fits.
    """

    recipe: Recipe
    measured: Measurement
    budget_mib: float | None
    offers: tuple[Offer, ...]

    @property
    def seconds(self) -> float:
        """The whole run: start, all epochs, and the test."""
        found = self.measured
        return found.start_s + self.recipe.training.epochs * found.epoch_s + found.test_s

    @property
    def fits(self) -> bool | None:
        """Whether the recipe as it is fits the budget; None without a budget."""
        return None if self.budget_mib is None else self.measured.limited_mib <= self.budget_mib


def plan(recipe: Recipe, *, budget_mib: float | None = None, device: str = "auto") -> Plan:
    """Foresee the memory and time of a run on this machine by measuring a few of its steps.

    Args:
        recipe: What is to be trained.
        budget_mib: Memory that it may take [MiB]: of the CUDA device if the net runs there, else of the process.
        device: auto, cpu or cuda.

    Raises:
        SpikingGammaError: `train` would raise it at its start, or the measurement ran out of memory.

    Example:
        >>> from spikinggamma.recipes import load_recipe
        >>> plan(load_recipe("localisation")).seconds  # doctest: +SKIP
        252.1
    """
    found = measure(recipe, device=device)
    offers = () if budget_mib is None else _offers(recipe, found, budget_mib, device)
    return Plan(recipe, found, budget_mib, offers)


def _offers(recipe: Recipe, found: Measurement, budget_mib: float, device: str) -> tuple[Offer, ...]:
    """The largest batch that fits; and where the recipe does not, the largest chunk."""

    def peak(key: str, value: int) -> float:
        return measure(with_values(recipe, {key: value}), device=device, timed=False).limited_mib

    def offer(key: str, size: int, smaller: int, most: int) -> Offer:
        fit = largest_fitting(
            lambda value: peak(key, value),
            budget_mib,
            size=size,
            peak_mib=found.limited_mib,
            smaller=smaller,
            most=most,
        )
        return Offer(key, fit)

    batch = recipe.training.batch_size
    offers = []
    if batch > 1:
        most = min(found.recordings[0], _LARGEST_BATCH)
        offers.append(offer("training.batch_size", min(batch, most), max(1, min(batch, most) // 2), most))
    chunk = recipe.learning.chunk or found.longest
    if found.limited_mib > budget_mib and recipe.learning.update != "step" and chunk > 1:
        offers.append(offer("learning.chunk", chunk, max(1, chunk // 4), chunk))
    return tuple(offers)
