"""Real-time recurrent learning with the diagonal of its Jacobian (D-RTRL): eligibilities by the neurons' own dynamics.

    ε(t) = D(t) ε(t-1) + d(t) x(t)ᵀ,    ∂ℓ/∂W = Σ_t L(t) (c(t) ε(t-1) + e(t) x(t)ᵀ)

D is the Jacobian of a neuron's own state, so what neurons do to one another in time is left out: error signals are of the
present step, and recurrent spikes are taken as given. It equals BPTT for one hidden layer without recurrence under a read-out
that remembers nothing. For neurons with a constant leak it is OTTT, since their synapses hold the same of a sender.

Source: Wang, Dong, Ji, Jiang, Liu and Wu (2024), bioRxiv 2024.09.24.614728 (BrainTrace), for the name and this form.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from spikinggamma.bibliography import BRAINTRACE
from spikinggamma.learning.online_rule import PresentErrorRule
from spikinggamma.learning.rule import RULES
from spikinggamma.learning.traced_block import TracedBlock
from spikinggamma.nn import ChainActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["DRTRL"]


@RULES.register("dtrtrl", title="D-RTRL", citations=(BRAINTRACE,))
class DRTRL(PresentErrorRule):
    """Follow every synapse by the neuron's own Jacobian, for neurons of any kind; constant memory."""

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        pairs = zip(self.hidden, self.leaks, strict=True)
        self._traced = [TracedBlock(block, leak, None, dt_ms, self.name) for block, leak in pairs]

    def learn_block(
        self, index: int, activations: ChainActivations, grad: Float[Tensor, "T B N"]
    ) -> Float[Tensor, "T B N"]:
        """See `PresentErrorRule.learn_block`."""
        return self._traced[index].learn(activations, grad).in_drive * grad
