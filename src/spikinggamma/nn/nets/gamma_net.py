"""A feedforward net of SpikingGamma layers with a read-out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.bibliography import GAMMA_MEMORY, SPIKINGGAMMA
from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SpikingGammaState
from spikinggamma.nn.layers.activations import LayerActivations
from spikinggamma.nn.layers.gamma_layer import GammaLayer
from spikinggamma.nn.nets.base import NETS, SequenceNet
from spikinggamma.nn.nets.checks import checked_factor, level_of, no_thresholds, steps_of_recordings
from spikinggamma.nn.state import detached

__all__ = ["GammaNet", "NetActivations", "NetState"]


class NetState(NamedTuple):
    """State of every layer, and the dropout mask of every hidden layer for this batch, [B, *out_shape] or None."""

    layers: tuple[SpikingGammaState, ...]
    masks: tuple[Tensor | None, ...]


class NetActivations(NamedTuple):
    """Activations of a net in a chunk.

    Attributes:
        layers: Activations of each layer.
        masks: Dropout masks of the hidden layers.
        cost: Gradient with respect to every hidden neuron's y from the activity cost at each step, [T, B], in addition
            to that from the next layer; None without a cost.
    """

    layers: tuple[LayerActivations, ...]
    masks: tuple[Tensor | None, ...]
    cost: Float[Tensor, "T B"] | None = None

    def priced(self, cost: Float[Tensor, "T B"]) -> NetActivations:
        """Return the same activations with an activity cost at each step, [T, B]."""
        return self._replace(cost=cost)


@NETS.register("spikinggamma", title="SpikingGamma", citations=(SPIKINGGAMMA, GAMMA_MEMORY))
class GammaNet(SequenceNet[NetState, NetActivations]):
    """SpikingGamma layers in sequence; the last is the read-out.

    Args:
        layers: At least a read-out. All layers have the same time constant of bucket 0, by which a layer decodes the
            spikes of the one below.
        input_gain: Height of an input event.
        dropout: Probability that a hidden neuron is silenced for a whole recording in training; the outputs of the
            others are scaled up.

    Raises:
        SpikingGammaError: The layers do not fit one another, or a value is out of range.

    Shapes: spikes [T, B, *in_shape] to logits [T, B, C].

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> net = dense_net((3, 8, 2), tau_ms=(4.0, 8.0))
        >>> logits, state = net(torch.ones(5, 4, 3), dt_ms=2.0)
        >>> logits.shape
        torch.Size([5, 4, 2])
    """

    def __init__(self, layers: Sequence[GammaLayer], *, input_gain: float = 1.0, dropout: float = 0.0) -> None:
        super().__init__(dropout)
        if not layers or not layers[-1].readout or any(layer.readout for layer in layers[:-1]):
            raise SpikingGammaError("layers", f"{len(layers)} layers", "hidden layers, then one read-out at the end")
        for below, above in pairwise(layers):
            if torch.Size(below.out_shape).numel() != torch.Size(above.in_shape).numel():
                raise SpikingGammaError(
                    "layers", f"{below.out_shape} into {above.in_shape}", "shapes that fit each other"
                )
        firsts = {round(float(layer.timescales.tau_ms()[0].detach()), 6) for layer in layers}
        if len(firsts) > 1:
            raise SpikingGammaError(
                "tau_ms", sorted(firsts), "the same bucket 0 in every layer, since it decodes spikes"
            )
        if not input_gain > 0.0:
            raise SpikingGammaError("input_gain", input_gain, "a positive number")
        self.layers = nn.ModuleList(layers)
        self.input_gain = input_gain

    @property
    def stack(self) -> tuple[GammaLayer, ...]:
        """Return the layers as a tuple."""
        return tuple(layer for layer in self.layers if isinstance(layer, GammaLayer))

    @property
    def hidden(self) -> tuple[GammaLayer, ...]:
        """Return the layers below the read-out."""
        return self.stack[:-1]

    @property
    def classes(self) -> int:
        """Return C, the number of outputs."""
        return self.stack[-1].neurons

    def initial_state(self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True) -> NetState:
        """Return zero states, with new dropout masks in training mode; see `SequenceNet.initial_state`."""
        shapes = [layer.out_shape for layer in self.hidden]
        masks = self.dropout_masks(batch, shapes, generator, dropout, self.stack[-1].bias)
        return NetState(tuple(layer.initial_state(batch) for layer in self.stack), masks)

    def forward(
        self, spikes: Float[Tensor, "T B *in_shape"], state: NetState | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], NetState]:
        """Return logits at every step and the final state, by autograd; gradients end at the start of the call.

        Args:
            spikes: Event counts per step, [T, B, *in_shape].
            state: State of the call before, for a recording in chunks; None starts a recording.
            dt_ms: Time step in ms; at most the shortest time constant.
        """
        given = self.initial_state(spikes.shape[1]) if state is None else state
        state = self._own(given._replace(layers=detached(given.layers)))
        signal, after = self._heard(spikes), []
        for layer, before, mask in zip(self.stack, state.layers, (*state.masks, None), strict=True):
            signal, new = layer(signal.reshape(*signal.shape[:2], *layer.in_shape), before, dt_ms)
            signal = signal if mask is None else signal * mask
            after.append(detached(new))
        return signal, NetState(tuple(after), state.masks)

    def run(
        self, spikes: Float[Tensor, "T B *in_shape"], state: NetState, dt_ms: float
    ) -> tuple[NetActivations, NetState]:
        """Run a chunk without autograd; return its activations and the state after it. See `SequenceNet.run`."""
        state = self._own(state)
        signal, all_activations, after = self._heard(spikes), [], []
        for layer, before, mask in zip(self.stack, state.layers, (*state.masks, None), strict=True):
            activations, new = layer.run(signal.reshape(*signal.shape[:2], *layer.in_shape), before, dt_ms)
            signal = activations.outputs if mask is None else activations.outputs * mask
            all_activations.append(activations)
            after.append(new)
        return NetActivations(tuple(all_activations), state.masks), NetState(tuple(after), state.masks)

    def scale_thresholds_(self, factor: float) -> None:
        """Multiply all thresholds; see `SequenceNet.scale_thresholds_`.

        The height of spikes is scaled too, so the next layer decodes the same signal.
        """
        factor = checked_factor(factor)
        for layer in self.hidden:
            if layer.code is None:
                raise no_thresholds("a net that passes the signal itself")
            layer.code = layer.code._replace(threshold=factor * layer.code.threshold)

    def _own(self, state: NetState) -> NetState:
        """Return `state`, after a check that it can be a state of this net."""
        if len(state.layers) != len(self.stack):
            expected = f"{len(self.stack)}, this net's"
            raise SpikingGammaError("state", f"states of {len(state.layers)} layers", expected)
        return state

    def _heard(self, spikes: Tensor) -> Tensor:
        """Return the input events scaled by the input gain, in the shape of the first layer."""
        wanted = self.stack[0].in_shape
        if spikes.ndim < 3 or spikes.shape[2:].numel() != torch.Size(wanted).numel():
            raise SpikingGammaError("spikes", list(spikes.shape), f"[T, B, {', '.join(map(str, wanted))}]")
        return spikes * self.input_gain

    @torch.no_grad()
    def calibrate(
        self,
        spikes: Float[Tensor, "T B *in_shape"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        signal_per_threshold: float = 5.0,
    ) -> list[float]:
        """Scale each layer's weights, from the input upwards, so that its signal has the right size on this batch.

        Scaling by fan-in alone leaves deep nets silent, because spikes depend on the size of the signal relative to the
        threshold. Here every hidden layer gets a root mean square of `signal_per_threshold` ϑ_0 and the read-out one of
        1, so that in nets of any depth every layer spikes from the start.

        Args:
            spikes: [T, B, *in_shape].
            dt_ms: Time step in ms.
            lengths: Number of steps of each recording, [B]; None without padding.
            signal_per_threshold: Root mean square of a hidden signal, in thresholds.

        Returns:
            The factor of each layer's weights.

        Raises:
            SpikingGammaError: The batch has no event, or a layer receives no input from it.
        """
        factors = []
        state = self.initial_state(spikes.shape[1])
        valid = steps_of_recordings(spikes, lengths)
        signal = self._heard(spikes)
        for index, (layer, before) in enumerate(zip(self.stack, state.layers, strict=True)):
            inputs = signal.reshape(*signal.shape[:2], *layer.in_shape)
            activations, _ = layer.run(inputs, before, dt_ms)
            level = level_of(activations.signal - layer.cell_bias(), valid, index)
            threshold = layer.code.threshold if layer.code is not None else 0.1
            factor = (1.0 if layer.readout else signal_per_threshold * threshold) / level
            layer.weight.mul_(factor)
            factors.append(factor)
            signal = layer.run(inputs, before, dt_ms)[0].outputs
        return factors
