"""Populations of surrogate-gradient neurons of one kind: drive in, spikes out, state handed on."""

from __future__ import annotations

import abc
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    AlphaState,
    LIFParameters,
    LIFState,
    RecurrentLIFParameters,
    RecurrentLIFState,
    SRMAlphaParameters,
    SRMAlphaState,
    alpha_sequence,
    recurrent_lif_sequence,
)
from spikinggamma.nn.neurons.compiled import (
    adaptive_lif_sequence,
    leaky_sequence,
    lif_membranes,
    lif_sequence,
    srm_alpha_sequence,
)

__all__ = ["POPULATIONS", "NeuronSettings", "Population", "make_population"]


class NeuronSettings(NamedTuple):
    """Constants of a surrogate-gradient neuron, whatever its kind; each kind reads its own.

    Attributes:
        tau_ms: Membrane, or SLAYER's synapse.
        synapse_tau_ms: Synaptic current; 0 for none. Not of `srm_alpha`.
        threshold: ϑ.
        surrogate: Name in `SURROGATES`; `srm_alpha` has SLAYER's own.
        adaptation: What a spike adds to the threshold of an `adaptive_lif`.
        adaptation_tau_ms: How slowly that is forgotten.
        refractory_tau_ms: Of `srm_alpha`.
        refractory_scale: Of `srm_alpha`, in thresholds.
        surrogate_width: Of `srm_alpha`, in thresholds.
    """

    tau_ms: float = 20.0
    synapse_tau_ms: float = 10.0
    threshold: float = 1.0
    surrogate: str = "fast_sigmoid"
    adaptation: float = 0.2
    adaptation_tau_ms: float = 200.0
    refractory_tau_ms: float = 5.0
    refractory_scale: float = 2.0
    surrogate_width: float = 1.0

    def lif(self, dt_ms: float) -> LIFParameters:
        """Of a LIF, at this time step."""
        return LIFParameters(self.tau_ms, self.synapse_tau_ms, self.threshold, self.surrogate, dt_ms)


