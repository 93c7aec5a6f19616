"""Torch modules: they own parameters and call the functional core. Layers, and nets built of them."""

from spikinggamma.nn.layers.activations import LayerActivations, add_gradient
from spikinggamma.nn.layers.conv import Conv2d
from spikinggamma.nn.layers.delays import DELAY_KINDS, AxonalDelays
from spikinggamma.nn.layers.dense import Dense
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.per_neuron import BucketWeightedLayer
from spikinggamma.nn.layers.per_synapse import PerSynapse
from spikinggamma.nn.layers.timescales import Timescales
from spikinggamma.nn.nets.base import SequenceNet
from spikinggamma.nn.nets.count_net import CountNet, CountState
from spikinggamma.nn.nets.factories import conv_net, dense_net
from spikinggamma.nn.nets.gamma_net import GammaNet, NetActivations, NetState
from spikinggamma.nn.nets.gru_net import GRUNet, GRUState
from spikinggamma.nn.nets.surrogate_activations import NeuronActivations, SurrogateActivations, SurrogateState
from spikinggamma.nn.nets.surrogate_net import READOUTS, SurrogateNet
from spikinggamma.nn.neurons.populations import POPULATIONS, NeuronSettings, Population

__all__ = [
    "DELAY_KINDS",
    "POPULATIONS",
    "READOUTS",
    "AxonalDelays",
    "BucketWeightedLayer",
    "Conv2d",
    "CountNet",
    "CountState",
    "Dense",
    "GRUNet",
    "GRUState",
    "GammaLayer",
    "GammaNet",
    "LayerActivations",
    "NetActivations",
    "NetState",
    "NeuronActivations",
    "NeuronSettings",
    "PerSynapse",
    "Population",
    "SequenceNet",
    "SurrogateActivations",
    "SurrogateNet",
    "SurrogateState",
    "Timescales",
    "add_gradient",
    "conv_net",
    "dense_net",
]
