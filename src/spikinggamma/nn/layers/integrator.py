"""Read-outs: a leaky integrator of the drive, and a bias."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import LIFParameters, LIFState
from spikinggamma.nn.compiled.neurons import leaky_sequence
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.nn.state import check_state, map_tensors, tensors_of
from spikinggamma.options import Options

__all__ = ["Bias", "Integrator", "IntegratorOptions"]


class IntegratorOptions(Options):
    """Options of a leaky integrator."""

    tau_ms: float = Field(default=20.0, ge=0.0, le=60_000.0, description="time constant of the membrane [ms]; 0: none")
    synapse_tau_ms: float = Field(
        default=0.0, ge=0.0, le=60_000.0, description="time constant of the synaptic current [ms]; 0: none"
    )


class Integrator(Layer[LIFState]):
    """v(t) = β v(t-1) + (1 - β) i(t), i(t) = e^{-dt/τ_s} i(t-1) + u(t), as `functional.leaky_step`; it never spikes.

    Args:
        shape: Shape of one sample at one step.
        tau_ms: Time constant of the membrane in ms; 0 for no memory, where the drive is returned.
        synapse_tau_ms: Time constant of the synaptic current in ms; 0 for none.

    Raises:
        SpikingGammaError: A time constant is negative or not finite.

    Shapes: drive [T, B, *shape] to membrane [T, B, *shape].
    """

    def __init__(self, shape: Sequence[int], *, tau_ms: float, synapse_tau_ms: float = 0.0) -> None:
        super().__init__()
        for name, value in (("tau_ms", tau_ms), ("synapse_tau_ms", synapse_tau_ms)):
            if not 0.0 <= value < math.inf:
                raise SpikingGammaError(name, value, "zero (no memory) or a finite time in ms")
        self.out_shape = tuple(shape)
        self.tau_ms, self.synapse_tau_ms = tau_ms, synapse_tau_ms
        self.register_buffer("_like", torch.zeros(()), persistent=False)

    def parameters_at(self, dt_ms: float) -> LIFParameters | None:
        """Return the parameters of `functional.leaky_step` at a time step, or None for a layer without memory."""
        if self.tau_ms == 0.0:
            return None
        return LIFParameters(self.tau_ms, self.synapse_tau_ms, 1.0, "fast_sigmoid", dt_ms)

    def initial_state(self, batch: int) -> LIFState:
        """Return the state at the start of a recording; see `Layer.initial_state`."""
        return LIFState(*self.get_buffer("_like").new_zeros(2, batch, *self.out_shape).unbind(0))

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: LIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], LIFState]:
        """Run the layer on a sequence; see `Layer.forward`."""
        parameters = self.parameters_at(dt_ms)
        if parameters is None:
            return x, state
        check_state("integrators", tensors_of(state), x.shape[1], self.out_shape)
        flat = LIFState(*(part.flatten(1) for part in state))
        membranes, after = leaky_sequence(parameters, flat, x.flatten(2))
        return membranes.view(x.shape), map_tensors(lambda part: part.view(len(part), *self.out_shape), after)

    def extra_repr(self) -> str:
        """Return the shape and the time constants."""
        return f"{self.out_shape}, tau_ms={self.tau_ms:g}, synapse_tau_ms={self.synapse_tau_ms:g}"


class Bias(Layer[None]):
    """y(t) = x(t) + b, with one b for each channel (the first axis after the batch), zero at first.

    Args:
        shape: Shape of one sample at one step.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.out_shape = tuple(shape)
        self.bias = nn.Parameter(torch.zeros(self.out_shape[0]))

    def initial_state(self, batch: int) -> None:
        """Return None, since the layer has no memory."""

    def forward(
        self, x: Float[Tensor, "T B *shape"], state: None, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *shape"], None]:
        """Run the layer on a sequence; see `Layer.forward`."""
        return x + self.bias.view(-1, *[1] * (len(self.out_shape) - 1)), None


@LAYERS.register("integrator", options=IntegratorOptions)
def integrator(in_shape: Sequence[int], options: IntegratorOptions, generator: torch.Generator | None) -> Integrator:
    """A leaky integrator of its input, which never spikes."""
    return Integrator(in_shape, tau_ms=options.tau_ms, synapse_tau_ms=options.synapse_tau_ms)


@LAYERS.register("bias")
def bias(in_shape: Sequence[int], options: Options, generator: torch.Generator | None) -> Bias:
    """A learnt bias for each channel."""
    return Bias(in_shape)