class Population(nn.Module, abc.ABC):
    """N neurons.

    Args:
        neurons: N.
        settings: Their constants.
        generator: Random numbers of its own parameters, where it has some.
    """

    def __init__(self, neurons: int, settings: NeuronSettings, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.neurons = neurons
        self.settings = settings

    @abc.abstractmethod
    def parameters_at(self, dt_ms: float) -> Any:
        """Everything of the functional neuron, at this time step."""

    @abc.abstractmethod
    def initial_state(self, batch: int, like: Tensor) -> Any:
        """All zero, in the type and on the device of `like`."""

    @abc.abstractmethod
    def sequence(self, drive: Float[Tensor, "T B N"], state: Any, dt_ms: float) -> tuple[Float[Tensor, "T B N"], Any]:
        """Spikes, and the state after them; differentiable, also in the state."""

    def run(
        self, drive: Float[Tensor, "T B N"], state: Any, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"] | None, Any]:
        """The same with the membrane before the spike, v⁻(t), between the two; None where this kind does not tell it."""
        spikes, after = self.sequence(drive, state, dt_ms)
        return spikes, None, after

    def response(self, drive: Float[Tensor, "T B N"], dt_ms: float) -> Float[Tensor, "T B N"]:
        """The membrane of neurons that never spike."""
        zero = torch.zeros_like(drive[0])
        return leaky_sequence(self.settings.lif(dt_ms), LIFState(zero, zero), drive)[0]


class LIF(Population):
    """Leaky integrate and fire."""

    def parameters_at(self, dt_ms: float) -> LIFParameters:
        """See `Population.parameters_at`."""
        return self.settings.lif(dt_ms)

    def initial_state(self, batch: int, like: Tensor) -> LIFState:
        """See `Population.initial_state`."""
        return LIFState(*like.new_zeros(2, batch, self.neurons).unbind(0))

    def sequence(
        self, drive: Float[Tensor, "T B N"], state: LIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], LIFState]:
        """See `Population.sequence`."""
        return lif_sequence(self.parameters_at(dt_ms), state, drive)

    def run(
        self, drive: Float[Tensor, "T B N"], state: LIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"] | None, LIFState]:
        """See `Population.run`; the membrane is told where gradients are disabled."""
        if torch.is_grad_enabled():
            return super().run(drive, state, dt_ms)
        return lif_membranes(self.parameters_at(dt_ms), state, drive)


class AdaptiveLIF(Population):
    """The same with a threshold that rises with each spike."""

    def parameters_at(self, dt_ms: float) -> AdaptiveLIFParameters:
        """See `Population.parameters_at`."""
        kept = self.settings
        return AdaptiveLIFParameters(kept.lif(dt_ms), kept.adaptation, kept.adaptation_tau_ms)

    def initial_state(self, batch: int, like: Tensor) -> AdaptiveLIFState:
        """See `Population.initial_state`."""
        return AdaptiveLIFState(*like.new_zeros(3, batch, self.neurons).unbind(0))

    def sequence(
        self, drive: Float[Tensor, "T B N"], state: AdaptiveLIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], AdaptiveLIFState]:
        """See `Population.sequence`."""
        return adaptive_lif_sequence(self.parameters_at(dt_ms), state, drive)


class RecurrentLIF(Population):
    """Leaky integrate and fire neurons that hear one another; recurrent weights are normal with variance 1 / (4 N)."""

    def __init__(self, neurons: int, settings: NeuronSettings, generator: torch.Generator | None = None) -> None:
        super().__init__(neurons, settings)
        # Half the size of a fan-in's: enough to be heard beside the input, too little to ring.
        self.recurrent_weight = nn.Parameter(torch.randn(neurons, neurons, generator=generator) / (4 * neurons) ** 0.5)

    def parameters_at(self, dt_ms: float) -> RecurrentLIFParameters:
        """See `Population.parameters_at`."""
        return RecurrentLIFParameters(self.settings.lif(dt_ms), self.recurrent_weight)

    def initial_state(self, batch: int, like: Tensor) -> RecurrentLIFState:
        """See `Population.initial_state`."""
        return RecurrentLIFState(*like.new_zeros(3, batch, self.neurons).unbind(0))

    def sequence(
        self, drive: Float[Tensor, "T B N"], state: RecurrentLIFState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], RecurrentLIFState]:
        """See `Population.sequence`."""
        return recurrent_lif_sequence(self.parameters_at(dt_ms), state, drive)


class SRMAlpha(Population):
    """SLAYER's spike response model."""

    def parameters_at(self, dt_ms: float) -> SRMAlphaParameters:
        """See `Population.parameters_at`."""
        kept = self.settings
        refractoriness = (kept.refractory_tau_ms, kept.refractory_scale)
        return SRMAlphaParameters(kept.tau_ms, *refractoriness, kept.threshold, kept.surrogate_width, 1.0, dt_ms)

    def initial_state(self, batch: int, like: Tensor) -> SRMAlphaState:
        """See `Population.initial_state`."""
        return SRMAlphaState(*like.new_zeros(4, batch, self.neurons).unbind(0))

    def sequence(
        self, drive: Float[Tensor, "T B N"], state: SRMAlphaState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], SRMAlphaState]:
        """See `Population.sequence`."""
        return srm_alpha_sequence(self.parameters_at(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B N"], dt_ms: float) -> Float[Tensor, "T B N"]:
        """See `Population.response`."""
        zero = torch.zeros_like(drive[0])
        return alpha_sequence(self.settings.tau_ms, dt_ms, AlphaState(zero, zero), drive)[0]


POPULATIONS: dict[str, type[Population]] = {
    "lif": LIF,
    "adaptive_lif": AdaptiveLIF,
    "recurrent_lif": RecurrentLIF,
    "srm_alpha": SRMAlpha,
}


def make_population(
    kind: str, neurons: int, settings: NeuronSettings, generator: torch.Generator | None = None
) -> Population:
    """A population by the name of its kind in `POPULATIONS`.

    Raises:
        SpikingGammaError: No such kind, or a constant out of range.
    """
    if kind not in POPULATIONS:
        raise SpikingGammaError("neuron", repr(kind), f"one of {', '.join(POPULATIONS)}")
    made = POPULATIONS[kind](neurons, settings, generator)
    made.parameters_at(1.0).validate()  # the step belongs to a run; this one only lets the values be checked now
    return made
