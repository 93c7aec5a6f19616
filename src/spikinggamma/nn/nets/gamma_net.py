"""A feedforward net of SpikingGamma layers with a read-out at its end."""

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
from spikinggamma.nn.nets.base import NETS, SequenceNet, checked_factor, level_of, no_thresholds, steps_of_recordings
from spikinggamma.nn.state import detached

__all__ = ["GammaNet", "NetActivations", "NetState"]


class NetState(NamedTuple):
    """State of every layer, and the dropout masks of this batch of recordings, [B, *out_shape] or None, per hidden layer."""

    layers: tuple[SpikingGammaState, ...]
    masks: tuple[Tensor | None, ...]


class NetActivations(NamedTuple):
    """What a chunk leaves behind: one tape a layer, the dropout masks, and what a unit of output costs at each step.

    `cost` [T, B] is blame that falls on every hidden neuron's y besides what its listeners tell it; None where speaking is
    free.
    """

    layers: tuple[LayerActivations, ...]
    masks: tuple[Tensor | None, ...]
    cost: Float[Tensor, "T B"] | None = None

    def priced(self, cost: Float[Tensor, "T B"]) -> NetActivations:
        """The same at that cost."""
        return self._replace(cost=cost)


@NETS.register("spikinggamma", title="SpikingGamma", citations=(SPIKINGGAMMA, GAMMA_MEMORY))
class GammaNet(SequenceNet[NetState, NetActivations]):
    """Layers in a row; the last is the read-out.

    Args:
        layers: At least a read-out. All share the time constant of bucket 0, which is how listeners decode a sender.
        input_gain: Height of a recorded event.
        dropout: Share of hidden neurons silenced for a whole recording while training; the others speak louder.

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
                "tau_ms", sorted(firsts), "the same bucket 0 in every layer: it decodes the senders"
            )
        if not input_gain > 0.0:
            raise SpikingGammaError("input_gain", input_gain, "a positive number")
        self.layers = nn.ModuleList(layers)
        self.input_gain = input_gain

    @property
    def stack(self) -> tuple[GammaLayer, ...]:
        """The layers, typed."""
        return tuple(layer for layer in self.layers if isinstance(layer, GammaLayer))

    @property
    def hidden(self) -> tuple[GammaLayer, ...]:
        """The layers that spike."""
        return self.stack[:-1]

    @property
    def classes(self) -> int:
        """C, the number of outputs."""
        return self.stack[-1].neurons

    def initial_state(self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True) -> NetState:
        """Zero states, and fresh dropout masks where the net is in training mode and `dropout` is wanted."""
        shapes = [layer.out_shape for layer in self.hidden]
        masks = self.dropout_masks(batch, shapes, generator, dropout, self.stack[-1].bias)
        return NetState(tuple(layer.initial_state(batch) for layer in self.stack), masks)

    def forward(
        self, spikes: Float[Tensor, "T B *in_shape"], state: NetState | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], NetState]:
        """Logits at every step, differentiable by autograd; blame ends at the start of the call.

        Args:
            spikes: Event counts per step.
            state: From the call before, for a recording in chunks; None starts a recording.
            dt_ms: Time step; at most the shortest bucket's time constant.
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
        """The same chunk without autograd: what it leaves behind for learning, and the state after it."""
        state = self._own(state)
        signal, all_activations, after = self._heard(spikes), [], []
        for layer, before, mask in zip(self.stack, state.layers, (*state.masks, None), strict=True):
            activations, new = layer.run(signal.reshape(*signal.shape[:2], *layer.in_shape), before, dt_ms)
            signal = activations.outputs if mask is None else activations.outputs * mask
            all_activations.append(activations)
            after.append(new)
        return NetActivations(tuple(all_activations), state.masks), NetState(tuple(after), state.masks)

    def scale_thresholds_(self, factor: float) -> None:
        """See `SequenceNet.scale_thresholds_`; spikes grow as high as their thresholds, so listeners decode the same signal."""
        factor = checked_factor(factor)
        for layer in self.hidden:
            if layer.code is None:
                raise no_thresholds("a net that passes the signal itself")
            layer.code = layer.code._replace(threshold=factor * layer.code.threshold)

    def _own(self, state: NetState) -> NetState:
        """`state`, if it could be this net's."""
        if len(state.layers) != len(self.stack):
            expected = f"{len(self.stack)}, this net's"
            raise SpikingGammaError("state", f"states of {len(state.layers)} layers", expected)
        return state

    def _heard(self, spikes: Tensor) -> Tensor:
        """Events at the height at which the first layer hears them."""
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
        """Scale each layer's weights, from the input upwards, until its signal's root mean square is right on this batch.

        Fan-in alone leaves deep nets silent: what a layer sends depends on how its signal compares with the threshold. Here
        every hidden layer gets a root mean square of `signal_per_threshold` ϑ_0 and the read-out one of 1, so that nets of
        any depth start with every layer speaking.

        Returns:
            The factor by which each layer's weights were scaled.

        Raises:
            SpikingGammaError: the batch has no event, or a layer hears nothing of it.
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
