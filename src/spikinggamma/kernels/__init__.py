"""Fast scans over time. Code outside this package does not depend on how a scan is computed."""

from spikinggamma.kernels.adlif_dispatch import AdLIFReset, adlif_adjoint, adlif_forward
from spikinggamma.kernels.brf_dispatch import brf_adjoint, brf_forward
from spikinggamma.kernels.delay_dispatch import delay_adjoint, delay_forward, delay_products
from spikinggamma.kernels.dispatch import (
    bucket_products,
    code_forward,
    filter_adjoint,
    filter_forward,
    has_scan,
    neuron_adjoint,
    neuron_forward,
    signal_adjoint,
    signal_forward,
    signal_gradients,
    use,
)
from spikinggamma.kernels.lif_dispatch import (
    adaptive_lif_adjoint,
    adaptive_lif_forward,
    alpha_adjoint,
    has_compiled,
    leaky_adjoint,
    leaky_forward,
    lif_forward,
    srm_alpha_forward,
)
from spikinggamma.kernels.recurrent_lif_dispatch import recurrent_lif_adjoint, recurrent_lif_forward
from spikinggamma.kernels.rel_psp_dispatch import rel_psp_backward, rel_psp_forward
from spikinggamma.kernels.spike_products import SpikeEvents, spike_events, spike_linear, spike_outer

__all__ = [
    "AdLIFReset",
    "SpikeEvents",
    "adaptive_lif_adjoint",
    "adaptive_lif_forward",
    "adlif_adjoint",
    "adlif_forward",
    "alpha_adjoint",
    "brf_adjoint",
    "brf_forward",
    "bucket_products",
    "code_forward",
    "delay_adjoint",
    "delay_forward",
    "delay_products",
    "filter_adjoint",
    "filter_forward",
    "has_compiled",
    "has_scan",
    "leaky_adjoint",
    "leaky_forward",
    "lif_forward",
    "neuron_adjoint",
    "neuron_forward",
    "recurrent_lif_adjoint",
    "recurrent_lif_forward",
    "rel_psp_backward",
    "rel_psp_forward",
    "signal_adjoint",
    "signal_forward",
    "signal_gradients",
    "spike_events",
    "spike_linear",
    "spike_outer",
    "srm_alpha_forward",
    "use",
]
