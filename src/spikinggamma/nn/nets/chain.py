"""A net as a chain of layers, each of which maps a sequence and a state, with time as the first axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.layers.make import make_stack
from spikinggamma.nn.layers.recurrent import Recurrent
from spikinggamma.nn.layers.stack import Stack
from spikinggamma.nn.nets.base import NETS, SequenceNet
from spikinggamma.nn.nets.calibration import calibrate_layers
from spikinggamma.nn.nets.chain_activations import ChainActivations, ChainState, by_neurons, recorded, spikes
from spikinggamma.nn.nets.checks import check_batch, checked_factor, no_thresholds, steps_of_recordings
from spikinggamma.nn.neurons.base import Neuron
from spikinggamma.nn.state import detached

__all__ = ["Chain", "make_chain"]


@NETS.register("chain", summary="Layers in sequence, given by [[layers]] in a recipe.")
class Chain(SequenceNet[ChainState, ChainActivations]):
    """Layers in sequence; the output of the last one is the net's output: logits, or spikes of output neurons.

    Args:
        layers: Layers of `spikinggamma.nn`; any other module of torch must be wrapped in `Lift`.
        in_shape: Shape of one sample's input at one step.
        dropout: Probability that a neuron of a hidden spiking layer is silenced for a whole recording in training; the
            outputs of the others are scaled up.

    Raises:
        SpikingGammaError: There is no layer, a module is not a layer, or outputs have more than one axis.

    Shapes: spikes [T, B, *in_shape] to logits [T, B, C].

    Example:
        >>> from spikinggamma.nn import Integrator, Linear, make_neuron
        >>> layers = [Linear(3, 8), make_neuron("lif", (8,)), Linear(8, 2), Integrator((2,), tau_ms=20.0)]
        >>> logits, state = Chain(layers, (3,))(torch.ones(5, 4, 3), dt_ms=1.0)
        >>> logits.shape
        torch.Size([5, 4, 2])
    """

    def __init__(self, layers: Sequence[Layer], in_shape: Sequence[int], *, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        self.stack = Stack(layers, in_shape)
        if not layers or len(self.stack.out_shape) != 1:
            found = f"{len(layers)} layers, outputs {list(self.stack.out_shape)}"
            raise SpikingGammaError(
                "layers", found, "at least one layer, and outputs with one axis: a number for each class"
            )

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of the chain."""
        return self.stack.row

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Return the shape of one sample's input at one step."""
        return self.stack.in_shape

    @property
    def spiking(self) -> tuple[Neuron | Recurrent | GammaLayer, ...]:
        """Return every layer that spikes, including those inside blocks, in order."""
        inside = {id(layer.neuron) for layer in self.modules() if isinstance(layer, Recurrent)}
        return tuple(
            layer
            for layer in self.modules()
            if isinstance(layer, Neuron | Recurrent | GammaLayer) and spikes(layer) and id(layer) not in inside
        )

    @property
    def hidden(self) -> tuple[Neuron | Recurrent | GammaLayer, ...]:
        """Return the spiking layers below the read-out."""
        return tuple(layer for layer in self.spiking if layer is not self.layers[-1])

    @property
    def classes(self) -> int:
        """Return C, the number of outputs."""
        return self.stack.out_shape[0]

    def initial_state(
        self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True
    ) -> ChainState:
        """Return the state at the start of recordings; see `SequenceNet.initial_state`."""
        masked = [layer.out_shape if spikes(layer) else None for layer in self.layers[:-1]] + [None]
        drawn = iter(
            self.dropout_masks(batch, [one for one in masked if one is not None], generator, dropout, self.like())
        )
        masks = tuple(None if shape is None else next(drawn) for shape in masked)
        return ChainState(self.stack.initial_state(batch), masks)

    def like(self) -> Tensor:
        """Return a tensor of the type and on the device of the net."""
        return next(iter(self.parameters()), torch.zeros(()))

    def forward(
        self, spikes: Float[Tensor, "T B *in_shape"], state: ChainState | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], ChainState]:
        """Return logits at every step and the final state; see `SequenceNet.forward`."""
        before = self.initial_state(spikes.shape[1]) if state is None else detached(state)
        activations, after = self.run(spikes, before, dt_ms)
        return activations.layers[-1].outputs, after

    def run(
        self, spikes: Float[Tensor, "T B *in_shape"], state: ChainState, dt_ms: float
    ) -> tuple[ChainActivations, ChainState]:
        """Run a chunk; see `SequenceNet.run`. It is differentiable if gradients are enabled, also by the state.

        Args:
            spikes: [T, B, *in_shape].
            state: State before the chunk.
            dt_ms: Time step in ms.

        Raises:
            SpikingGammaError: The input does not fit the net, or the state belongs to another batch or net.
        """
        signal = self._checked(spikes, state, dt_ms)
        after = []
        with recorded(self) as calls:
            for layer, before, mask in zip(self.layers, state.layers, state.masks, strict=True):
                signal, new = layer(signal, before, dt_ms)
                signal = signal if mask is None else signal * mask
                after.append(new)
        layers = by_neurons(calls, self.hidden, signal)
        return ChainActivations(layers, state.masks, tuple(calls)), ChainState(tuple(after), state.masks)

    def scale_thresholds_(self, factor: float) -> None:
        """Multiply the resting threshold of every neuron; see `SequenceNet.scale_thresholds_`."""
        factor = checked_factor(factor)
        if not self.spiking:
            raise no_thresholds("a chain without neurons")
        for layer in self.spiking:
            if isinstance(layer, GammaLayer):
                assert layer.code is not None
                layer.code = layer.code._replace(threshold=factor * layer.code.threshold)
            else:
                neuron = layer.neuron if isinstance(layer, Recurrent) else layer
                neuron.scale_threshold_(factor)

    def constrain_(self) -> None:
        """Put delays and other bounded parameters back into their bounds."""
        for module in self.stack.modules():
            constrain = getattr(module, "constrain_", None)
            if callable(constrain):
                constrain()

    @torch.no_grad()
    def calibrate(
        self,
        spikes: Float[Tensor, "T B *in_shape"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        signal_per_threshold: float = 1.0,
    ) -> list[float]:
        """Scale weights, from the input upwards, so that in a net of any depth all layers spike from the start.

        On this batch, the root mean square of a membrane that never resets becomes `signal_per_threshold` ϑ, and that
        of the logits 1. Weights before a normalisation are not changed, since it cancels any scale.

        Args:
            spikes: [T, B, *in_shape].
            dt_ms: Time step in ms.
            lengths: Number of steps of each recording, [B]; None without padding.
            signal_per_threshold: Root mean square of a membrane, in thresholds.

        Returns:
            The factor of each layer of weights.

        Raises:
            SpikingGammaError: The batch has no event, or a layer receives no input from it.
        """
        state = self.initial_state(spikes.shape[1], dropout=False)
        signal = self._checked(spikes, state, dt_ms)
        valid = steps_of_recordings(spikes, lengths)
        factors: list[float] = []
        calibrate_layers(self.stack, signal, dt_ms, valid, signal_per_threshold, factors)
        return factors

    def _checked(self, spikes: Tensor, state: ChainState, dt_ms: float) -> Tensor:
        """Return the input in the shape of the net."""
        if not (dt_ms > 0.0 and math.isfinite(dt_ms)):
            raise SpikingGammaError("dt_ms", dt_ms, "a positive, finite number")
        check_batch(spikes, self.in_shape, self.like())
        if len(state.layers) != len(self.layers):
            expected = f"{len(self.layers)}, this net's"
            raise SpikingGammaError("state", f"states of {len(state.layers)} layers", expected)
        return spikes.reshape(*spikes.shape[:2], *self.in_shape)


def make_chain(
    specifications: Sequence[Mapping[str, Any]],
    in_shape: Sequence[int],
    *,
    dropout: float = 0.0,
    generator: torch.Generator | None = None,
) -> Chain:
    """Return a chain of named layers, as a recipe specifies them.

    Args:
        specifications: Specification of each layer, as `make_layer` takes it.
        in_shape: Shape of one sample's input at one step.
        dropout: Dropout of the chain.
        generator: Random numbers of the initial parameters.

    Raises:
        SpikingGammaError: As `make_stack` and `Chain`.

    Example:
        >>> layers = [{"layer": "linear", "neurons": 8}, {"layer": "lif"}, {"layer": "linear", "neurons": 2}]
        >>> make_chain(layers, (3,)).classes
        2
    """
    return Chain(make_stack(specifications, in_shape, generator).row, in_shape, dropout=dropout)
