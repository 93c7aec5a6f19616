"""Axons whose delays are learned, one for each sender."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import DelayParameters, DelayState, clamp_delays_
from spikinggamma.nn.neurons.compiled import floored_delay_sequence, fractional_delay_sequence

__all__ = ["DELAY_KINDS", "AxonalDelays"]

DELAY_KINDS = ("none", "fractional", "floored")


class AxonalDelays(nn.Module):
    """What each neuron says arrives later, by its own time; see `spikinggamma.functional.delay`.

    Args:
        neurons: N.
        kind: "fractional" (interpolated between steps, exact gradient), "floored" (whole steps, SLAYER's difference), or
            "none": everything arrives at once.
        max_delay_ms: Bound of all delays, kept by `constrain_`.
        initial_delay_ms: Delays begin evenly distributed from 0 to this.
        generator: Random numbers of that.

    Raises:
        SpikingGammaError: No such kind, or delays out of range.

    Shapes: spikes [T, B, N] to arrivals [T, B, N].

    Example:
        >>> axons = Axons(3, max_delay_ms=8.0, initial_delay_ms=8.0)
        >>> axons(torch.ones(5, 2, 3), None, dt_ms=2.0)[0].shape
        torch.Size([5, 2, 3])
    """

    def __init__(
        self,
        neurons: int,
        *,
        kind: str = "fractional",
        max_delay_ms: float,
        initial_delay_ms: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if kind not in DELAY_KINDS:
            raise SpikingGammaError("kind", repr(kind), f"one of {', '.join(DELAY_KINDS)}")
        if not 0.0 <= max_delay_ms < math.inf:
            raise SpikingGammaError("max_delay_ms", max_delay_ms, "zero (no delays) or a positive, finite time in ms")
        if not 0.0 <= initial_delay_ms <= max_delay_ms:
            raise SpikingGammaError("initial_delay_ms", initial_delay_ms, f"from 0 to max_delay_ms, {max_delay_ms}")
        self.kind = kind
        self.max_delay_ms = max_delay_ms
        drawn = None if kind == "none" else torch.rand(neurons, generator=generator) * initial_delay_ms
        self.delay_ms = None if drawn is None else nn.Parameter(drawn)

    def forward(
        self, spikes: Float[Tensor, "T B N"], state: DelayState | None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], DelayState | None]:
        """What arrives, and the last of what was said; None starts a recording."""
        if self.delay_ms is None:
            return spikes, None
        parameters = DelayParameters(self.delay_ms, self.max_delay_ms, dt_ms).validate()
        if state is None:
            state = DelayState(spikes.new_zeros(parameters.remembered_steps(), *spikes.shape[1:]))
        if self.kind == "floored":
            return floored_delay_sequence(parameters, state, spikes)
        return fractional_delay_sequence(parameters, state, spikes)

    def words(self, dt_ms: float) -> int:
        """Places of the delay lines at this time step; none where nothing is delayed."""
        if self.delay_ms is None:
            return 0
        return len(self.delay_ms) * DelayParameters(self.delay_ms, self.max_delay_ms, dt_ms).remembered_steps()

    def constrain_(self) -> None:
        """Put the delays back into [0, max_delay_ms]."""
        if self.delay_ms is not None:
            clamp_delays_(self.delay_ms, self.max_delay_ms)
