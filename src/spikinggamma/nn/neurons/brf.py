"""Balanced resonate-and-fire neurons: see `spikinggamma.functional.brf`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.functional import BRFParameters, BRFState, brf_step
from spikinggamma.nn.compiled import brf as compiled
from spikinggamma.nn.neurons.base import NEURONS
from spikinggamma.nn.neurons.own_parameters import Bounds, OwnNumbersNeuron, OwnParameters

__all__ = ["BRF", "BRFOptions"]

_HIGHEST = 0.999  # of the frequency at which a step of that length would make the membrane diverge


class BRFOptions(OwnParameters):
    """Options of balanced resonate-and-fire neurons; numbers per second as the authors have them at steps of 10 ms."""

    surrogate: str = Field(
        default="double_gaussian", description="stands in for the derivative of a spike (`spikinggamma surrogates`)"
    )
    omega: Bounds = Field(default=(5.0, 10.0), description="angular frequencies at first, from and to [rad/s]")
    damping: Bounds = Field(
        default=(0.1, 1.0), description="damping beyond the divergence boundary at first, from and to [1/s]"
    )
    refractory_tau_ms: float = Field(
        default=94.9,
        gt=0.0,
        le=60_000.0,
        title="refractoriness",
        description="time constant of the refractoriness [ms]; published: 0.9 a step, 9.49 steps",
    )
    refractory_damping: float = Field(
        default=1.0, ge=0.0, le=1e4, description="damping that a spike adds [1/s]; published: 1 at a step of 10 ms"
    )
    gain: float = Field(
        default=1.0,
        gt=0.0,
        le=1e4,
        description="membrane that a drive of 1 adds [1/s]; published: 1 at a step of 10 ms",
    )
    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="membrane at which a neuron spikes")


@NEURONS.register("brf", title="BRF", options=BRFOptions, citations=(bibliography.BRF,))
class BRF(OwnNumbersNeuron[BRFState]):
    """Balanced resonate-and-fire neurons, each with a frequency and a damping of its own."""

    State = BRFState
    sequence = staticmethod(compiled.brf_sequence)
    parameter_kinds = {"omega": "time_constant", "damping": "time_constant"}  # noqa: RUF012
    options: BRFOptions
    omega: Tensor
    damping: Tensor

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return the bounds of each of the neurons' own numbers; see `OwnNumbersNeuron.bounds`."""
        return {"omega": self.options.omega, "damping": self.options.damping}

    def parameters_at(self, dt_ms: float) -> BRFParameters:
        """Return the parameters of `functional.brf_step` at this time step; learnt numbers count by their size alone."""
        chosen = self.options
        omega = self.omega.abs().clamp_max(_HIGHEST * 1e3 / dt_ms)
        refractoriness = (chosen.refractory_tau_ms, chosen.refractory_damping)
        return BRFParameters(
            omega, self.damping.abs(), *refractoriness, chosen.gain, chosen.threshold, chosen.spike(), dt_ms
        )

    def step(
        self, state: BRFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], BRFState]:
        """Run one step; see `Neuron.step`."""
        return brf_step(self.parameters_at(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane without spikes; see `Neuron.response`."""
        parameters = self.parameters_at(dt_ms)
        (growth, rotation), (_, _, gain) = parameters.factors(), parameters.constants()
        turn, membrane, found = (
            torch.complex(growth, rotation),
            torch.zeros_like(drive[0], dtype=drive.dtype.to_complex()),
            [],
        )
        for u in drive.unbind(0):
            membrane = turn * membrane + gain * u
            found.append(membrane.real)
        return torch.stack(found) / parameters.threshold
