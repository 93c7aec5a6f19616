"""The registry of perturbations: each is registered where it is defined, with its unit and range.

    @register_perturbation("jitter", unit="ms", example=5.0)
    def jitter_spikes(events: Gathered, std_ms: float, rng: np.random.Generator) -> Gathered:
        ...

A perturbation takes the events of some recordings, its level in that unit and a random generator, and returns the events
changed. One without a unit takes the events alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import Field, create_model

from spikinggamma.events.gathering import Gathered
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["PERTURBATIONS", "PerturbationKind", "register_perturbation"]

Unit = Literal["ms", "share", ""]
Change = TypeVar("Change", bound=Callable[..., Gathered])
_MOST: dict[Unit, float] = {"ms": 60_000.0, "share": 1.0, "": 0.0}
_WORDS: dict[Unit, str] = {
    "ms": "strength of the change [ms]",
    "share": "share of the spikes that it changes",
    "": "",
}


class PerturbationKind:
    """A registered perturbation; calling it changes events.

    Args:
        change: Function that changes events; the other arguments are the attributes.

    Attributes:
        unit: Unit of its level: "ms", a "share" from 0 to 1, or "" if it has no level.
        most: The highest level.
        example: A level that shows how it is written.
        moves_time: Whether labels of steps would no longer fit, so that recordings with labels by step are refused.
    """

    def __init__(
        self, change: Callable[..., Gathered], unit: Unit, most: float, example: float, *, moves_time: bool
    ) -> None:
        functools.update_wrapper(self, change)
        self._change = change
        self.unit = unit
        self.most = most
        self.example = example
        self.moves_time = moves_time

    def __call__(self, events: Gathered, level: float, rng: np.random.Generator) -> Gathered:
        """Return the changed events."""
        return self._change(events, level, rng) if self.unit else self._change(events)

    def text(self, name: str, level: float) -> str:
        """Return the perturbation as it is written, such as `jitter=5ms`."""
        if not self.unit:
            return name
        return f"{name}={level:g}{'ms' if self.unit == 'ms' else ''}"


PERTURBATIONS: Registry[PerturbationKind] = Registry("perturbation")


def register_perturbation(
    name: str,
    *,
    unit: Unit = "",
    most: float | None = None,
    example: float = 0.0,
    moves_time: bool = False,
    summary: str = "",
    citations: tuple[str, ...] = (),
) -> Callable[[Change], Change]:
    """Return a decorator that registers a function as a perturbation, and returns it unchanged.

    Args:
        name: Name in recipes and commands.
        unit: Unit of its level: "ms", "share", or "" if it has no level and takes the events alone.
        most: The highest level; 60 000 ms, or a share of 1, if not given.
        example: A level that shows how it is written.
        moves_time: Whether it moves time, so that labels of steps would no longer fit.
        summary: One line of description; the first line of the docstring if not given.
        citations: BibTeX entries of its sources.
    """
    limit = _MOST[unit] if most is None else most
    level: Any = (float, Field(default=example, ge=0.0, le=limit, description=_WORDS[unit]))
    options = create_model(f"{name}_options", __base__=Options, level=level) if unit else Options

    def add(change: Change) -> Change:
        kind = PerturbationKind(change, unit, limit, example, moves_time=moves_time)
        PERTURBATIONS.register(name, options=options, summary=summary, citations=citations)(kind)
        return change

    return add
