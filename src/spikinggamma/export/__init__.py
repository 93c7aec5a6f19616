"""Trained nets for other hands: a stand-alone program. What cannot be represented is refused, with its layer and reason."""

from spikinggamma.export.c_program import NUMBERS, c_program, program_of_run, write_c
from spikinggamma.export.event_files import event_bytes, event_text, write_events
from spikinggamma.export.program_net import ProgramLayer, ProgramNet, program_net
from spikinggamma.export.targets import TARGETS, export_run

__all__ = [
    "NUMBERS",
    "TARGETS",
    "ProgramLayer",
    "ProgramNet",
    "c_program",
    "event_bytes",
    "event_text",
    "export_run",
    "program_net",
    "program_of_run",
    "write_c",
    "write_events",
]
