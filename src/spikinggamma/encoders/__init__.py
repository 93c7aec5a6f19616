"""Encoders, which convert sampled signals to events and back, each registered in its own file."""

from spikinggamma.encoders.base import ENCODERS, Encoder, SampledSignal, make_encoder
from spikinggamma.registry import import_modules

__all__ = ["ENCODERS", "Encoder", "SampledSignal", "make_encoder"]

import_modules(__name__, __path__)
