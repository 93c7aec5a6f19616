"""Kinds of neurons, each registered in its own file."""

from spikinggamma.nn.neurons.base import NEURONS, Neuron, make_neuron
from spikinggamma.registry import import_modules

__all__ = ["NEURONS", "Neuron", "make_neuron"]

import_modules(__name__, __path__)
