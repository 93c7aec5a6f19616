"""A neuron is a file: parameters, state, a step, and the same over a sequence. The specification of everything else."""

from spikinggamma.functional.gamma import decay_factors, gamma_adjoint, gamma_sequence, gamma_step, impulse_response
from spikinggamma.functional.sigma_delta import SigmaDelta, SigmaDeltaState, sigma_delta_step
from spikinggamma.functional.spiking_gamma import (
    NeuronOutput,
    SpikingGammaParameters,
    SpikingGammaState,
    spiking_gamma_sequence,
    spiking_gamma_step,
)

__all__ = [
    "NeuronOutput",
    "SigmaDelta",
    "SigmaDeltaState",
    "SpikingGammaParameters",
    "SpikingGammaState",
    "decay_factors",
    "gamma_adjoint",
    "gamma_sequence",
    "gamma_step",
    "impulse_response",
    "sigma_delta_step",
    "spiking_gamma_sequence",
    "spiking_gamma_step",
]
