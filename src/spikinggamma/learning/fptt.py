"""Forward propagation through time: each chunk is learnt on its own, and a regulariser ties it to the chunks before.

    ℓ_dyn(W) = ℓ_t(W) + α/2 |W - W̄_t - λ_t / α|²                 minimised by one step of the optimiser: W_t to W_{t+1}
    λ_{t+1} = λ_t - α (W_{t+1} - W̄_t)                             an estimate of ∇ℓ_t(W_{t+1})
    W̄_{t+1} = ½ (W̄_t + W_{t+1}) - λ_{t+1} / (2α)                  running mean of the weights

ℓ_t is the loss of one chunk (of one step with update = step) that starts from a given state. Its gradient comes from
autograd, so the rule works for any chain. The optimiser steps after each chunk. With every batch of recordings W̄
starts at the weights and λ at zero. If the weights do not change, the regulariser is zero, and the rule is BPTT
truncated to the chunk.

Source: Kag and Saligrama (ICML 2021); Yin, Corradi and Bohte (2023), Nature Machine Intelligence 5, 518, for spiking
nets. As in the programs of both papers, λ is an estimate, which avoids a second gradient at W_{t+1}.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.learning.bptt import with_error_signals
from spikinggamma.learning.rule import RULES, Rule
from spikinggamma.nn import Chain, ChainActivations, ChainState, SequenceNet, add_gradient
from spikinggamma.nn.state import detached
from spikinggamma.options import Options

__all__ = ["FPTT", "FPTTOptions"]


class FPTTOptions(Options):
    """Options of the rule `fptt`."""

    alpha: float = Field(
        default=0.5, gt=0.0, le=1e3, description="weight α of the regulariser that ties weights to their running mean"
    )


@RULES.register("fptt", title="FPTT", options=FPTTOptions, citations=(bibliography.FPTT, bibliography.FPTT_SPIKING))
class FPTT(Rule[ChainActivations]):
    """Learn from each chunk alone, with weights tied to their running mean; constant memory, any chain.

    The optimiser must step after every chunk or step, and the loss must be known at each step (`each_step` or
    `running`). Source: Kag and Saligrama (ICML 2021); Yin, Corradi and Bohte (2023).

    The arguments are those of `Rule`.
    """

    nets = (Chain,)
    through_autograd = True
    updates = ("chunk", "step")
    needs_stepwise_loss = True

    def __init__(self, net: SequenceNet, dt_ms: float, options: FPTTOptions) -> None:
        super().__init__(net, dt_ms, options)
        self.alpha = options.alpha
        self._parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]
        self._means = [parameter.detach().clone() for parameter in self._parameters]
        self._estimates = [torch.zeros_like(mean) for mean in self._means]

    def prepare(self, state: ChainState) -> ChainState:
        """Return the state detached from the graph of the chunk before; see `PreparesState`."""
        return detached(state)

    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        followed = [pair for pair in with_error_signals(activations, delta, self.dt_ms) if pair[0].requires_grad]
        if followed:
            torch.autograd.backward([outputs for outputs, _ in followed], [grad for _, grad in followed])
        with torch.no_grad():
            for weights, mean, estimate in zip(self._parameters, self._means, self._estimates, strict=True):
                add_gradient(weights, self.alpha * (weights - mean) - estimate)
        return True

    @torch.no_grad()
    def updated(self) -> None:
        """Update the estimates and the running means; see `FollowsUpdates`."""
        for weights, mean, estimate in zip(self._parameters, self._means, self._estimates, strict=True):
            estimate.add_(weights - mean, alpha=-self.alpha)
            mean.add_(weights).mul_(0.5).sub_(estimate, alpha=0.5 / self.alpha)

    def finish(self) -> bool:
        """Return False, since every chunk adds its gradients at once."""
        return False
