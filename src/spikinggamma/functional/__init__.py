"""Pure functions that define neurons, codes, delays and losses: the specification with which all other code is tested.

Each neuron has one module with its parameters, its state, a step function and a sequence function.
"""

from spikinggamma.functional import alpha_psp, rel_psp
from spikinggamma.functional.adaptive_lif import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    adaptive_lif_sequence,
    adaptive_lif_step,
)
from spikinggamma.functional.adlif import AdLIFFactors, AdLIFParameters, AdLIFState, adlif_sequence, adlif_step
from spikinggamma.functional.brf import BRFParameters, BRFState, brf_sequence, brf_step, divergence_boundary
from spikinggamma.functional.delay import (
    DelayParameters,
    DelayState,
    clamp_delays_,
    floored_delay_sequence,
    floored_delay_step,
    fractional_delay_sequence,
    fractional_delay_step,
)
from spikinggamma.functional.first_spike import (
    POTENTIALS,
    PostsynapticPotential,
    first_spikes,
    make_potential,
    register_potential,
)
from spikinggamma.functional.gamma import decay_factors, gamma_adjoint, gamma_sequence, gamma_step, impulse_response
from spikinggamma.functional.lif import LIFParameters, LIFState, leaky_sequence, leaky_step, lif_sequence, lif_step
from spikinggamma.functional.mlf import MLFParameters, MLFState, mlf_sequence, mlf_step
from spikinggamma.functional.recurrent_lif import (
    RecurrentLIFParameters,
    RecurrentLIFState,
    recurrent_lif_sequence,
    recurrent_lif_step,
)
from spikinggamma.functional.se_adlif import SEAdLIFParameters, SEAdLIFState, se_adlif_sequence, se_adlif_step
from spikinggamma.functional.sigma_delta import SigmaDelta, SigmaDeltaState, sigma_delta_step
from spikinggamma.functional.spikemax import cumulative_loss, spikemax_loss
from spikinggamma.functional.spiking_gamma import (
    NeuronOutput,
    SpikingGammaParameters,
    SpikingGammaState,
    spiking_gamma_sequence,
    spiking_gamma_step,
)
from spikinggamma.functional.srm_alpha import (
    AlphaState,
    SRMAlphaParameters,
    SRMAlphaState,
    alpha_sequence,
    alpha_step,
    srm_alpha_sequence,
    srm_alpha_step,
)
from spikinggamma.functional.surrogate import (
    SURROGATES,
    Surrogate,
    arctan,
    exponential,
    fast_sigmoid,
    find_surrogate,
    surrogate_slope,
)
from spikinggamma.functional.tc_lif import TCLIFParameters, TCLIFState, tc_lif_sequence, tc_lif_step

__all__ = [
    "POTENTIALS",
    "SURROGATES",
    "AdLIFFactors",
    "AdLIFParameters",
    "AdLIFState",
    "AdaptiveLIFParameters",
    "AdaptiveLIFState",
    "AlphaState",
    "BRFParameters",
    "BRFState",
    "DelayParameters",
    "DelayState",
    "LIFParameters",
    "LIFState",
    "MLFParameters",
    "MLFState",
    "NeuronOutput",
    "PostsynapticPotential",
    "RecurrentLIFParameters",
    "RecurrentLIFState",
    "SEAdLIFParameters",
    "SEAdLIFState",
    "SRMAlphaParameters",
    "SRMAlphaState",
    "SigmaDelta",
    "SigmaDeltaState",
    "SpikingGammaParameters",
    "SpikingGammaState",
    "Surrogate",
    "TCLIFParameters",
    "TCLIFState",
    "adaptive_lif_sequence",
    "adaptive_lif_step",
    "adlif_sequence",
    "adlif_step",
    "alpha_psp",
    "alpha_sequence",
    "alpha_step",
    "arctan",
    "brf_sequence",
    "brf_step",
    "clamp_delays_",
    "cumulative_loss",
    "decay_factors",
    "divergence_boundary",
    "exponential",
    "fast_sigmoid",
    "find_surrogate",
    "first_spikes",
    "floored_delay_sequence",
    "floored_delay_step",
    "fractional_delay_sequence",
    "fractional_delay_step",
    "gamma_adjoint",
    "gamma_sequence",
    "gamma_step",
    "impulse_response",
    "leaky_sequence",
    "leaky_step",
    "lif_sequence",
    "lif_step",
    "make_potential",
    "mlf_sequence",
    "mlf_step",
    "recurrent_lif_sequence",
    "recurrent_lif_step",
    "register_potential",
    "rel_psp",
    "se_adlif_sequence",
    "se_adlif_step",
    "sigma_delta_step",
    "spikemax_loss",
    "spiking_gamma_sequence",
    "spiking_gamma_step",
    "srm_alpha_sequence",
    "srm_alpha_step",
    "surrogate_slope",
    "tc_lif_sequence",
    "tc_lif_step",
]
