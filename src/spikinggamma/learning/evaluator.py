"""The evaluator of a net by a loss: recordings in, the loss and predictions out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.loss import LOSSES, Loss, make_loss
from spikinggamma.learning.outcome import Outcome
from spikinggamma.learning.source import Source, chunks_of
from spikinggamma.learning.spike_counter import SpikeCounter
from spikinggamma.nn import Activations, MaskedState, SequenceNet
from spikinggamma.options import Options

__all__ = ["Evaluator", "Observer"]

Observer = Callable[[Tensor, Activations, Tensor, int], None]


class Evaluator:
    """Run a net on batches of recordings and evaluate its outputs by a loss, without learning.

    Args:
        net: The net.
        loss: Name of the loss in `LOSSES`.
        loss_options: Options of the loss, for example `{"horizon_ms": 200.0}` for `running`.
        dt_ms: Time step in ms.
        chunk: Number of steps processed at once; None processes a tensor whole and an iterable in the chunks that it
            gives. Results do not depend on it.

    Raises:
        SpikingGammaError: The loss is unknown, an option of it is unknown or out of range, or `chunk` is not positive.

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> evaluator = Evaluator(dense_net((3, 8, 2), tau_ms=(4.0, 8.0)), loss="sum", dt_ms=2.0)
        >>> evaluator.evaluate(torch.ones(5, 4, 3), torch.tensor([0, 1, 0, 1])).count
        4
    """

    def __init__(
        self,
        net: SequenceNet,
        *,
        loss: str,
        loss_options: Options | Mapping[str, Any] | None = None,
        dt_ms: float,
        chunk: int | None = None,
    ) -> None:
        if chunk is not None and chunk < 1:
            raise SpikingGammaError("chunk", chunk, "None or at least one step")
        self.net: SequenceNet[MaskedState, Activations] = net
        self.loss = loss
        self.loss_options = LOSSES.find(loss, argument="loss").make_options(loss_options, argument="loss")
        self.dt_ms = dt_ms
        self.chunk = chunk

    def evaluate(
        self,
        spikes: Source,
        targets: Tensor,
        lengths: Int[Tensor, " B"] | None = None,
        *,
        observers: Sequence[Observer] = (),
    ) -> Outcome:
        """Evaluate a batch without learning from it, and without dropout.

        Args:
            spikes: [T, B, *in_shape], or a function that returns an iterator over such chunks, to save memory.
            targets: Classes [B]; for `each_step` also [T, B] with -1 where there is no label, or values [T, B, C].
            lengths: Number of steps of each recording, [B]; the rest is padding. Required for chunks.
            observers: Functions called after each chunk with its input, the net's activations, a mask [T, B] of the
                steps that belong to a recording, and the index of its first step.
        """
        source, lengths = chunks_of(spikes, targets, lengths, self.chunk)
        loss = self.make_loss(targets, lengths)
        counter = SpikeCounter(self.net, lengths, thoroughly=True)
        state = self.net.initial_state(int(lengths.numel()), dropout=False)
        for start, heard, activations in self.chunks(source, state):
            loss.observe(activations.layers[-1].outputs, start)
            counter.add(activations, start, heard)
            for observer in observers:
                observer(heard, activations, loss.valid(start, len(heard)), start)
        return counter.outcome(loss)

    def make_loss(self, targets: Tensor, lengths: Int[Tensor, " B"]) -> Loss:
        """Return the loss of a batch.

        Raises:
            SpikingGammaError: No step of the batch is labelled.
        """
        loss = make_loss(self.loss, targets, lengths, self.dt_ms, self.loss_options)
        if loss.count == 0:
            raise SpikingGammaError("targets", "no labelled step", "at least one labelled step in the batch")
        return loss

    def chunks(
        self, source: Callable[[], Iterator[Tensor]], state: MaskedState
    ) -> Iterator[tuple[int, Tensor, Activations]]:
        """Run the net over a source without gradients; yield first step, input and activations of each chunk."""
        start = 0
        for spikes in source():
            with torch.no_grad():
                activations, state = self.net.run(spikes, state, self.dt_ms)
            yield start, spikes, activations
            start += len(spikes)
