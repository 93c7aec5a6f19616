"""Adaptive LIF neurons whose adaptation the membrane drives: see `spikinggamma.functional.adlif`."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.functional import AdLIFParameters, AdLIFState, adlif_step
from spikinggamma.nn.compiled import adlif as compiled
from spikinggamma.nn.neurons.base import NEURONS
from spikinggamma.nn.neurons.own_parameters import Bounds, OwnNumbersNeuron, OwnParameters
from spikinggamma.nn.state import StateT

__all__ = ["AdLIF", "AdLIFOptions", "AdaptiveNumbersNeuron"]

_SHARE = (0.0, 1.0)


class AdLIFOptions(OwnParameters):
    """Options of adLIF neurons; each neuron's own numbers are drawn and kept between their bounds."""

    surrogate: str = Field(
        default="rectangle", description="stands in for the derivative of a spike (`spikinggamma surrogates`)"
    )
    tau_ms: Bounds = Field(
        default=(5.0, 25.0), title="membrane", description="time constants of the membrane, from and to [ms]"
    )
    adaptation_tau_ms: Bounds = Field(
        default=(30.0, 120.0), title="adaptation", description="time constants of the adaptation, from and to [ms]"
    )
    a: Bounds = Field(
        default=(0.0, 1.0),
        description="what the membrane adds to the adaptation in a step of reference_ms, from and to; published: -1 to 1",
    )
    b: Bounds = Field(default=(0.0, 2.0), description="what a spike adds to the adaptation, from and to")
    reference_ms: float = Field(
        default=1.0, gt=0.0, le=60_000.0, description="time step at which a is meant, and decays are drawn evenly [ms]"
    )
    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="membrane at which a neuron spikes")


class AdaptiveNumbersNeuron(OwnNumbersNeuron[StateT]):
    """Base class of neurons with an adaptation: of each, two time constants between bounds, and its couplings a and b."""

    parameter_kinds = {  # noqa: RUF012
        "share": "time_constant",
        "adaptation_share": "time_constant",
        "a": "scale",
        "b": "scale",
    }
    options: AdLIFOptions
    share: Tensor
    adaptation_share: Tensor
    a: Tensor
    b: Tensor

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return the bounds of each of the neurons' own numbers; see `OwnNumbersNeuron.bounds`."""
        return {"share": _SHARE, "adaptation_share": _SHARE, "a": self.options.a, "b": self.options.b}

    @torch.no_grad()
    def constrain_(self) -> None:
        """Put each number back between its bounds."""
        for name, bounds in self.bounds().items():
            getattr(self, name).clamp_(*bounds)


@NEURONS.register("adlif", title="adLIF", options=AdLIFOptions, citations=(bibliography.ADLIF,))
class AdLIF(AdaptiveNumbersNeuron[AdLIFState]):
    """Adaptive LIF neurons, each with time constants and couplings of its own.

    What is learnt of a time constant is `share`, where its decay at `reference_ms` lies between those of its bounds: 0 is the
    shorter one. The authors learn the decay itself, whose range is narrow: here a step of the optimiser means the same for all.
    """

    State = AdLIFState
    sequence = staticmethod(compiled.adlif_sequence)

    def parameters_at(self, dt_ms: float) -> AdLIFParameters:
        """Return the parameters of `functional.adlif_step` at this time step."""
        chosen = self.options
        tau_ms, adaptation_tau_ms = (
            _time_constant(share, bounds, chosen.reference_ms)
            for share, bounds in ((self.share, chosen.tau_ms), (self.adaptation_share, chosen.adaptation_tau_ms))
        )
        return AdLIFParameters(
            tau_ms,
            adaptation_tau_ms,
            self.a,
            self.b,
            chosen.threshold,
            chosen.spike(),
            dt_ms,
            chosen.reference_ms,
        )

    def step(
        self, state: AdLIFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], AdLIFState]:
        """Run one step; see `Neuron.step`."""
        return adlif_step(self.parameters_at(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """See `Neuron.response`; without the adaptation, with which a membrane may grow without bound."""
        alpha, membrane, found = self.parameters_at(dt_ms).factors().alpha, torch.zeros_like(drive[0]), []
        for u in drive.unbind(0):
            membrane = torch.lerp(u, membrane, alpha)
            found.append(membrane)
        return torch.stack(found) / self.options.threshold


def _time_constant(share: Tensor, bounds: tuple[float, float], reference_ms: float) -> Tensor:
    """Return the time constants whose decays at `reference_ms` lie at these shares between those of the bounds."""
    low, high = (math.exp(-reference_ms / bound) for bound in bounds)
    return -reference_ms / (low + (high - low) * share).log()
