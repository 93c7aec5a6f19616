"""A feed-forward net of surrogate-gradient neurons, with learned axonal delays if wanted: the rivals of SpikingGamma."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import LIFState
from spikinggamma.nn.layers.delays import AxonalDelays
from spikinggamma.nn.layers.linear import Projection
from spikinggamma.nn.nets.base import (
    SequenceNet,
    check_spikes,
    check_state,
    checked_factor,
    checked_sizes,
    level_of,
    steps_of_recordings,
)
from spikinggamma.nn.nets.surrogate_activations import NeuronActivations, SurrogateActivations, SurrogateState
from spikinggamma.nn.neurons.compiled import leaky_sequence
from spikinggamma.nn.neurons.populations import NeuronSettings, Population, make_population

__all__ = ["READOUTS", "SurrogateNet"]

READOUTS = ("integrator", "spikes")


class SurrogateNet(SequenceNet):
    """u = W s_in into spiking neurons, layer by layer; the logits are a leaky integrator's membrane plus a bias, or spikes.

    Args:
        sizes: Inputs, hidden layers, classes: `(140, 256, 256, 10)`.
        neuron: Kind of the hidden neurons, a name in `POPULATIONS`.
        settings: Their constants, and the time constants of an integrating read-out.
        readout: "integrator", or "spikes" for output neurons of the same kind, judged by how often they fire.
        readout_tau_ms: Membrane time constant of an integrating read-out; 0: it remembers nothing; None: as the neurons.
        axons: Learned delays behind each hidden layer: "none", "fractional" or "floored".
        delay_input: Whether the input channels have delays of their own too.
        max_delay_ms: Bound of delays.
        initial_delay_ms: They begin evenly distributed from 0 to this; None: to their bound.
        dropout: Share of hidden neurons silenced for a whole recording while training; the others speak louder.
        generator: Random numbers of the initial weights (normal, variance 1 / fan-in, see `calibrate`) and delays.

    Shapes: spikes [T, B, N] to logits [T, B, C].

    Example:
        >>> net = SurrogateNet((3, 8, 2), axons="fractional", max_delay_ms=10.0)
        >>> logits, state = net(torch.ones(5, 4, 3), dt_ms=1.0)
        >>> logits.shape
        torch.Size([5, 4, 2])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        neuron: str = "lif",
        settings: NeuronSettings | None = None,
        readout: str = "integrator",
        readout_tau_ms: float | None = None,
        axons: str = "none",
        delay_input: bool = False,
        max_delay_ms: float = 50.0,
        initial_delay_ms: float | None = None,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(dropout)
        if readout not in READOUTS:
            raise SpikingGammaError("readout", repr(readout), f"one of {', '.join(READOUTS)}")
        if readout_tau_ms is not None and not 0.0 <= readout_tau_ms < math.inf:
            raise SpikingGammaError("readout_tau_ms", readout_tau_ms, "None, zero (no memory) or a finite time in ms")
        self.sizes = checked_sizes(sizes)
        self.settings = settings or NeuronSettings()
        self.neuron, self.readout = neuron, readout
        self.readout_tau_ms = self.settings.tau_ms if readout_tau_ms is None else readout_tau_ms
        self.projections = nn.ModuleList(
            Projection(below, above, generator) for below, above in zip(self.sizes, self.sizes[1:], strict=False)
        )
        spiking = self.sizes[1:] if readout == "spikes" else self.sizes[1:-1]
        self.populations = nn.ModuleList(make_population(neuron, size, self.settings, generator) for size in spiking)
        self.bias = nn.Parameter(torch.zeros(self.sizes[-1])) if readout == "integrator" else None
        first = max_delay_ms if initial_delay_ms is None else initial_delay_ms
        kinds = [axons if index > 0 or delay_input else "none" for index in range(len(self.sizes) - 1)]
        self.axons = nn.ModuleList(
            AxonalDelays(size, kind=kind, max_delay_ms=max_delay_ms, initial_delay_ms=first, generator=generator)
            for size, kind in zip(self.sizes, kinds, strict=False)
        )

    @property
    def weights(self) -> list[nn.Parameter]:
        """W of each layer, [N, M]."""
        return [layer.weight for layer in self.projections if isinstance(layer, Projection)]

    @property
    def delays(self) -> tuple[AxonalDelays, ...]:
        """What delays the input of each layer."""
        return tuple(layer for layer in self.axons if isinstance(layer, AxonalDelays))

    @property
    def spiking(self) -> tuple[Population, ...]:
        """The layers that spike."""
        return tuple(layer for layer in self.populations if isinstance(layer, Population))

    @property
    def hidden(self) -> tuple[Population, ...]:
        """Those below the read-out."""
        return self.spiking[: len(self.sizes) - 2]

    @property
    def classes(self) -> int:
        """C, the number of outputs."""
        return self.sizes[-1]

    def initial_state(
        self, batch: int, *, generator: torch.Generator | None = None, dropout: bool = True
    ) -> SurrogateState:
        """See `SequenceNet.initial_state`."""
        like = self.weights[0]
        layers: list[Any] = [layer.initial_state(batch, like) for layer in self.spiking]
        if self.readout == "integrator":
            layers.append(LIFState(*like.new_zeros(2, batch, self.classes).unbind(0)))
        masks = self.dropout_masks(batch, [(size,) for size in self.sizes[1:-1]], generator, dropout, like)
        return SurrogateState(tuple(layers), (None,) * len(self.axons), masks)

    def run(
        self, spikes: Float[Tensor, "T B N"], state: SurrogateState, dt_ms: float
    ) -> tuple[SurrogateActivations, SurrogateState]:
        """See `SequenceNet.run`; differentiable where gradients are enabled, also in the state.

        Raises:
            SpikingGammaError: the input does not fit the net, the state belongs to another batch, or a bad time step.
        """
        self._check(spikes, state, dt_ms)
        all_activations, layers, under_way = [], [], []
        signal = spikes
        for index, project in enumerate(self.projections):
            arrived, waiting = self.axons[index](signal, state.axons[index], dt_ms)
            drive = project(arrived)
            activations, after = self._layer(index, arrived, drive, state.layers[index], dt_ms)
            mask = state.masks[index] if index < len(self.hidden) else None
            signal = activations.outputs if mask is None else activations.outputs * mask
            all_activations.append(activations)
            layers.append(after)
            under_way.append(waiting)
        return SurrogateActivations(tuple(all_activations), state.masks), SurrogateState(
            tuple(layers), tuple(under_way), state.masks
        )

    def _layer(
        self, index: int, arrived: Tensor, drive: Tensor, state: Any, dt_ms: float
    ) -> tuple[NeuronActivations, Any]:
        if index < len(self.spiking):
            spikes, membrane, after = self.spiking[index].run(drive, state, dt_ms)
            return NeuronActivations(arrived, drive, membrane, spikes, spikes.detach()), after
        logits, after = self._integrate(drive, state, dt_ms)
        return NeuronActivations(arrived, drive, None, logits if self.bias is None else logits + self.bias, None), after

    def _integrate(self, drive: Tensor, state: LIFState, dt_ms: float) -> tuple[Tensor, LIFState]:
        if self.readout_tau_ms == 0.0:
            return drive, state
        return leaky_sequence(self.settings.lif(dt_ms)._replace(tau_ms=self.readout_tau_ms), state, drive)

    def scale_thresholds_(self, factor: float) -> None:
        """See `SequenceNet.scale_thresholds_`: ϑ of every neuron; what a spike adds to an adaptive one stays as it is."""
        threshold = checked_factor(factor) * self.settings.threshold
        self.settings = self.settings._replace(threshold=threshold)
        for population in self.spiking:
            population.settings = population.settings._replace(threshold=threshold)

    def constrain_(self) -> None:
        """Put delays back into their bounds."""
        for axons in self.delays:
            axons.constrain_()

    @torch.no_grad()
    def calibrate(
        self,
        spikes: Float[Tensor, "T B N"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        signal_per_threshold: float = 1.0,
    ) -> list[float]:
        """Scale each layer's weights, from the input upwards, so that a net of any depth starts with all layers firing.

        The root mean square of a membrane that never resets becomes `signal_per_threshold` ϑ on this batch, and that of
        integrated logits 1; as `GammaNet.calibrate` does for its layers.

        Returns:
            The factor by which each layer's weights were scaled.

        Raises:
            SpikingGammaError: the batch has no event, or a layer hears nothing of it.
        """
        state = self.initial_state(spikes.shape[1], dropout=False)
        self._check(spikes, state, dt_ms)
        valid = steps_of_recordings(spikes, lengths)
        factors = []
        signal = spikes
        for index, weight in enumerate(self.weights):
            arrived, _ = self.axons[index](signal, None, dt_ms)
            drive = self.projections[index](arrived)
            if index < len(self.spiking):
                response = self.spiking[index].response(drive, dt_ms)
                wanted = signal_per_threshold * self.settings.threshold
            else:
                response, wanted = self._integrate(drive, state.layers[index], dt_ms)[0], 1.0
            factors.append(wanted / level_of(response, valid, index))
            weight.mul_(factors[-1])
            signal = self._layer(index, arrived, drive * factors[-1], state.layers[index], dt_ms)[0].outputs
        return factors

    def _check(self, spikes: Tensor, state: SurrogateState, dt_ms: float) -> None:
        self.settings.lif(dt_ms).validate()
        check_spikes(spikes, self.sizes[0], self.weights[0])
        check_state("neurons", [layer[0] for layer in state.layers], spikes.shape[1], self.sizes[1:])
