"""Reading a chain as blocks for online rules: delays, weights and neurons with or without recurrence; last a read-out.

block:     layers without parameters, [AxonalDelays], weights (linear or convolutional, with layers without parameters
           and biases behind them), neurons | Recurrent(neurons)
read-out:  the same weights, [Integrator], biases
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import DelayState
from spikinggamma.learning.signals import (
    Arrived,
    BiasSignal,
    DelaySignal,
    MapSignal,
    MatrixSignal,
    RecurrentSignal,
    Signal,
    WeightSignal,
)
from spikinggamma.nn import (
    AxonalDelays,
    Bias,
    Chain,
    ChainActivations,
    Integrator,
    Layer,
    Lift,
    Linear,
    Neuron,
    Recurrent,
    RecurrentState,
    StateTree,
)

__all__ = ["Block", "read_blocks"]


class Block:
    """Weights and the neurons or the integrator that they drive.

    Args:
        row: The layers before the weights, the weights, and the layers between them and the neurons or the integrator.
        first: Index of the weights in `row`.
        population: The neurons, or the integrator of a read-out; None for a read-out without memory.
        place: Index of the population in the chain.
        in_shape: Shape of the input of the row.
    """

    def __init__(
        self, row: Sequence[Layer], first: int, population: Layer | None, place: int, in_shape: Sequence[int]
    ) -> None:
        before = row[:first]
        self.delays = before[-1] if before and isinstance(before[-1], AxonalDelays) else None
        self.lead = before[:-1] if self.delays is not None else before
        self.weights = row[first:]
        self.population = population
        self.place = place
        self.in_shape = tuple(in_shape)
        self.weights_in_shape = before[-1].out_shape if before else self.in_shape

    @property
    def neuron(self) -> Neuron:
        """Return the neurons, without the recurrence around them."""
        neuron = self.population.neuron if isinstance(self.population, Recurrent) else self.population
        assert isinstance(neuron, Neuron)
        return neuron

    @property
    def linear(self) -> Linear | None:
        """Return the weights if they are fully connected and only biases follow before the neurons, else None."""
        first, *rest = self.weights
        plain = isinstance(first, Linear) and all(isinstance(layer, Bias) for layer in rest)
        return first if plain and isinstance(first, Linear) else None

    def signals(self) -> list[Signal]:
        """Return every parameter of the block together with the signal that it multiplies."""
        found: list[Signal] = []
        linear = self.linear
        if linear is not None:
            found += [WeightSignal(linear), *(BiasSignal(one) for one in self.weights[1:] if isinstance(one, Bias))]
            found += [] if self.delays is None else [DelaySignal(self.delays, linear)]
        else:
            maps = [MapSignal(self.weights, self.weights_in_shape, biases=biases) for biases in (False, True)]
            found += [one for one in maps if one.parameters]
        return [*found, RecurrentSignal(self.population)] if isinstance(self.population, Recurrent) else found

    def matrix_signals(self, rule: str) -> list[MatrixSignal]:
        """Return the signals of the block for a rule with an eligibility trace for each synapse.

        Args:
            rule: Name of the rule, for the error.

        Raises:
            SpikingGammaError: The weights are shared by several neurons.
        """
        found = [signal for signal in self.signals() if isinstance(signal, MatrixSignal)]
        if len(found) < len(self.signals()):
            kind = type(getattr(self.weights[0], "module", self.weights[0])).__name__
            found_there = f"{rule} for layer {self.place - len(self.weights)} ({kind})"
            expected = "fully connected weights (`linear`), since an eligibility is kept for each synapse"
            raise SpikingGammaError("rule", found_there, expected, "ottt, es_d_rtrl and truncated take convolutions.")
        return found

    def arrived(self, activations: ChainActivations) -> Arrived:
        """Return the inputs that the neurons received in a chunk."""
        calls = {id(call.layer): call for call in activations.calls}
        at_weights = calls[id(self.weights[0])]
        delayed = at_weights if self.delays is None else calls[id(self.delays)]
        echoes = None
        if isinstance(self.population, Recurrent):
            own = calls[id(self.population)]
            assert isinstance(own.before, RecurrentState)
            echoes = torch.cat([own.before.spikes.unsqueeze(0), own.outputs[:-1]]).flatten(2)
        past = None if self.delays is None else delayed.before
        assert past is None or isinstance(past, DelayState)
        return Arrived(delayed.inputs, at_weights.inputs, past, echoes)

    def population_call(self, activations: ChainActivations) -> tuple[StateTree, Tensor, Tensor]:
        """Return the state of the neurons before the chunk, their whole drive, and their spikes, [T, B, *shape]."""
        call = next(call for call in activations.calls if call.layer is self.population)
        if not isinstance(self.population, Recurrent):
            return call.before, call.inputs, call.outputs
        echoes = self.arrived(activations).echoes
        assert echoes is not None
        assert isinstance(call.before, RecurrentState)
        heard = nn.functional.linear(echoes, self.population.recurrent_weight.detach()).view_as(call.inputs)
        return call.before.neuron, call.inputs + heard, call.outputs

    def propagate_down(
        self, grad: Float[Tensor, "T B N"], activations: ChainActivations
    ) -> Float[Tensor, "T B *in_shape"]:
        """Return Wᵀ applied to the error signal of the drive: the error signal of the block's input, but for delays."""
        if self.linear is not None and not self.lead:
            return (grad @ self.linear.weight.detach()).view(*grad.shape[:2], *self.in_shape)
        calls = {id(call.layer): call for call in activations.calls}
        entered = calls[id((*self.lead, *self.weights)[0])].inputs
        with torch.enable_grad():
            inputs = signal = entered.detach().requires_grad_()
            for layer in (*self.lead, *self.weights):
                signal, _ = layer(signal, None, 1.0)
            (found,) = torch.autograd.grad(signal, inputs, grad.view_as(signal))
        return found


