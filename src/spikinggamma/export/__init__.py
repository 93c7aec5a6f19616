"""Trained nets for other programs: what a target cannot say exactly is refused, with the name of the layer and the reason."""

from spikinggamma.export.fixed_thresholds import limit_spikes, without_adaptation
from spikinggamma.export.nir_file import FromNir, nir_graph, read_nir, write_nir
from spikinggamma.export.thresholds import spike_thresholds

__all__ = [
    "FromNir",
    "limit_spikes",
    "nir_graph",
    "read_nir",
    "spike_thresholds",
    "without_adaptation",
    "write_nir",
]
