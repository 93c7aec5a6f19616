"""Predictions from endless streams of events, in order and in bounded memory, resumable after a crash."""

from spikinggamma.stream.aer import AerParser, encode_aer
from spikinggamma.stream.build import make_engine
from spikinggamma.stream.checkpoint import load_state
from spikinggamma.stream.cursor import Row, Tally
from spikinggamma.stream.engine import Engine
from spikinggamma.stream.formats import encode_text, format_of, header, make_parser, recording_items, spoken
from spikinggamma.stream.latency import Latencies
from spikinggamma.stream.online_learner import LearningOptions, Teacher
from spikinggamma.stream.ordering import Late, Order, Ordered, parse_late
from spikinggamma.stream.output import Output, ReaderGone
from spikinggamma.stream.parsing import Parsed, Parser, Vocabulary
from spikinggamma.stream.readout import Evidence, Readout
from spikinggamma.stream.recent import Heard, Memory
from spikinggamma.stream.records import Items, Kind, join, no_items
from spikinggamma.stream.session import StreamInterrupted, stream
from spikinggamma.stream.settings import Settings, Summary
from spikinggamma.stream.socket_source import SocketSource
from spikinggamma.stream.sources import Block, FileSource, PipeSource, Source
from spikinggamma.stream.text import TextParser
from spikinggamma.stream.throughput import Figures, View, figures_table, view_for

__all__ = [
    "AerParser",
    "Block",
    "Engine",
    "Evidence",
    "Figures",
    "FileSource",
    "Heard",
    "Items",
    "Kind",
    "Late",
    "Latencies",
    "LearningOptions",
    "Memory",
    "Order",
    "Ordered",
    "Output",
    "Parsed",
    "Parser",
    "PipeSource",
    "ReaderGone",
    "Readout",
    "Row",
    "Settings",
    "SocketSource",
    "Source",
    "StreamInterrupted",
    "Summary",
    "Tally",
    "Teacher",
    "TextParser",
    "View",
    "Vocabulary",
    "encode_aer",
    "encode_text",
    "figures_table",
    "format_of",
    "header",
    "join",
    "load_state",
    "make_engine",
    "make_parser",
    "no_items",
    "parse_late",
    "recording_items",
    "spoken",
    "stream",
    "view_for",
]
