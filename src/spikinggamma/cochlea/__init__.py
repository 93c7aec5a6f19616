"""Conversion of sound to spikes by a model of basilar membrane, hair cells and bushy cells."""

from __future__ import annotations

from spikinggamma.cochlea.bushy_cell import bushy_spikes
from spikinggamma.cochlea.convert import VERSION, Cochlea, SpikeTrain, convert, prepare
from spikinggamma.cochlea.hair_cell import resting_probability, spike_probability
from spikinggamma.cochlea.membrane import positions_cm, transfer, velocity

__all__ = [
    "VERSION",
    "Cochlea",
    "SpikeTrain",
    "bushy_spikes",
    "convert",
    "positions_cm",
    "prepare",
    "resting_probability",
    "spike_probability",
    "transfer",
    "velocity",
]
