"""A multilayer perceptron on spike counts, which shows how well a task can be solved without timing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.nn.nets.base import NETS, SequenceNet
from spikinggamma.nn.nets.chain_activations import ChainActivations, NeuronActivations
from spikinggamma.nn.nets.checks import check_spikes, check_state, checked_sizes, no_thresholds, steps_of_recordings
from spikinggamma.nn.state import detached

__all__ = ["CountNet", "CountState"]


class CountState(NamedTuple):
    """Spikes of each channel since the start of the recording, [B, N], and dropout masks."""

    counts: Float[Tensor, "B N"]
    masks: tuple[Tensor | None, ...]


class _Units(nn.Linear):
    """Rectified units, which do not spike."""

    @property
    def neurons(self) -> int:
        return self.out_features


@NETS.register(
    "count_mlp",
    title="MLP on counts",
    summary="A perceptron on the spike counts of whole recordings.",
)
class CountNet(SequenceNet[CountState, ChainActivations]):
    """A perceptron whose input at each step is the number of spikes of each channel so far.

    With the loss `last` it classifies by the counts of whole recordings. It has no information about order, intervals
    or coincidences: two recordings with the same counts give the same output.

    Args:
        sizes: Inputs, hidden layers, classes: `(140, 256, 10)`.
        dropout: Probability that a hidden unit is silenced in training.
        generator: Random numbers of the initial weights: normal, with He's variance 2 / fan-in.

    Raises:
        SpikingGammaError: Sizes or dropout are out of range.

    Shapes: spikes [T, B, N] to logits [T, B, C].

    Example:
        >>> CountNet((3, 8, 2))(torch.ones(5, 4, 3), dt_ms=1.0)[0].shape
        torch.Size([5, 4, 2])
    """

    spikes = False

    def __init__(self, sizes: Sequence[int], *, dropout: float = 0.0, generator: torch.Generator | None = None) -> None:
        super().__init__(dropout)
        self.sizes = checked_sizes(sizes)
        self.layers = nn.ModuleList(_Units(*pair) for pair in zip(self.sizes, self.sizes[1:], strict=False))
        for layer in self.stack:
            nn.init.normal_(layer.weight, std=(2.0 / layer.in_features) ** 0.5, generator=generator)
            nn.init.zeros_(layer.bias)
        self.register_buffer("mean", torch.zeros(self.sizes[0]))
        self.register_buffer("scale", torch.ones(self.sizes[0]))

    @property
    def stack(self) -> tuple[_Units, ...]:
        """Return the layers as a tuple."""
        return tuple(layer for layer in self.layers if isinstance(layer, _Units))

    @property
    def hidden(self) -> tuple[_Units, ...]:
        """Return all layers but the read-out."""
        return self.stack[:-1]

    @property
    def classes(self) -> int:
        """Return C, the number of outputs."""
        return self.sizes[-1]

    def initial_state(
        self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True
    ) -> CountState:
        """Return the state at the start of recordings; see `SequenceNet.initial_state`."""
        like = self.stack[0].weight
        masks = self.dropout_masks(batch, [(size,) for size in self.sizes[1:-1]], generator, dropout, like)
        return CountState(like.new_zeros(batch, self.sizes[0]), masks)

    def forward(
        self, spikes: Float[Tensor, "T B N"], state: CountState | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], CountState]:
        """Return logits at every step and the final state; see `SequenceNet.forward`."""
        before = self.initial_state(spikes.shape[1]) if state is None else detached(state)
        activations, after = self.run(spikes, before, dt_ms)
        return activations.layers[-1].outputs, after

    def run(
        self, spikes: Float[Tensor, "T B N"], state: CountState, dt_ms: float
    ) -> tuple[ChainActivations, CountState]:
        """Run a chunk; see `SequenceNet.run`. Counts do not depend on the time step."""
        check_spikes(spikes, self.sizes[0], self.stack[0].weight)
        check_state("counts", [state.counts], spikes.shape[1], self.sizes[:1])
        counts = state.counts + spikes.cumsum(0)
        signal = (counts - self.get_buffer("mean")) / self.get_buffer("scale")
        all_activations = []
        for layer, mask in zip(self.stack, (*state.masks, None), strict=True):
            drive = layer(signal)
            outputs = drive if layer is self.stack[-1] else torch.relu(drive)
            all_activations.append(NeuronActivations(signal, drive, outputs, None))
            signal = outputs if mask is None else outputs * mask
        return ChainActivations(tuple(all_activations), state.masks), CountState(counts[-1], state.masks)

    def scale_thresholds_(self, factor: float) -> None:
        """Raise an error, since no unit spikes."""
        raise no_thresholds("a perceptron on counts")

    @torch.no_grad()
    def calibrate(
        self,
        spikes: Float[Tensor, "T B N"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        signal_per_threshold: float = 1.0,
    ) -> list[float]:
        """Set the mean and standard deviation of each channel's count from this batch, for normalised inputs.

        A channel that hardly varies is divided by the square root of its mean count, or by 1, instead of its small
        standard deviation.

        Args:
            spikes: [T, B, N].
            dt_ms: Time step in ms, which has no effect.
            lengths: Number of steps of each recording, [B]; None without padding.
            signal_per_threshold: Has no effect.
        """
        counts = (spikes * steps_of_recordings(spikes, lengths).unsqueeze(2)).sum(0)
        mean = counts.mean(0)
        self.get_buffer("mean").copy_(mean)
        spread = counts.std(0, correction=0)
        self.get_buffer("scale").copy_(torch.maximum(spread, mean.clamp_min(1.0).sqrt()))
        return [1.0] * len(self.stack)
