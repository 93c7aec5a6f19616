"""Real-time recurrent learning with the diagonal of its Jacobian (D-RTRL): an eligibility for every synapse.

    ε(t) = D(t) ε(t-1) + d(t) x(t)ᵀ,    ∂ℓ/∂W = Σ_t L(t) (c(t) ε(t-1) + e(t) x(t)ᵀ)

D is the Jacobian of a neuron's own state. Effects of neurons on one another over time are left out: error signals are
those of the present step, and recurrent spikes are treated as constants. The rule equals BPTT for one hidden layer
without recurrence under a read-out without memory. For neurons with a constant leak it equals OTTT, because all neurons
then hold the same trace of a sender.

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
    """Follow every synapse by the neuron's own Jacobian, for neurons of any kind; constant memory.

    The weights must be fully connected. Memory is proportional to the number of synapses times the recordings of the
    batch. Source: Wang and others (2024), bioRxiv 2024.09.24.614728.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: The chain has a layer that online rules do not support, or weights shared by several neurons.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        pairs = zip(self.hidden, self.leaks, strict=True)
        self._traced = [TracedBlock(block, leak, None, dt_ms, self.name) for block, leak in pairs]

    def learn_block(
        self, index: int, activations: ChainActivations, grad: Float[Tensor, "T B N"]
    ) -> Float[Tensor, "T B N"]:
        """Add the gradients of a hidden block; see `PresentErrorRule.learn_block`."""
        return self._traced[index].learn(activations, grad).in_drive * grad
