"""A feedforward net of leaky integrate-and-fire neurons with a leaky read-out, trained through time by autograd."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import LIFParameters, LIFState, leaky_sequence, lif_sequence

__all__ = ["LIFNet"]


class LIFNet(nn.Module):
    """u = W s_in into LIF neurons, layer by layer; the logits are a leaky integrator's membrane, plus a bias.

    The baseline of the field, as it is: no recurrence, no delays; two time constants are all the memory of a neuron.

    Args:
        sizes: Inputs, hidden layers, classes: `(140, 256, 256, 10)`.
        tau_ms: Membrane time constant, of the read-out too.
        synapse_tau_ms: Time constant of the synaptic currents; 0 for none.
        threshold: ϑ.
        surrogate: "fast_sigmoid" (SuperSpike), "arctan" or "exponential" (SLAYER).
        generator: Random numbers of the initial weights: W normal with variance 1 / fan-in. See `calibrate`.

    Shapes: spikes [T, B, N] to logits [T, B, C].

    Example:
        >>> net = LIFNet((3, 8, 2))
        >>> logits, state = net(torch.ones(5, 4, 3), dt_ms=1.0)
        >>> logits.shape
        torch.Size([5, 4, 2])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        tau_ms: float = 20.0,
        synapse_tau_ms: float = 10.0,
        threshold: float = 1.0,
        surrogate: str = "fast_sigmoid",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if len(sizes) < 2 or any(int(size) != size or size < 1 for size in sizes):
            raise SpikingGammaError("sizes", tuple(sizes), "inputs, hidden layers and classes, each at least 1")
        self.sizes = tuple(int(size) for size in sizes)
        # The step belongs to a run; this one only lets the values be checked now.
        self.neuron = LIFParameters(tau_ms, synapse_tau_ms, threshold, surrogate, dt_ms=1.0).validate()
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(above, below, generator=generator) / below**0.5)
            for below, above in zip(self.sizes, self.sizes[1:], strict=False)
        )
        self.bias = nn.Parameter(torch.zeros(self.sizes[-1]))

    def initial_state(self, batch: int) -> tuple[LIFState, ...]:
        """All zero, one state a layer."""
        return tuple(LIFState(*self.bias.new_zeros(2, batch, size).unbind(0)) for size in self.sizes[1:])

    def forward(
        self, spikes: Float[Tensor, "T B N"], state: tuple[LIFState, ...] | None = None, *, dt_ms: float
    ) -> tuple[Float[Tensor, "T B C"], tuple[LIFState, ...]]:
        """Logits at every step and the state after the last; differentiable, also in the state.

        Raises:
            SpikingGammaError: the input does not fit the net, the state belongs to another batch, or a bad time step.
        """
        neuron = self.neuron._replace(dt_ms=dt_ms).validate()
        state = self.initial_state(spikes.shape[1]) if state is None else state
        self._check(spikes, state)
        after = []
        for weight, before in zip(list(self.weights)[:-1], state, strict=False):
            spikes, new = lif_sequence(neuron, before, nn.functional.linear(spikes, weight))
            after.append(new)
        logits, last = leaky_sequence(neuron, state[-1], nn.functional.linear(spikes, self.weights[-1]))
        return logits + self.bias, (*after, last)

    @torch.no_grad()
    def calibrate(
        self,
        spikes: Float[Tensor, "T B N"],
        *,
        dt_ms: float,
        lengths: Int[Tensor, " B"] | None = None,
        membrane_per_threshold: float = 1.0,
    ) -> list[float]:
        """Scale each layer's weights, from the input upwards, so that a net of any depth starts with all layers firing.

        The root mean square of a hidden membrane that never resets becomes `membrane_per_threshold` ϑ on this batch,
        and that of the logits 1; as `GammaNet.calibrate` does for its layers.

        Returns:
            The factor by which each layer's weights were scaled.

        Raises:
            SpikingGammaError: the batch has no event, or a layer hears nothing of it.
        """
        neuron = self.neuron._replace(dt_ms=dt_ms).validate()
        state = self.initial_state(spikes.shape[1])
        self._check(spikes, state)
        valid = torch.ones(spikes.shape[:2], dtype=torch.bool, device=spikes.device)
        if lengths is not None:
            valid = torch.arange(len(spikes), device=spikes.device).unsqueeze(1) < lengths
        factors = []
        for index, (weight, before) in enumerate(zip(self.weights, state, strict=True)):
            drive = nn.functional.linear(spikes, weight)
            level = float(leaky_sequence(neuron, before, drive)[0][valid].square().mean().sqrt())
            if not level > 0.0:
                raise SpikingGammaError(
                    "spikes",
                    "a batch without any event",
                    f"input that reaches layer {index}",
                    "Calibrate on real input.",
                )
            last = index == len(self.weights) - 1
            factor = (1.0 if last else membrane_per_threshold * neuron.threshold) / level
            weight.mul_(factor)
            factors.append(factor)
            if not last:
                spikes, _ = lif_sequence(neuron, before, drive * factor)
        return factors

    def _check(self, spikes: Tensor, state: tuple[LIFState, ...]) -> None:
        if spikes.ndim != 3 or spikes.shape[2] != self.sizes[0] or 0 in spikes.shape:
            raise SpikingGammaError(
                "spikes", list(spikes.shape), f"[T, B, {self.sizes[0]}], at least one step and sample"
            )
        if spikes.dtype != self.bias.dtype:
            raise SpikingGammaError("spikes", spikes.dtype, f"{self.bias.dtype}, as the net's parameters")
        wanted = [[spikes.shape[1], size] for size in self.sizes[1:]]
        found = [list(layer.membrane.shape) for layer in state]
        if found != wanted:
            raise SpikingGammaError(
                "state",
                f"membranes of shape {found}",
                f"{wanted} for this batch",
                "A state belongs to the batch that made it: start a new recording with state=None.",
            )
