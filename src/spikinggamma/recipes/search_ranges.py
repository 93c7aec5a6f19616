"""The table `[search]` of a recipe: the values that a search tries, the number of trials, and their length."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from spikinggamma.options import Section

__all__ = ["Range", "Search"]


class Range(Section):
    """The values that a search tries for one key: an interval, or a list of choices."""

    low: int | float | None = Field(default=None, description="lowest value")
    high: int | float | None = Field(
        default=None, description="highest value; only integers are tried if both ends are integers"
    )
    log: bool = Field(default=False, description="values spread evenly on a logarithmic scale")
    step: int | float | None = Field(default=None, gt=0, description="difference between the values, from low upwards")
    choices: tuple[Any, ...] = Field(default=(), description="list of values, instead of an interval")


class Search(Section):
    """The table `[search]`: keys and values of a hyper-parameter search, and its budget (`spikinggamma search`)."""

    trials: int = Field(default=0, ge=0, le=100_000, description="number of trials; 0: no search")
    epochs: int = Field(default=0, ge=0, le=1_000_000, description="number of epochs of each trial; 0: training.epochs")
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of the values tried; nets use training.seed")
    space: dict[str, Range] = Field(default_factory=dict, description="values to try, by key of the recipe")

    @field_validator("space", mode="before")
    @classmethod
    def _by_whole_key(cls, space: object) -> object:
        """Return the space with whole keys: TOML reads `learning.dropout = {...}` as a table in a table."""
        return _flat(space, "") if isinstance(space, dict) else space


def _flat(tables: dict[str, Any], above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, entry in tables.items():
        deeper = isinstance(entry, dict) and any(isinstance(below, dict) for below in entry.values())
        found |= _flat(entry, f"{above}{key}.") if deeper else {above + key: entry}
    return found
