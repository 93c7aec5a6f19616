"""Counting what goes through a net, chunk by chunk."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spikinggamma.learning.loss import Loss
from spikinggamma.learning.outcome import Outcome, Traffic
from spikinggamma.nn import SpikingNet

__all__ = ["Tally"]


class Tally:
    """Spikes of each hidden layer over the steps that belong to a recording.

    Args:
        net: Whose.
        lengths: Steps of each recording, [B].
        thoroughly: Whether to count by neuron too, and what arrives where.
    """

    def __init__(self, net: SpikingNet, lengths: Tensor, *, thoroughly: bool = False) -> None:
        self.net = net
        self.lengths = lengths
        self.spikes = torch.zeros(len(net.hidden), dtype=torch.float64)
        neurons = torch.tensor([layer.neurons for layer in net.hidden], dtype=torch.float64)
        self.neuron_steps = neurons * float(lengths.sum())
        self.thoroughly = thoroughly
        sizes = [layer.neurons for layer in net.hidden] if thoroughly else []
        self.by_neuron = [torch.zeros(size, dtype=torch.float64) for size in sizes]
        self.traffic: Traffic | None = None

    def add(self, tape: Any, start: int, heard: Float[Tensor, "T B *in_shape"]) -> None:
        """A chunk that begins at step `start`: what the net was given, and the tape that it left."""
        time = torch.arange(start, start + len(heard), device=self.lengths.device)
        valid = time.unsqueeze(1) < self.lengths
        for index, layer in enumerate(tape.layers[:-1]):
            if layer.counts is None:
                continue
            # In 64 bits, as integers are summed if not told otherwise, this took as long as a scan.
            self.spikes[index] += float((layer.counts.sum(2, dtype=torch.int32) * valid).sum())
            if self.thoroughly:
                self.by_neuron[index] += (layer.counts * valid.unsqueeze(2)).sum((0, 1)).cpu()
        if self.thoroughly:
            found = self._traffic(tape, heard, valid, first=start == 0)
            self.traffic = found if self.traffic is None else self.traffic + found

    def outcome(self, judge: Loss) -> Outcome:
        """Everything about the batch."""
        by_neuron = tuple(self.by_neuron)
        return Outcome(*judge.verdict(), self.spikes, self.neuron_steps, by_neuron, self.traffic)

    def _traffic(self, tape: Any, heard: Tensor, valid: Bool[Tensor, "T B"], *, first: bool) -> Traffic:
        arrived = self.net.arrivals(heard, tape)
        arrivals = tuple(_over_time(numbers != 0.0, valid) for numbers in arrived)
        multiples = tuple(_over_time(numbers > 1.0, valid) for numbers in arrived)
        messages = [
            float((_spoken(layer, last=index == len(tape.layers) - 1).flatten(2) * valid.unsqueeze(2)).sum())
            for index, layer in enumerate(tape.layers)
        ]
        recordings = len(self.lengths) if first else 0
        return Traffic(recordings, float(valid.sum()), arrivals, multiples, torch.tensor(messages, dtype=torch.float64))


def _spoken(layer: Any, *, last: bool) -> Bool[Tensor, "T B *N"]:
    """Where a layer sent something; a read-out's logits and what does not spike are no messages, a passed signal is."""
    if layer.counts is not None:
        return torch.gt(layer.counts, 0)
    return torch.zeros_like(layer.outputs, dtype=torch.bool) if last else torch.ne(layer.outputs, 0.0)


def _over_time(arrived: Bool[Tensor, "T B *in_shape"], valid: Bool[Tensor, "T B"]) -> Float[Tensor, "*in_shape"]:
    """How often each was true in steps that count: as a product, which is fast, and in single precision exact up to 2^24."""
    counted = valid.flatten().float() @ arrived.flatten(0, 1).flatten(1).float()
    return counted.double().view(arrived.shape[2:]).cpu()
