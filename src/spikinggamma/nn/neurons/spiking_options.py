"""Options of every neuron with a choice of surrogate gradient."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import Field, field_validator, model_validator

from spikinggamma.functional import Surrogate, find_surrogate
from spikinggamma.options import Options

__all__ = ["SpikingOptions"]


class SpikingOptions(Options):
    """Surrogate of a neuron's spikes, and the options of the surrogate."""

    surrogate: str = Field(
        default="fast_sigmoid", description="surrogate for the derivative of a spike (`spikinggamma surrogates`)"
    )
    surrogate_options: dict[str, float] = Field(
        default_factory=dict, description="options of the surrogate; in a recipe the table [surrogate]"
    )

    @field_validator("surrogate_options", mode="before")
    @classmethod
    def _as_floats(cls, values: Any) -> Any:
        return {key: float(value) for key, value in values.items()} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _known(self) -> SpikingOptions:
        self.spike()
        return self

    def spike(self) -> Surrogate:
        """Return the spike function with its surrogate gradient."""
        return _spike(self.surrogate, tuple(sorted(self.surrogate_options.items())))


@lru_cache(maxsize=256)
def _spike(name: str, options: tuple[tuple[str, float], ...]) -> Surrogate:
    return find_surrogate(name, **dict(options))
