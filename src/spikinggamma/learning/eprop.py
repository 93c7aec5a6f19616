"""e-prop: eligibility traces that run forward, met by learning signals from the read-out.

    e(t) = ψ(t) â(t)ᵀ                                  eligibility of each weight, in the neuron that it feeds
    ∂ℓ/∂W^l ≈ Σ_t L^l(t) Σ_{t' <= t} κ_out(t - t') e(t'),    L^l(t) = F_lᵀ δ(t)

The read-out's kernel κ_out filters the eligibility, as a spike moves the output for as long as the read-out holds it. Layer
l hears of errors through F_l: the transposed read-out for the topmost hidden layer, fixed random numbers for those below,
whose effect on the output e-prop does not follow. So it equals BPTT for one hidden layer, whatever the read-out remembers.

Inside a chunk the filtered eligibility is never formed: the read-out's adjoint of L is, backwards. Across chunks it is, two
numbers for each weight and recording: constant in time, as e-prop's memory is, and the reason why it is not small.

Source: Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein and Maass (2020), Nature Communications 11, 3625.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.functional import LIFParameters, LIFState
from spikinggamma.learning.bptt import activity_grad
from spikinggamma.learning.online_lif import OnlineLIFRule, Trace
from spikinggamma.nn import ChainActivations, SequenceNet, add_gradient
from spikinggamma.nn.compiled.neurons import leaky_sequence

__all__ = ["EProp"]


class EProp(OnlineLIFRule):
    """See the module.

    Args:
        feedback_seed: Of the random feedback to layers below the topmost hidden one, F_l ~ N(0, 1 / N_top).
    """

    def __init__(self, net: SequenceNet, dt_ms: float, *, feedback_seed: int = 0) -> None:
        super().__init__(net, dt_ms)
        weights = self.net.weights
        self._traces = [Trace(self.listener(index)) for index in range(len(weights))]
        self._eligibility = [_FilteredEligibility(self.readout) for _ in weights[:-1]]
        generator = torch.Generator().manual_seed(feedback_seed)
        self._feedback: list[Tensor] = []
        for below in weights[:-2]:
            drawn = torch.randn(self.net.classes, len(below), generator=generator)
            self._feedback.append(drawn.to(below) / weights[-1].shape[1] ** 0.5)

    @torch.no_grad()
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`."""
        weights = self.net.weights
        self.add_bias(delta)
        self.add(len(weights) - 1, delta, self._traces[-1].of(activations.layers[-1].inputs))
        for index, feedback in enumerate([*self._feedback, *weights[-1:]][: len(weights) - 1]):
            mask, spikes = activations.masks[index], activations.layers[index].outputs
            signal = delta @ feedback if mask is None else (delta @ feedback) * mask
            held, slope = self._traces[index].of(activations.layers[index].inputs), self.slope(activations, index)
            add_gradient(weights[index], self._eligibility[index].meet(signal, slope, held))
            if activations.cost is not None:  # a price on spikes, which the read-out does not filter
                self.add(index, slope * activity_grad(activations.cost, spikes, self.dt_ms), held)
        return True


class _FilteredEligibility:
    """Σ_{t' <= t} κ_out(t - t') ψ(t') â(t')ᵀ of one layer, met by its learning signal chunk by chunk."""

    def __init__(self, readout: LIFParameters | None) -> None:
        self.readout = readout
        self._chunk: tuple[Tensor, Tensor] | None = None
        self._filtered: tuple[Tensor, Tensor] | None = None

    def meet(
        self, signal: Float[Tensor, "T B N"], slope: Float[Tensor, "T B N"], held: Float[Tensor, "T B M"]
    ) -> Float[Tensor, "N M"]:
        """Σ_t L(t) times the filtered eligibility over the next chunk."""
        if self.readout is None:
            return torch.einsum("tbn,tbm->nm", signal * slope, held)
        self._fold()
        zero = torch.zeros_like(signal[0])
        # The adjoint of a chain of leaky filters is the chain itself, backwards in time.
        late = leaky_sequence(self.readout, LIFState(zero, zero), signal.flip(0))[0].flip(0)
        gradient = torch.einsum("tbn,tbm->nm", late * slope, held)
        if self._filtered is not None:
            synapse, beta = self.readout.decays()
            powers = beta ** torch.arange(1, len(signal) + 1, device=signal.device, dtype=signal.dtype)
            current, membrane = self._filtered
            gradient += torch.einsum("bn,bnm->nm", synapse * late[0], current)
            gradient += torch.einsum("t,tbn,bnm->nm", powers, signal, membrane)
        self._chunk = (slope, held)
        return gradient

    def _fold(self) -> None:
        """Take the last chunk's eligibility into the two filtered traces, now that there is a chunk after it."""
        if self._chunk is None or self.readout is None:
            return
        slope, held = self._chunk
        steps, zero = len(slope), slope.new_zeros(1, 1)
        synapse, _ = self.readout.decays()
        impulse = torch.zeros(steps, 1, 1, dtype=slope.dtype, device=slope.device)
        impulse[0] = 1.0
        kernel = leaky_sequence(self.readout, LIFState(zero, zero), impulse)[0].flatten().flip(0)
        decays = synapse ** torch.arange(steps - 1, -1, -1, device=slope.device, dtype=slope.dtype)
        current = torch.einsum("t,tbn,tbm->bnm", decays, slope, held)
        membrane = torch.einsum("t,tbn,tbm->bnm", kernel, slope, held)
        if self._filtered is not None:
            quiet = torch.zeros_like(impulse)
            from_current = leaky_sequence(self.readout, LIFState(zero + 1.0, zero), quiet)[1]
            from_membrane = leaky_sequence(self.readout, LIFState(zero, zero + 1.0), quiet)[1]
            current = current + from_current.current * self._filtered[0]
            membrane = membrane + from_current.membrane * self._filtered[0] + from_membrane.membrane * self._filtered[1]
        self._filtered = (current, membrane)