def read_blocks(net: Chain, rule: str) -> list[Block]:
    """Return the hidden blocks of a chain, followed by its read-out.

    Args:
        net: The chain.
        rule: Name of the rule, for errors.

    Raises:
        SpikingGammaError: The rule does not support a layer; the message names the layer and the reason.
    """
    blocks: list[Block] = []
    row: list[Layer] = []
    first, shape = -1, net.in_shape
    for place, layer in enumerate(net.layers):
        last_block = isinstance(layer, Integrator)
        if isinstance(layer, Neuron | Recurrent) or last_block:
            if first < 0:
                raise _refused(rule, net, place, "weights in front of neurons")
            if isinstance(layer, Neuron | Recurrent):
                neuron = layer.neuron if isinstance(layer, Recurrent) else layer
                if not all(_is_own(parameter, neuron) for parameter in neuron.parameters()):
                    raise _refused(rule, net, place, "neurons whose parameters are numbers of each neuron, or of all")
                if place == len(net.layers) - 1:
                    raise _refused(rule, net, place, "a read-out that does not spike")
            blocks.append(Block(row, first, layer, place, shape))
            row, first, shape = [], -1, layer.out_shape
            if last_block:
                return [*blocks, *_checked_end(net, rule, place + 1)]
            continue
        _check_layer(rule, net, place, in_weights=first >= 0)
        if isinstance(layer, AxonalDelays):
            after = net.layers[place + 1] if place + 1 < len(net.layers) else None
            if not isinstance(after, Linear):
                raise _refused(rule, net, place, "delays directly in front of `linear` weights")
        if first < 0 and any(True for _ in layer.parameters()) and not isinstance(layer, AxonalDelays):
            first = len(row)
        row.append(layer)
    if first < 0:
        raise _refused(rule, net, len(net.layers) - 1, "a read-out with weights")
    return [*blocks, Block(row, first, None, len(net.layers), shape)]


def _is_own(parameter: nn.Parameter, neuron: Neuron) -> bool:
    """Return whether each neuron has one number of a parameter; several may share it."""
    sides = zip(reversed(parameter.shape), reversed(neuron.out_shape), strict=False)
    return parameter.ndim <= len(neuron.out_shape) and all(side in (1, whole) for side, whole in sides)


def _checked_end(net: Chain, rule: str, place: int) -> list[Block]:
    for behind, layer in enumerate(net.layers[place:], start=place):
        if not isinstance(layer, Bias):
            raise _refused(rule, net, behind, "nothing but a bias behind the integrator of the read-out")
    return []


def _check_layer(rule: str, net: Chain, place: int, *, in_weights: bool) -> None:
    layer = net.layers[place]
    if isinstance(layer, AxonalDelays):
        if in_weights:
            raise _refused(rule, net, place, "delays in front of weights")
        return
    if not isinstance(layer, Linear | Lift | Bias):
        expected = "layers in a row: weights, pooling, delays, neurons, an integrator"
        raise _refused(rule, net, place, expected)
    if isinstance(layer, Linear):
        if in_weights:
            raise _refused(rule, net, place, "neurons between two layers of weights")
        return
    if isinstance(layer, Lift) and any(isinstance(one, nn.modules.dropout._DropoutNd) for one in layer.modules()):
        raise _refused(rule, net, place, "no dropout by step (net.dropout is drawn once a recording)")
    learns = any(True for _ in layer.parameters())
    if learns and in_weights and not isinstance(layer, Bias):
        raise _refused(rule, net, place, "neurons between two layers of weights")
    if (learns or in_weights) and not _is_affine(layer):
        raise _refused(rule, net, place, "linear layers between what arrives at weights and the neurons")


@torch.no_grad()
def _is_affine(layer: Layer) -> bool:
    """Return whether the layer is an affine map, as tested with random inputs."""
    shape = layer.in_shape if isinstance(layer, Lift) else layer.out_shape
    like = next(iter(layer.parameters()), torch.zeros(()))
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(1, 1, *shape, generator=generator, dtype=torch.float64).to(like) for _ in range(2))
    of_both, of_x, of_y, of_none = (layer(one, None, 1.0)[0] for one in (x + y, x, y, torch.zeros_like(x)))
    return torch.allclose(of_both + of_none, of_x + of_y, rtol=1e-3, atol=1e-4)


def _refused(rule: str, net: Chain, place: int, expected: str) -> SpikingGammaError:
    layer = net.layers[place]
    kind = type(layer.module if isinstance(layer, Lift) else layer).__name__
    remedy = "bptt and windowed_bptt take any chain."
    return SpikingGammaError("rule", f"{rule} for a chain whose layer {place} is {kind}", expected, remedy)
