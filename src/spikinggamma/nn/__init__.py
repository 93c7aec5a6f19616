"""Torch modules: they own parameters and call the functional core. Layers, and nets built of them."""

from spikinggamma.nn.bucket_weighted import BucketWeightedLayer
from spikinggamma.nn.conv import Conv2d
from spikinggamma.nn.dense import Dense
from spikinggamma.nn.layer import GammaLayer
from spikinggamma.nn.lif import LIFNet
from spikinggamma.nn.net import GammaNet, NetState, NetTape
from spikinggamma.nn.per_synapse import PerSynapse
from spikinggamma.nn.stacks import conv_net, dense_net
from spikinggamma.nn.tape import LayerTape, add_gradient
from spikinggamma.nn.timescales import Timescales

__all__ = [
    "BucketWeightedLayer",
    "Conv2d",
    "Dense",
    "GammaLayer",
    "GammaNet",
    "LIFNet",
    "LayerTape",
    "NetState",
    "NetTape",
    "PerSynapse",
    "Timescales",
    "add_gradient",
    "conv_net",
    "dense_net",
]
