"""Online training through time: traces of each sender's spikes times error signals of the present step.

    x̂(t) = Σ_{t' <= t} κ(t - t') x(t'),    ∂ℓ/∂W = Σ_t ψ(t) L(t) x̂(t)ᵀ        κ: response of the membrane to one spike

The rule takes neurons with a constant leak, such as `lif` and `srm_alpha`, and any weights, including convolutions. It
equals BPTT for one hidden layer under a read-out without memory.

Source: Xiao, Meng, Zhang, He and Lin (NeurIPS 2022), arXiv 2210.04195. Its neurons have no synaptic current
(`synapse_tau_ms=0`); with one, the trace is that of current and membrane.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.errors import SpikingGammaError
from spikinggamma.learning.online_rule import PresentErrorRule
from spikinggamma.learning.rule import RULES
from spikinggamma.learning.traced_block import TracedBlock
from spikinggamma.nn import ChainActivations, SequenceNet
from spikinggamma.options import Options

__all__ = ["OTTT"]


@RULES.register("ottt", title="OTTT", citations=(bibliography.OTTT,))
class OTTT(PresentErrorRule):
    """Multiply traces of each sender's spikes by error signals of the present step; constant memory.

    Source: Xiao and others (NeurIPS 2022), arXiv 2210.04195.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: Neurons have no constant leak, or the chain has a layer that online rules do not support.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._traced: list[TracedBlock] = []
        for block, leak in zip(self.hidden, self.leaks, strict=True):
            if leak is None:
                found = f"{self.name} for a chain whose layer {block.place} is {type(block.neuron).__name__}"
                expected = "neurons with a constant leak, such as `lif` and `srm_alpha`"
                raise SpikingGammaError(
                    "rule", found, expected, "dtrtrl, eprop and es_d_rtrl take neurons of any kind."
                )
            self._traced.append(TracedBlock(block, leak, None, dt_ms, self.name))

    def learn_block(
        self, index: int, activations: ChainActivations, grad: Float[Tensor, "T B N"]
    ) -> Float[Tensor, "T B N"]:
        """Add the gradients of a hidden block; see `PresentErrorRule.learn_block`."""
        return self._traced[index].learn(activations, grad).in_drive * grad
