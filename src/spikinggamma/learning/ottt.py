"""Online training through time, and what is left of it without traces: one step of truncated BPTT.

Both blame a layer for the present step only; see `online_lif`. OTTT is exact for one hidden layer under a read-out that
remembers nothing; both are where no neuron remembers anything.

Source: Xiao, Meng, Zhang, He and Lin (NeurIPS 2022), arXiv 2210.04195, for OTTT: its neurons have no synaptic current
(`synapse_tau_ms=0`); with one, the trace is that of current and membrane.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.online_lif import OnlineLIFRule, Trace, first_answer
from spikinggamma.nn import ChainActivations, SequenceNet

__all__ = ["OTTT", "Truncated"]


class _PresentBlame(OnlineLIFRule):
    """g^l(t) = ψ(t) ⊙ W_{l+1}ᵀ κ_{l+1}(0) g^{l+1}(t)."""

    @torch.no_grad()
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`."""
        weights, grad = self.net.weights, delta
        self.add_bias(delta)
        for index in reversed(range(len(weights))):
            self.add(index, grad, self.held(index, activations.layers[index].inputs))
            if index > 0:
                sent = self.heard(activations, index - 1, (first_answer(self.listener(index)) * grad) @ weights[index])
                grad = self.slope(activations, index - 1) * sent
        return True

    def held(self, index: int, inputs: Float[Tensor, "T B M"]) -> Float[Tensor, "T B M"]:
        """What the membrane of layer `index` holds of its senders: of the present, unless told otherwise."""
        return first_answer(self.listener(index)) * inputs


class Truncated(_PresentBlame):
    """BPTT truncated to one step: what a neuron remembers is taken as given."""


class OTTT(_PresentBlame):
    """Online training through time: the trace of each sender's spikes, in constant memory."""

    def __init__(self, net: SequenceNet, dt_ms: float) -> None:
        super().__init__(net, dt_ms)
        self._traces = [Trace(self.listener(index)) for index in range(len(self.net.weights))]

    def held(self, index: int, inputs: Float[Tensor, "T B M"]) -> Float[Tensor, "T B M"]:
        """The traces."""
        return self._traces[index].of(inputs)
