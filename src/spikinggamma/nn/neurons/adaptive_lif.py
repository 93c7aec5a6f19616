"""LIF neurons whose threshold rises with each of their spikes; see `spikinggamma.functional.adaptive_lif`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.bibliography import E_PROP
from spikinggamma.functional import AdaptiveLIFParameters, AdaptiveLIFState, LIFState, adaptive_lif_step
from spikinggamma.nn.compiled import neurons as compiled
from spikinggamma.nn.compiled import recurrent_lif
from spikinggamma.nn.neurons.base import NEURONS, Neuron
from spikinggamma.nn.neurons.lif import LIFOptions

__all__ = ["AdaptiveLIF", "AdaptiveLIFOptions"]


class AdaptiveLIFOptions(LIFOptions):
    """Options of adaptive LIF neurons."""

    adaptation: float = Field(
        default=0.2,
        ge=0.0,
        le=1e3,
        title="rise of the threshold",
        description="rise of the threshold with each spike, in units of the membrane",
    )
    adaptation_tau_ms: float = Field(
        default=200.0,
        gt=0.0,
        le=60_000.0,
        title="adaptation",
        description="time constant with which the threshold returns to rest [ms]",
    )

    def adaptive_parameters(self, dt_ms: float) -> AdaptiveLIFParameters:
        """Return the parameters of `functional.adaptive_lif_step` at a time step."""
        return AdaptiveLIFParameters(self.parameters(dt_ms), self.adaptation, self.adaptation_tau_ms)


@NEURONS.register("adaptive_lif", title="adaptive LIF", options=AdaptiveLIFOptions, citations=(E_PROP,))
class AdaptiveLIF(Neuron[AdaptiveLIFState]):
    """Leaky integrate-and-fire neurons with a threshold that rises with each spike.

    See `spikinggamma.functional.adaptive_lif` for the equations.
    """

    State = AdaptiveLIFState
    options: AdaptiveLIFOptions

    def step(
        self, state: AdaptiveLIFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], AdaptiveLIFState]:
        """Run one step; see `Neuron.step`."""
        return adaptive_lif_step(self.options.adaptive_parameters(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane without spikes; see `Neuron.response`."""
        zero = torch.zeros_like(drive[0])
        membranes, _ = compiled.leaky_sequence(self.options.parameters(dt_ms), LIFState(zero, zero), drive)
        return membranes / self.options.threshold

    @staticmethod
    def scan(
        neuron: AdaptiveLIF, drive: Float[Tensor, "T B *shape"], state: AdaptiveLIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], AdaptiveLIFState]:
        """Run the compiled sequence; see `Neuron.scan`."""
        return compiled.adaptive_lif_sequence(neuron.options.adaptive_parameters(dt_ms), state, drive)

    @staticmethod
    def recurrent_scan(
        neuron: AdaptiveLIF,
        drive: Float[Tensor, "T B N"],
        state: AdaptiveLIFState,
        dt_ms: float,
        weight: Float[Tensor, "N N"],
        said: Float[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "T B N"], AdaptiveLIFState]:
        """Run the compiled sequence of recurrent neurons; see `Neuron.recurrent_scan`."""
        return recurrent_lif.recurrent_adaptive_lif_sequence(
            neuron.options.adaptive_parameters(dt_ms), state, drive, weight, said
        )
