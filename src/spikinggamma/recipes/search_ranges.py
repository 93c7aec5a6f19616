"""The table `[search]` of a recipe: which values of which keys a search tries, how many, and for how long."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from spikinggamma.options import Section

__all__ = ["Range", "Search"]


class Range(Section):
    """The values among which a search looks for one key: an interval, or a list of choices."""

    low: int | float | None = Field(default=None, description="lowest value")
    high: int | float | None = Field(
        default=None, description="highest value; whole numbers are tried if both ends are whole"
    )
    log: bool = Field(default=False, description="alike by factors, not by differences")
    step: int | float | None = Field(default=None, gt=0, description="distance of the values tried, from low upwards")
    choices: tuple[Any, ...] = Field(default=(), description="the values themselves, instead of an interval")


class Search(Section):
    """What a search for hyper-parameters may change, and what it may spend (`spikinggamma search`)."""

    trials: int = Field(default=0, ge=0, le=100_000, description="how many settings are tried; 0: nothing to search")
    epochs: int = Field(default=0, ge=0, le=1_000_000, description="epochs of each trial; 0: as training.epochs")
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of the settings tried; nets keep training.seed")
    space: dict[str, Range] = Field(default_factory=dict, description="the values to try, by key of the recipe")

    @field_validator("space", mode="before")
    @classmethod
    def _by_whole_key(cls, space: object) -> object:
        """`learning.dropout = {...}` is a table in a table to TOML, and one key to a search."""
        return _flat(space, "") if isinstance(space, dict) else space


def _flat(tables: dict[str, Any], above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, entry in tables.items():
        deeper = isinstance(entry, dict) and any(isinstance(below, dict) for below in entry.values())
        found |= _flat(entry, f"{above}{key}.") if deeper else {above + key: entry}
    return found
