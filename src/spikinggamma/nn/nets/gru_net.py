"""Gated recurrent units on binned counts, the dense net with which spiking nets are compared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.bibliography import GATED_UNITS
from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.nets.base import NETS, SequenceNet
from spikinggamma.nn.nets.chain_activations import ChainActivations, NeuronActivations
from spikinggamma.nn.nets.checks import (
    check_spikes,
    check_state,
    checked_sizes,
    level_of,
    no_thresholds,
    steps_of_recordings,
)
from spikinggamma.nn.state import detached

__all__ = ["GRUNet", "GRUState"]


class GRUState(NamedTuple):
    """State h of each hidden layer, [B, N], zero at the start of a recording, and dropout masks."""

    hidden: tuple[Float[Tensor, "B N"], ...]
    masks: tuple[Tensor | None, ...]


class _Units(nn.GRU):
    """One layer of gated units, which do not spike."""

    @property
    def neurons(self) -> int:
        return self.hidden_size


@NETS.register(
    "gru", title="GRU", summary="Gated recurrent units on the counts of each step.", citations=(GATED_UNITS,)
)
class GRUNet(SequenceNet[GRUState, ChainActivations]):
    """Layers of `torch.nn.GRU` on the counts of each step, with logits that are linear in the last layer's h(t).

        r, z = σ(W_r s + U_r h + b), σ(W_z s + U_z h + b)        s(t): counts of the step, divided by one scale
        h(t) = (1 - z) ⊙ tanh(W s + a + r ⊙ (U h + c)) + z ⊙ h(t-1)

    The weights depend on the time step of training: at half the time step the counts are half as large, and the net
    forgets twice as fast.

    Args:
        sizes: Inputs, hidden layers, classes: `(70, 128, 10)`.
        dropout: Probability that a hidden unit is silenced for a whole recording in training.
        generator: Random numbers of the initial weights: uniform within 1 / √N, as in torch.

    Raises:
        SpikingGammaError: Sizes or dropout are out of range.

    Shapes: spikes [T, B, N] to logits [T, B, C].

    Example:
        >>> GRUNet((3, 8, 2))(torch.ones(5, 4, 3), dt_ms=1.0)[0].shape
        torch.Size([5, 4, 2])
    """

    spikes = False

    def __init__(self, sizes: Sequence[int], *, dropout: float = 0.0, generator: torch.Generator | None = None) -> None:
        super().__init__(dropout)
        self.sizes = checked_sizes(sizes)
        if len(self.sizes) < 3:
            raise SpikingGammaError("sizes", self.sizes, "inputs, at least one hidden layer, and classes")
        self.layers = nn.ModuleList(_Units(*pair) for pair in pairwise(self.sizes[:-1]))
        self.readout = nn.Linear(self.sizes[-2], self.sizes[-1])
        widths = [*self.sizes[1:-1], self.sizes[-2]]
        for layer, width in zip((*self.hidden, self.readout), widths, strict=True):
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -(width**-0.5), width**-0.5, generator=generator)
        self.register_buffer("scale", torch.ones(()))

    @property
    def hidden(self) -> tuple[_Units, ...]:
        """Return the gated layers."""
        return tuple(layer for layer in self.layers if isinstance(layer, _Units))

    @property
    def classes(self) -> int:
        """Return C, the number of outputs."""
        return self.sizes[-1]

    def initial_state(self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True) -> GRUState:
        """Return the state at the start of recordings; see `SequenceNet.initial_state`."""
        like = self.readout.weight
        masks = self.dropout_masks(batch, [(size,) for size in self.sizes[1:-1]], generator, dropout, like)
        return GRUState(tuple(like.new_zeros(batch, size) for size in self.sizes[1:-1]), masks)

    def forward(
        self, spikes: Float[Tensor, "T B N"], state: GRUState | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], GRUState]:
        """Return logits at every step and the final state; see `SequenceNet.forward`."""
        before = self.initial_state(spikes.shape[1]) if state is None else detached(state)
        activations, after = self.run(spikes, before, dt_ms)
        return activations.layers[-1].outputs, after

    def run(self, spikes: Float[Tensor, "T B N"], state: GRUState, dt_ms: float) -> tuple[ChainActivations, GRUState]:
        """Run a chunk; see `SequenceNet.run`. It is differentiable if gradients are enabled, at any time step.

        Its activations hold h as the drive too, because torch does not return the drive of the gates.

        Args:
            spikes: [T, B, N].
            state: State before the chunk.
            dt_ms: Time step in ms, which has no effect.

        Raises:
            SpikingGammaError: The input does not fit the net, or the state belongs to another batch.
        """
        check_spikes(spikes, self.sizes[0], self.readout.weight)
        check_state("units", state.hidden, spikes.shape[1], self.sizes[1:-1])
        signal, all_activations, after = spikes / self.get_buffer("scale"), [], []
        for layer, before, mask in zip(self.hidden, state.hidden, state.masks, strict=True):
            outputs, last = layer(signal, before.unsqueeze(0))
            all_activations.append(NeuronActivations(signal, outputs, outputs, None))
            after.append(last.squeeze(0))
            signal = outputs if mask is None else outputs * mask
        logits = self.readout(signal)
        all_activations.append(NeuronActivations(signal, logits, logits, None))
        return ChainActivations(tuple(all_activations), state.masks), GRUState(tuple(after), state.masks)

    def scale_thresholds_(self, factor: float) -> None:
        """Raise an error, since no unit spikes."""
        raise no_thresholds("gated units")

    @torch.no_grad()
    def calibrate(
        self,
        spikes: Float[Tensor, "T B N"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        signal_per_threshold: float = 1.0,
    ) -> list[float]:
        """Set the scale by which the input is divided to the root mean square of the counts of this batch.

        It is one number for all channels, and nothing is subtracted, so silence stays zero.

        Args:
            spikes: [T, B, N].
            dt_ms: Time step in ms, which has no effect.
            lengths: Number of steps of each recording, [B]; None without padding.
            signal_per_threshold: Has no effect.

        Raises:
            SpikingGammaError: The batch has no event.
        """
        self.get_buffer("scale").fill_(level_of(spikes, steps_of_recordings(spikes, lengths), 0))
        return [1.0] * (len(self.sizes) - 1)
