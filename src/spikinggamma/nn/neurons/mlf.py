"""Multi-level neurons: see `spikinggamma.functional.mlf`."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.functional import MLFParameters, MLFState, mlf_step
from spikinggamma.nn.neurons.base import NEURONS, Neuron
from spikinggamma.nn.neurons.spiking_options import SpikingOptions
from spikinggamma.options import Options

__all__ = ["MLF", "MLFOptions"]


class MLFOptions(SpikingOptions):
    """Options of multi-level neurons."""

    surrogate: str = Field(
        default="rectangle", description="stands in for the derivative of a spike (`spikinggamma surrogates`)"
    )
    levels: int = Field(default=3, ge=1, le=64, description="number of levels, the most that a neuron says in a step")
    tau_ms: float = Field(
        default=0.72,
        gt=0.0,
        le=60_000.0,
        title="membrane",
        description="time constant of the membranes [ms]; published: 1/4 a step, 0.72 steps",
    )
    level_step: float = Field(
        default=1.0, gt=0.0, le=1e3, description="from the threshold of a level to the next one's"
    )
    threshold: float = Field(default=0.6, gt=0.0, le=1e3, description="membrane at which the first level spikes")

    def parameters(self, dt_ms: float) -> MLFParameters:
        """Return the parameters of `functional.mlf_step` at this time step."""
        return MLFParameters(self.tau_ms, self.levels, self.threshold, self.level_step, self.spike(), dt_ms)


@lru_cache(maxsize=64)
def _state_of(levels: int) -> Callable[..., tuple[Tensor, ...]]:
    """Return the named tuple of as many membranes."""
    return namedtuple(f"MLF{levels}State", [f"level_{level}" for level in range(1, levels + 1)])


@NEURONS.register("mlf", title="multi-level LIF", options=MLFOptions, citations=(bibliography.MLF,))
class MLF(Neuron[tuple[Tensor, ...]]):
    """Multi-level neurons, which say from none to `levels` spikes in a step."""

    State = _state_of(1)
    options: MLFOptions

    def __init__(
        self,
        shape: Sequence[int],
        options: Options | Mapping[str, Any] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(shape, options, generator)
        self.State = _state_of(self.options.levels)  # type: ignore[misc, method-assign]

    def step(
        self, state: tuple[Tensor, ...], drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], tuple[Tensor, ...]]:
        """Run one step; see `Neuron.step`."""
        spikes, after = mlf_step(self.options.parameters(dt_ms), MLFState(torch.stack(state)), drive)
        return spikes, self.State(*after.membranes.unbind(0))

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """See `Neuron.response`, in units of the first threshold."""
        silent = self.options.parameters(dt_ms)._replace(levels=1, threshold=float("inf"))
        state, found = MLFState(torch.zeros_like(drive[:1])), []
        for u in drive.unbind(0):
            _, state = mlf_step(silent, state, u)
            found.append(state.membranes[0])
        return torch.stack(found) / self.options.threshold
