"""Adaptive LIF neurons in the symplectic Euler form: see `spikinggamma.functional.se_adlif`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.functional import SEAdLIFParameters, SEAdLIFState, se_adlif_step
from spikinggamma.nn.compiled import adlif as compiled
from spikinggamma.nn.neurons.adlif import AdaptiveNumbersNeuron, AdLIFOptions
from spikinggamma.nn.neurons.base import NEURONS
from spikinggamma.nn.neurons.own_parameters import Bounds

__all__ = ["SEAdLIF", "SEAdLIFOptions"]


class SEAdLIFOptions(AdLIFOptions):
    """Options of SE-adLIF neurons; each neuron's own numbers are drawn and kept between their bounds."""

    surrogate: str = Field(
        default="exponential", description="stands in for the derivative of a spike (`spikinggamma surrogates`)"
    )
    adaptation_tau_ms: Bounds = Field(
        default=(60.0, 300.0), title="adaptation", description="time constants of the adaptation, from and to [ms]"
    )
    a: Bounds = Field(default=(0.0, 1.0), description="what the membrane does to the adaptation, from and to")
    b: Bounds = Field(default=(0.0, 2.0), description="what a spike does to the adaptation, from and to")
    scale: float = Field(default=120.0, gt=0.0, le=1e4, description="factor of both")
    reference_ms: float = Field(
        default=1.0, gt=0.0, le=60_000.0, description="time step at which b is meant: the authors' step [ms]"
    )


@NEURONS.register("se_adlif", title="SE-adLIF", options=SEAdLIFOptions, citations=(bibliography.SE_ADLIF,))
class SEAdLIF(AdaptiveNumbersNeuron[SEAdLIFState]):
    """Adaptive LIF neurons in the symplectic Euler form, each with time constants and couplings of its own.

    What is learnt of a time constant is `share`, where it lies between its bounds: 0 is the shorter one.
    """

    State = SEAdLIFState
    sequence = staticmethod(compiled.se_adlif_sequence)
    options: SEAdLIFOptions

    def parameters_at(self, dt_ms: float) -> SEAdLIFParameters:
        """Return the parameters of `functional.se_adlif_step` at this time step."""
        chosen = self.options
        tau_ms, adaptation_tau_ms = (
            low + (high - low) * share
            for share, (low, high) in ((self.share, chosen.tau_ms), (self.adaptation_share, chosen.adaptation_tau_ms))
        )
        return SEAdLIFParameters(
            tau_ms,
            adaptation_tau_ms,
            self.a,
            self.b,
            chosen.scale,
            chosen.threshold,
            chosen.spike(),
            dt_ms,
            chosen.reference_ms,
        )

    def step(
        self, state: SEAdLIFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], SEAdLIFState]:
        """Run one step; see `Neuron.step`."""
        return se_adlif_step(self.parameters_at(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane without spikes; see `Neuron.response`."""
        alpha, beta, pull, _ = self.parameters_at(dt_ms).factors()
        membrane, adaptation, found = torch.zeros_like(drive[0]), torch.zeros_like(drive[0]), []
        for u in drive.unbind(0):
            membrane = torch.lerp(u - adaptation, membrane, alpha)
            adaptation = beta * adaptation + pull * membrane
            found.append(membrane)
        return torch.stack(found) / self.options.threshold
