"""Learnt axonal delays, one for each sender."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.bibliography import SLAYER
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import DelayParameters, DelayState, clamp_delays_
from spikinggamma.nn.compiled.delays import floored_delay_sequence, fractional_delay_sequence
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.options import Options

__all__ = ["DELAY_KINDS", "AxonalDelays", "DelayOptions"]

_SEQUENCES = {"fractional": fractional_delay_sequence, "floored": floored_delay_sequence}
DELAY_KINDS = tuple(_SEQUENCES)


class DelayOptions(Options):
    """Options of axonal delays."""

    kind: Literal["fractional", "floored"] = Field(
        default="fractional",
        description="fractional: interpolated between steps; floored: whole steps with SLAYER's gradient",
    )
    max_ms: float = Field(default=50.0, gt=0.0, le=60_000.0, description="longest delay [ms]")
    initial_ms: float = Field(
        default=-1.0,
        le=60_000.0,
        description="initial delays are spread evenly from 0 to this [ms]; -1: to the longest",
    )


class AxonalDelays(Layer[DelayState | None]):
    """Delay the spikes of each sender by its own learnt time; see `spikinggamma.functional.delay`.

    Args:
        shape: Shape of one sample's senders at one step; an int stands for one axis.
        kind: "fractional" (interpolated between steps, exact gradient) or "floored" (whole steps, SLAYER's gradient).
        max_delay_ms: Bound of all delays in ms, enforced by `constrain_`.
        initial_delay_ms: Initial delays are spread evenly from 0 to this, in ms.
        generator: Random numbers of the initial delays.

    Raises:
        SpikingGammaError: The kind is unknown, or delays are out of range.

    Shapes: spikes [T, B, *shape] to delayed spikes of the same shape.

    Example:
        >>> delays = AxonalDelays(3, max_delay_ms=8.0, initial_delay_ms=8.0)
        >>> delays(torch.ones(5, 2, 3), None, dt_ms=2.0)[0].shape
        torch.Size([5, 2, 3])
    """

    parameter_kinds = {"delay_ms": "delay"}  # noqa: RUF012

    def __init__(
        self,
        shape: int | Sequence[int],
        *,
        kind: str = "fractional",
        max_delay_ms: float,
        initial_delay_ms: float,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if kind not in _SEQUENCES:
            raise SpikingGammaError("kind", repr(kind), f"one of {', '.join(DELAY_KINDS)}")
        if not 0.0 <= max_delay_ms < math.inf:
            raise SpikingGammaError("max_delay_ms", max_delay_ms, "zero (no delays) or a positive, finite time in ms")
        if not 0.0 <= initial_delay_ms <= max_delay_ms:
            raise SpikingGammaError("initial_delay_ms", initial_delay_ms, f"from 0 to max_delay_ms, {max_delay_ms}")
        self.out_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.kind = kind
        self.max_delay_ms = max_delay_ms
        drawn = torch.rand(torch.Size(self.out_shape).numel(), generator=generator) * initial_delay_ms
        self.delay_ms = nn.Parameter(drawn)

    def parameters_at(self, dt_ms: float) -> DelayParameters:
        """Return the parameters of the functional delay at a time step."""
        return DelayParameters(self.delay_ms, self.max_delay_ms, dt_ms).validate()

    def initial_state(self, batch: int) -> None:
        """Return None, which stands for a silent past: its length depends on the time step."""

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: DelayState | None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], DelayState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        parameters, flat = self.parameters_at(dt_ms), x.flatten(2)
        if state is None:
            state = DelayState(flat.new_zeros(parameters.remembered_steps(), *flat.shape[1:]))
        arrived, after = _SEQUENCES[self.kind](parameters, state, flat)
        return arrived.view(x.shape), after

    def constrain_(self) -> None:
        """Clamp the delays to [0, max_delay_ms]."""
        clamp_delays_(self.delay_ms, self.max_delay_ms)

    def extra_repr(self) -> str:
        """Return the shape, the kind and the bound."""
        return f"{self.out_shape}, kind={self.kind!r}, max_delay_ms={self.max_delay_ms:g}"


@LAYERS.register("axonal_delay", options=DelayOptions, citations=(SLAYER,))
def axonal_delay(in_shape: Sequence[int], options: DelayOptions, generator: torch.Generator | None) -> AxonalDelays:
    """Learnt delays, one for each sender."""
    first = options.max_ms if options.initial_ms < 0.0 else options.initial_ms
    return AxonalDelays(
        in_shape, kind=options.kind, max_delay_ms=options.max_ms, initial_delay_ms=first, generator=generator
    )
