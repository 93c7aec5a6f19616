"""A feedforward net of surrogate-gradient neurons with optional axonal delays, with which SpikingGamma is compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.layers.delays import AxonalDelays
from spikinggamma.nn.layers.integrator import Bias, Integrator
from spikinggamma.nn.layers.linear import Linear
from spikinggamma.nn.layers.recurrent import Recurrent
from spikinggamma.nn.nets.chain import Chain
from spikinggamma.nn.nets.checks import checked_sizes
from spikinggamma.nn.neurons.base import NEURONS, Neuron, make_neuron
from spikinggamma.options import Options

__all__ = ["READOUTS", "SurrogateNet"]

READOUTS = ("integrator", "spikes")


class SurrogateNet(Chain):
    """A chain of delays, weights and neurons for each layer, and a read-out: an integrator with a bias, or neurons.

    Args:
        sizes: Inputs, hidden layers, classes: `(140, 256, 256, 10)`.
        neuron: Kind of the hidden neurons, a name in `NEURONS`.
        options: Options of the neurons. An integrating read-out has the same synaptic current, if they have one.
        recurrent: Whether the neurons of a layer are connected to one another, with a delay of one step.
        readout: "integrator", or "spikes" for output neurons of the same kind, whose spikes are counted.
        readout_tau_ms: Membrane time constant of an integrating read-out in ms; 0 for no memory; None for that of the
            neurons.
        delays: Learnt delays after each hidden layer: "none", "fractional" or "floored".
        delay_input: Whether the input channels have delays too.
        max_delay_ms: Bound of delays in ms.
        initial_delay_ms: Initial delays are spread evenly from 0 to this, in ms; None: to their bound.
        dropout: Probability that a hidden neuron is silenced for a whole recording in training; the outputs of the
            others are scaled up.
        generator: Random numbers of the initial weights (normal, variance 1 / fan-in, see `calibrate`) and delays.

    Raises:
        SpikingGammaError: Neuron, read-out or delays are unknown, or a number is out of range.

    Shapes: spikes [T, B, N] to logits [T, B, C].

    Example:
        >>> net = SurrogateNet((3, 8, 2), delays="fractional", max_delay_ms=10.0)
        >>> logits, state = net(torch.ones(5, 4, 3), dt_ms=1.0)
        >>> logits.shape
        torch.Size([5, 4, 2])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        neuron: str = "lif",
        options: Options | Mapping[str, Any] | None = None,
        recurrent: bool = False,
        readout: str = "integrator",
        readout_tau_ms: float | None = None,
        delays: str = "none",
        delay_input: bool = False,
        max_delay_ms: float = 50.0,
        initial_delay_ms: float | None = None,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        if readout not in READOUTS:
            raise SpikingGammaError("readout", repr(readout), f"one of {', '.join(READOUTS)}")
        if readout_tau_ms is not None and not 0.0 <= readout_tau_ms < math.inf:
            raise SpikingGammaError("readout_tau_ms", readout_tau_ms, "None, zero (no memory) or a finite time in ms")
        sizes = checked_sizes(sizes)
        made = NEURONS.find(neuron, argument="neuron").make_options(options, argument="neuron")
        # Random numbers are drawn in this order: weights, neurons, delays.
        weights = [Linear(*pair, generator) for pair in pairwise(sizes)]
        spiking = sizes[1:] if readout == "spikes" else sizes[1:-1]
        populations: list[Layer] = [make_neuron(neuron, (size,), made, generator) for size in spiking]
        if recurrent:
            populations = [Recurrent(one, generator) for one in populations if isinstance(one, Neuron)]
        first = max_delay_ms if initial_delay_ms is None else initial_delay_ms
        lines = [
            AxonalDelays(
                size, kind=delays, max_delay_ms=max_delay_ms, initial_delay_ms=first, generator=generator
            )
            if delays != "none" and (index > 0 or delay_input)
            else None
            for index, size in enumerate(sizes[:-1])
        ]  # fmt: skip
        layers: list[Layer] = []
        for index, weight in enumerate(weights):
            line = lines[index]
            layers += [weight] if line is None else [line, weight]
            layers += populations[index : index + 1]
        if readout == "integrator":
            tau_ms = getattr(made, "tau_ms", 20.0) if readout_tau_ms is None else readout_tau_ms
            synapse_tau_ms = getattr(made, "synapse_tau_ms", 0.0)
            layers += [Integrator(sizes[-1:], tau_ms=tau_ms, synapse_tau_ms=synapse_tau_ms), Bias(sizes[-1:])]
        super().__init__(layers, sizes[:1], dropout=dropout)
        self.sizes = sizes
        self.neuron = neuron

    @property
    def weights(self) -> list[nn.Parameter]:
        """Return the weights of each layer, [N, M]."""
        return [layer.weight for layer in self.layers if isinstance(layer, Linear)]

    @property
    def delays(self) -> tuple[AxonalDelays | None, ...]:
        """Return the delays in front of each layer of weights, or None."""
        places = [index for index, layer in enumerate(self.layers) if isinstance(layer, Linear)]
        before = [self.layers[index - 1] if index else None for index in places]
        return tuple(layer if isinstance(layer, AxonalDelays) else None for layer in before)

    @property
    def neurons(self) -> tuple[Neuron, ...]:
        """Return the neurons of each spiking layer, without the recurrence around them."""
        return tuple(
            layer.neuron if isinstance(layer, Recurrent) else layer
            for layer in self.layers
            if isinstance(layer, Neuron | Recurrent)
        )

    @property
    def integrator(self) -> Integrator | None:
        """Return the integrator of the read-out, or None if output neurons spike."""
        return next((layer for layer in self.layers if isinstance(layer, Integrator)), None)

    @property
    def bias(self) -> nn.Parameter | None:
        """Return the bias of the read-out, or None if output neurons spike."""
        return next((layer.bias for layer in self.layers if isinstance(layer, Bias)), None)
