"""Counting the spikes of a net, chunk by chunk."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.loss import Loss
from spikinggamma.learning.outcome import Outcome
from spikinggamma.nn import Activations, SequenceNet

__all__ = ["SpikeCounter"]


class SpikeCounter:
    """Count the spikes of each hidden layer over the steps that belong to a recording.

    Args:
        net: The net.
        lengths: Number of steps of each recording, [B].
        thoroughly: Whether to count the spikes of each neuron too.
    """

    def __init__(self, net: SequenceNet, lengths: Tensor, *, thoroughly: bool = False) -> None:
        self.net = net
        self.lengths = lengths
        self.spikes = torch.zeros(len(net.hidden), dtype=torch.float64)
        neurons = torch.tensor([layer.neurons for layer in net.hidden], dtype=torch.float64)
        self.neuron_steps = neurons * float(lengths.sum())
        self.thoroughly = thoroughly
        sizes = [layer.neurons for layer in net.hidden] if thoroughly else []
        self.by_neuron = [torch.zeros(size, dtype=torch.float64) for size in sizes]

    def add(self, activations: Activations, start: int, heard: Float[Tensor, "T B *in_shape"]) -> None:
        """Count the spikes of a chunk.

        Args:
            activations: Activations of the chunk.
            start: Index of its first step.
            heard: Input of the net in the chunk, [T, B, *in_shape].
        """
        time = torch.arange(start, start + len(heard), device=self.lengths.device)
        valid = time.unsqueeze(1) < self.lengths
        for index, layer in enumerate(activations.layers[:-1]):
            if layer.counts is None:
                continue
            # The default sum of integers, in 64 bits, took as long as a scan.
            self.spikes[index] += float((layer.counts.sum(2, dtype=torch.int32) * valid).sum())
            if self.thoroughly:
                self.by_neuron[index] += (layer.counts * valid.unsqueeze(2)).sum((0, 1)).cpu()

    def outcome(self, evaluator: Loss) -> Outcome:
        """Return the outcome of the batch."""
        by_neuron = tuple(self.by_neuron)
        return Outcome(*evaluator.result(), self.spikes, self.neuron_steps, by_neuron)
