"""e-prop: forward eligibility traces, multiplied by learning signals from the read-out.

    σ(t) = ∂s(t)/∂W                                     eligibility of each synapse, by the neuron's own dynamics
    ∂ℓ/∂W^l ≈ Σ_t L^l(t) Σ_{t' <= t} κ_out(t - t') σ(t'),    L^l(t) = F_lᵀ δ(t)

The kernel κ_out of the read-out filters the eligibility, because a spike changes the output for as long as the read-out
remembers it. Layer l receives errors through F_l, the transposed read-out for the top hidden layer and a fixed random
matrix for lower layers, whose effect on the output e-prop does not follow. Recurrent spikes are treated as constants.
The rule equals BPTT for one hidden layer without recurrence, for every kind of neuron and every memory of the read-out.

Memory is constant in time but not small: for each synapse and recording as many numbers as read-out and neuron have
states (only those of the read-out for neurons with a constant leak).

Source: Bellec, Scherr, Subramoney, Hajek, Salaj, Legenstein and Maass (2020), Nature Communications 11, 3625.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.bibliography import E_PROP
from spikinggamma.learning.online_rule import OnlineRule
from spikinggamma.learning.rule import RULES
from spikinggamma.learning.traced_block import TracedBlock
from spikinggamma.nn import ChainActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["EProp", "EPropOptions"]


class EPropOptions(Options):
    """Options of the rule `eprop`."""

    feedback_seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="seed of the random feedback to lower layers, F ~ N(0, 1 / N_top); in a recipe 0 stands for training.seed",
    )


@RULES.register("eprop", title="e-prop", options=EPropOptions, citations=(E_PROP,))
class EProp(OnlineRule):
    """Multiply filtered eligibilities by learning signals from the read-out, for neurons of any kind; constant memory.

    Recurrent spikes are treated as constants, and the weights must be fully connected. Source: Bellec and others
    (2020), Nature Communications 11, 3625.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: The chain has a layer that online rules do not support, or weights shared by several neurons.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: EPropOptions) -> None:
        super().__init__(net, dt_ms, options)
        pairs = zip(self.hidden, self.leaks, strict=True)
        self._traced = [TracedBlock(block, leak, self.readout_leak, dt_ms, self.name) for block, leak in pairs]
        generator = torch.Generator().manual_seed(options.feedback_seed)
        like, top = net.get_parameter(next(iter(dict(net.named_parameters())))), self.hidden[-1:]
        self._feedback: list[Tensor] = []
        for below in self.hidden[:-1]:
            drawn = torch.randn(net.classes, below.neuron.neurons, generator=generator)
            self._feedback.append(drawn.to(like.detach()) / top[0].neuron.neurons ** 0.5)

    @torch.no_grad()
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        self.add_readout(activations, delta)
        for index, (block, traced) in enumerate(zip(self.hidden, self._traced, strict=True)):
            top = index == len(self.hidden) - 1
            told = self.readout.propagate_down(delta, activations) if top else delta @ self._feedback[index]
            signal = self.through_dropout(activations, block, told)
            # The activity cost is on the spikes themselves, which the read-out does not filter.
            traced.learn(activations, signal, self.price(activations, block))
        return True
