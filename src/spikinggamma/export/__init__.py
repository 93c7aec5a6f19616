"""Export of trained nets to C and NIR. A layer that a format cannot represent exactly is refused with the reason."""

from spikinggamma.export.c_program import NUMBERS, c_program, program_of_run, write_c
from spikinggamma.export.event_files import event_bytes, event_text, write_events
from spikinggamma.export.fixed_thresholds import limit_spikes, without_adaptation
from spikinggamma.export.nir_file import FromNir, nir_graph, read_nir, write_nir
from spikinggamma.export.program_net import ProgramLayer, ProgramNet, program_net
from spikinggamma.export.targets import TARGETS, export_run
from spikinggamma.export.thresholds import spike_thresholds

__all__ = [
    "NUMBERS",
    "TARGETS",
    "FromNir",
    "ProgramLayer",
    "ProgramNet",
    "c_program",
    "event_bytes",
    "event_text",
    "export_run",
    "limit_spikes",
    "nir_graph",
    "program_net",
    "program_of_run",
    "read_nir",
    "spike_thresholds",
    "without_adaptation",
    "write_c",
    "write_events",
    "write_nir",
]
