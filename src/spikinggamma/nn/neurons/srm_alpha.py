"""SLAYER's spike response neurons; see `spikinggamma.functional.srm_alpha`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.bibliography import SLAYER
from spikinggamma.functional import AlphaState, SRMAlphaParameters, SRMAlphaState, alpha_sequence, srm_alpha_step
from spikinggamma.nn.compiled import neurons as compiled
from spikinggamma.nn.neurons.base import NEURONS, Neuron
from spikinggamma.options import Options

__all__ = ["SRMAlpha", "SRMAlphaOptions"]


class SRMAlphaOptions(Options):
    """Options of SLAYER's neurons, which have a surrogate of their own."""

    tau_ms: float = Field(
        default=20.0, gt=0.0, le=60_000.0, title="synapse", description="time constant of the synapse [ms]"
    )
    refractory_tau_ms: float = Field(
        default=5.0,
        gt=0.0,
        le=60_000.0,
        title="refractoriness",
        description="time constant of the refractory response [ms]",
    )
    refractory_scale: float = Field(
        default=2.0, ge=0.0, le=1e3, description="amplitude of the refractory response, in thresholds"
    )
    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="membrane potential at which a neuron spikes")
    surrogate_width: float = Field(default=1.0, gt=0.0, le=1e3, description="width of the surrogate, in thresholds")

    def parameters(self, dt_ms: float) -> SRMAlphaParameters:
        """Return the parameters of `functional.srm_alpha_step` at a time step."""
        refractoriness = (self.refractory_tau_ms, self.refractory_scale)
        return SRMAlphaParameters(self.tau_ms, *refractoriness, self.threshold, self.surrogate_width, 1.0, dt_ms)


@NEURONS.register("srm_alpha", title="SRM-α", options=SRMAlphaOptions, citations=(SLAYER,))
class SRMAlpha(Neuron[SRMAlphaState]):
    """Spike response neurons with alpha functions, the neurons of SLAYER.

    See `spikinggamma.functional.srm_alpha` for the equations.
    """

    State = SRMAlphaState
    options: SRMAlphaOptions

    def step(
        self, state: SRMAlphaState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], SRMAlphaState]:
        """Run one step; see `Neuron.step`."""
        return srm_alpha_step(self.options.parameters(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane without spikes; see `Neuron.response`."""
        zero = torch.zeros_like(drive[0])
        return alpha_sequence(self.options.tau_ms, dt_ms, AlphaState(zero, zero), drive)[0] / self.options.threshold

    @staticmethod
    def scan(
        neuron: SRMAlpha, drive: Float[Tensor, "T B *shape"], state: SRMAlphaState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], SRMAlphaState]:
        """Run the compiled sequence; see `Neuron.scan`."""
        return compiled.srm_alpha_sequence(neuron.options.parameters(dt_ms), state, drive)
