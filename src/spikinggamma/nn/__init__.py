"""Torch modules: they own parameters and call the functional core. Layers, and nets built of them."""

from spikinggamma.nn.axons import AXONS, Axons
from spikinggamma.nn.bucket_weighted import BucketWeightedLayer
from spikinggamma.nn.conv import Conv2d
from spikinggamma.nn.count_net import CountNet, CountState
from spikinggamma.nn.dense import Dense
from spikinggamma.nn.gru_net import GRUNet, GRUState
from spikinggamma.nn.layer import GammaLayer
from spikinggamma.nn.net import GammaNet, NetState, NetTape
from spikinggamma.nn.per_synapse import PerSynapse
from spikinggamma.nn.populations import POPULATIONS, NeuronSettings, Population
from spikinggamma.nn.spiking_net import SpikingNet
from spikinggamma.nn.stacks import conv_net, dense_net
from spikinggamma.nn.surrogate_net import READOUTS, SurrogateNet
from spikinggamma.nn.surrogate_tape import PopulationTape, SurrogateState, SurrogateTape
from spikinggamma.nn.tape import LayerTape, add_gradient
from spikinggamma.nn.timescales import Timescales
from spikinggamma.nn.work import DENSE, GRADED, UNIT, LayerWork, Work

__all__ = [
    "AXONS",
    "DENSE",
    "GRADED",
    "POPULATIONS",
    "READOUTS",
    "UNIT",
    "Axons",
    "BucketWeightedLayer",
    "Conv2d",
    "CountNet",
    "CountState",
    "Dense",
    "GRUNet",
    "GRUState",
    "GammaLayer",
    "GammaNet",
    "LayerTape",
    "LayerWork",
    "NetState",
    "NetTape",
    "NeuronSettings",
    "PerSynapse",
    "Population",
    "PopulationTape",
    "SpikingNet",
    "SurrogateNet",
    "SurrogateState",
    "SurrogateTape",
    "Timescales",
    "Work",
    "add_gradient",
    "conv_net",
    "dense_net",
]
