"""Online training with postsynaptic estimates: eligibilities filtered by the leak of the layer above.

    σ(t)  = ∂s(t)/∂W                                           eligibility of each synapse, by the neuron's own dynamics
    R̂(t)  = Σ_{t' <= t} κ_{l+1}(t - t') σ(t')                  trace of it in the membranes of the layer above
    ∂ℓ/∂W^l = Σ_t W_{l+1}ᵀ g^{l+1}(t) R̂(t),    g^l(t) = ψ_l(t) W_{l+1}ᵀ κ_{l+1}(0) g^{l+1}(t)

OTTT multiplies a spike by the error signals of its own step; here it is multiplied by error signals for as long as the
layer above remembers it. The error signal g of membranes is propagated down within the present step. Layers above the
first need neurons with a constant leak. The rule equals BPTT for one hidden layer, for every memory of the read-out
(where it equals e-prop), and for two hidden layers under a read-out without memory.

Source: Summe, Schaefer and Joshi (2023), arXiv 2311.16151, in its full form: one estimate for each synapse and
recording (as many as the layer above has states).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.local_jacobians import without_idle_states
from spikinggamma.learning.online_rule import OnlineRule
from spikinggamma.learning.rule import RULES
from spikinggamma.learning.traced_block import TracedBlock
from spikinggamma.nn import ChainActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["OTPE"]


@RULES.register("otpe", title="OTPE", citations=(bibliography.OTPE,))
class OTPE(OnlineRule):
    """Multiply error signals by a running estimate of each synapse's effect on the layer above; constant memory.

    The weights must be fully connected. Source: Summe, Schaefer and Joshi (2023), arXiv 2311.16151.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: Neurons above the first layer have no constant leak, or the chain has a layer that online
            rules do not support, or weights shared by several neurons.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._traced: list[TracedBlock] = []
        listeners = [self.readout_leak]
        for block, leak in reversed(list(zip(self.hidden, self.leaks, strict=True))):
            self._traced.insert(0, TracedBlock(block, leak, listeners[0], dt_ms, self.name))
            if leak is None and block is not self.hidden[0]:
                found = f"{self.name} for a chain whose layer {block.place} is {type(block.neuron).__name__}"
                expected = "neurons with a constant leak, such as `lif`, above the first layer"
                raise SpikingGammaError("rule", found, expected, "eprop takes neurons of any kind.")
            listeners.insert(0, None if leak is None else without_idle_states(leak))

    @torch.no_grad()
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
        self.add_readout(activations, delta)
        above, grad, first_answer = self.readout, delta, self.first_answer()
        for block, traced in zip(reversed(self.hidden), reversed(self._traced), strict=True):
            held = self.through_dropout(activations, block, above.propagate_down(grad, activations))
            price = self.price(activations, block)
            slope = traced.learn(activations, held, price).in_membrane
            present = first_answer * held
            grad = slope * (present if price is None else present + price)
            above, first_answer = block, 1.0 if traced.leak is None else traced.leak.out_drive
        return True
