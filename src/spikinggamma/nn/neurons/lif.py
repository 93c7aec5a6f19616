"""Leaky integrate-and-fire neurons; see `spikinggamma.functional.lif`."""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.functional import LIFParameters, LIFState, lif_step
from spikinggamma.nn.compiled import neurons as compiled
from spikinggamma.nn.compiled import recurrent_lif
from spikinggamma.nn.neurons.base import NEURONS, Leak, Neuron
from spikinggamma.nn.neurons.spiking_options import SpikingOptions

__all__ = ["LIF", "LIFOptions", "leak_of"]


class LIFOptions(SpikingOptions):
    """Options of leaky integrate-and-fire neurons."""

    tau_ms: float = Field(
        default=20.0, gt=0.0, le=60_000.0, title="membrane", description="time constant of the membrane [ms]"
    )
    synapse_tau_ms: float = Field(
        default=10.0,
        ge=0.0,
        le=60_000.0,
        title="synaptic current",
        description="time constant of the synaptic current [ms]; 0: none",
    )
    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="membrane potential at which a neuron spikes")

    def parameters(self, dt_ms: float) -> LIFParameters:
        """Return the parameters of `functional.lif_step` at a time step."""
        return LIFParameters(self.tau_ms, self.synapse_tau_ms, self.threshold, self.spike(), dt_ms)


def leak_of(parameters: LIFParameters, like: Tensor) -> Leak:
    """Return the dynamics of `functional.leaky_step`, with the type and device of `like`."""
    synapse, beta = parameters.decays()
    rest = 1.0 - beta
    state = like.new_tensor([[synapse, 0.0], [rest * synapse, beta]])
    return Leak(state, like.new_tensor([1.0, rest]), state[1], like.new_tensor(rest))


@NEURONS.register("lif", title="LIF", options=LIFOptions)
class LIF(Neuron[LIFState]):
    """Leaky integrate-and-fire neurons.

    A synaptic current before the membrane is optional. See `spikinggamma.functional.lif` for the equations.
    """

    State = LIFState
    options: LIFOptions

    def step(
        self, state: LIFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], LIFState]:
        """Run one step; see `Neuron.step`."""
        return lif_step(self.options.parameters(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """Return the membrane without spikes; see `Neuron.response`."""
        zero = torch.zeros_like(drive[0])
        membranes, _ = compiled.leaky_sequence(self.options.parameters(dt_ms), LIFState(zero, zero), drive)
        return membranes / self.options.threshold

    @staticmethod
    def leak(neuron: LIF, dt_ms: float) -> Leak:
        """Return the dynamics of current and membrane; the reset passes no gradient."""
        return leak_of(neuron.options.parameters(dt_ms), neuron.get_buffer("_like"))

    @staticmethod
    @torch.no_grad()
    def slope(
        neuron: LIF, drive: Float[Tensor, "T B *shape"], state: LIFState, dt_ms: float
    ) -> Float[Tensor, "T B *shape"]:
        """Return ∂s/∂v⁻ at each step, from the compiled sequence; see `Neuron.slope`."""
        flat = LIFState(*(part.flatten(1) for part in state))
        _, membranes, _ = compiled.lif_membranes(neuron.options.parameters(dt_ms), flat, drive.flatten(2))
        return neuron.options.spike().derivative(membranes - neuron.options.threshold).view(drive.shape)

    @staticmethod
    def scan(
        neuron: LIF, drive: Float[Tensor, "T B *shape"], state: LIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], LIFState]:
        """Run the compiled sequence; see `Neuron.scan`."""
        return compiled.lif_sequence(neuron.options.parameters(dt_ms), state, drive)

    @staticmethod
    def recurrent_scan(
        neuron: LIF,
        drive: Float[Tensor, "T B N"],
        state: LIFState,
        dt_ms: float,
        weight: Float[Tensor, "N N"],
        said: Float[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "T B N"], LIFState]:
        """Run the compiled sequence of recurrent neurons; see `Neuron.recurrent_scan`."""
        return recurrent_lif.recurrent_lif_sequence(neuron.options.parameters(dt_ms), state, drive, weight, said)
