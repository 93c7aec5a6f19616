"""Torch modules: layers, neurons, and nets made of them.

Modules own parameters; the functions of `spikinggamma.functional` define what they compute.
"""

from spikinggamma.nn.first_spike import FirstSpikeLayer, FirstSpikeNet, latency_loss
from spikinggamma.nn.layers.activations import LayerActivations, add_gradient
from spikinggamma.nn.layers.base import LAYERS, Layer
from spikinggamma.nn.layers.batch_norm import BatchNorm, BatchNormThroughTime
from spikinggamma.nn.layers.conv import Conv2d
from spikinggamma.nn.layers.delays import DELAY_KINDS, AxonalDelays
from spikinggamma.nn.layers.dense import Dense
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.integrator import Bias, Integrator
from spikinggamma.nn.layers.learnt_integrator import LearntIntegrator
from spikinggamma.nn.layers.lift import Lift
from spikinggamma.nn.layers.linear import Linear
from spikinggamma.nn.layers.make import make_layer, make_stack
from spikinggamma.nn.layers.per_neuron import BucketWeightedLayer
from spikinggamma.nn.layers.per_synapse import PerSynapse
from spikinggamma.nn.layers.recurrent import Recurrence, Recurrent, RecurrentState
from spikinggamma.nn.layers.stack import Feedback, Residual, Stack, TemporalSkip
from spikinggamma.nn.layers.synaptic_delays import SynapticDelays
from spikinggamma.nn.layers.timescales import Timescales
from spikinggamma.nn.nets.base import NETS, Activations, LayerOutputs, MaskedState, SequenceNet
from spikinggamma.nn.nets.chain import Chain, make_chain
from spikinggamma.nn.nets.chain_activations import ChainActivations, ChainState, LayerCall, NeuronActivations
from spikinggamma.nn.nets.count_net import CountNet, CountState
from spikinggamma.nn.nets.factories import conv_net, dense_net
from spikinggamma.nn.nets.gamma_net import GammaNet, NetActivations, NetState
from spikinggamma.nn.nets.gru_net import GRUNet, GRUState
from spikinggamma.nn.nets.surrogate_net import READOUTS, SurrogateNet
from spikinggamma.nn.neurons.base import NEURONS, Leak, Neuron, make_neuron
from spikinggamma.nn.parameters import KINDS, ParameterKind, parameter_kinds
from spikinggamma.nn.state import StateTree

__all__ = [
    "DELAY_KINDS",
    "KINDS",
    "LAYERS",
    "NETS",
    "NEURONS",
    "READOUTS",
    "Activations",
    "AxonalDelays",
    "BatchNorm",
    "BatchNormThroughTime",
    "Bias",
    "BucketWeightedLayer",
    "Chain",
    "ChainActivations",
    "ChainState",
    "Conv2d",
    "CountNet",
    "CountState",
    "Dense",
    "Feedback",
    "FirstSpikeLayer",
    "FirstSpikeNet",
    "GRUNet",
    "GRUState",
    "GammaLayer",
    "GammaNet",
    "Integrator",
    "Layer",
    "LayerActivations",
    "LayerCall",
    "LayerOutputs",
    "Leak",
    "LearntIntegrator",
    "Lift",
    "Linear",
    "MaskedState",
    "NetActivations",
    "NetState",
    "Neuron",
    "NeuronActivations",
    "ParameterKind",
    "PerSynapse",
    "Recurrence",
    "Recurrent",
    "RecurrentState",
    "Residual",
    "SequenceNet",
    "Stack",
    "StateTree",
    "SurrogateNet",
    "SynapticDelays",
    "TemporalSkip",
    "Timescales",
    "add_gradient",
    "conv_net",
    "dense_net",
    "latency_loss",
    "make_chain",
    "make_layer",
    "make_neuron",
    "make_stack",
    "parameter_kinds",
]
