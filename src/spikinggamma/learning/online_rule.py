"""What online rules of chains share: error signals of the present step, and traces of the past.

    ∂ℓ/∂W^l = Σ_t Σ_s L_s^l(t) (trace of what W^l multiplies)

| rule | error signal of a spike, L^l(t) | trace |
| --- | --- | --- |
| `truncated` | W_{l+1}ᵀ e_{l+1}(t) L^{l+1}(t) | of the present alone: one step of BPTT, all memory forgotten |
| `ottt` | the same | of each sender, by the neurons' constant leak |
| `dtrtrl` | the same | of each synapse, by the neurons' local Jacobian |
| `es_d_rtrl` | the same | a smoothed one of each sender times one of each neuron |
| `otpe` | W_{l+1}ᵀ ψ_{l+1}(t) L^{l+1}(t) | of each synapse, filtered by the leak of the layer above |
| `eprop` | F_lᵀ δ(t) | of each synapse, filtered by the read-out |

e = ∂s/∂u is the derivative of a spike in the drive of its own step, ψ the surrogate's slope, F_l a fixed matrix. A rule knows
no neuron: derivatives come from its step (`local_jacobians`). The read-out's own gradient is exact in all but `truncated`.
Spikes of a neuron's own layer that return through recurrent weights are taken as given, as are delays between layers when an
error signal is passed down: it meets the spike that is sent in the step in which an earlier one arrives.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.bptt import activity_grad
from spikinggamma.learning.chain_blocks import Block, read_blocks
from spikinggamma.learning.eligibility import LeakTrace
from spikinggamma.learning.local_jacobians import constant_leak, without_idle_states
from spikinggamma.learning.rule import RULES, Rule
from spikinggamma.nn import Bias, Chain, ChainActivations, Integrator, Leak, SequenceNet, add_gradient
from spikinggamma.nn.neurons.lif import leak_of
from spikinggamma.options import Options

__all__ = ["OnlineRule", "PresentErrorRule"]


class OnlineRule(Rule[ChainActivations], abc.ABC):
    """A rule of chains that is done with each chunk at once.

    Attributes:
        hidden: The blocks below the read-out.
        readout: The read-out.
        readout_leak: Its dynamics; None for one that remembers nothing.
        readout_traces: What it holds of each signal that reaches it.
        leaks: Of each hidden block, the neurons' constant leak, or None.

    Raises:
        SpikingGammaError: The chain has a layer that no online rule follows; it is named, with the reason.
    """

    nets = (Chain,)

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        assert isinstance(net, Chain)
        self.name = RULES.name_of(type(self))
        *self.hidden, self.readout = read_blocks(net, self.name)
        self.leaks = [constant_leak(block.neuron, dt_ms) for block in self.hidden]
        self.readout_leak = self._leak_of_readout(net.like())
        self._biases = [layer.bias for layer in net.layers[self.readout.place + 1 :] if isinstance(layer, Bias)]
        self._readout_signals = self.readout.signals()
        self.readout_traces = [LeakTrace(self.readout_leak) for _ in self._readout_signals]

    def _leak_of_readout(self, like: Tensor) -> Leak | None:
        integrator = self.readout.population
        parameters = integrator.parameters_at(self.dt_ms) if isinstance(integrator, Integrator) else None
        return None if parameters is None else without_idle_states(leak_of(parameters, like.detach()))

    def finish(self) -> bool:
        """Nothing is held back."""
        return False

    def add_readout(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> None:
        """Add the read-out's own gradient, from traces of what arrives at it."""
        for bias in self._biases:
            add_gradient(bias, delta.sum((0, 1)))
        arrived = self.readout.arrived(activations)
        for signal, trace in zip(self._readout_signals, self.readout_traces, strict=True):
            signal.add(delta, trace.of(signal.values(arrived, self.dt_ms)))

    def first_answer(self) -> Float[Tensor, ""] | float:
        """Return how much of a drive the read-out shows in the step in which it comes."""
        return 1.0 if self.readout_leak is None else self.readout_leak.out_drive

    def through_dropout(self, activations: ChainActivations, block: Block, grad: Tensor) -> Float[Tensor, "T B N"]:
        """Return the error signal of a hidden block's spikes from that of what is left of them after dropout."""
        mask = activations.masks[block.place]
        return (grad if mask is None else grad.view(*grad.shape[:2], *mask.shape[1:]) * mask).flatten(2)

    def price(self, activations: ChainActivations, block: Block) -> Float[Tensor, "T B 1"] | None:
        """Return the error signal of a spike of a hidden block from what spikes cost; None where they are free."""
        if activations.cost is None:
            return None
        spikes = activations.layers[self.hidden.index(block)].outputs.flatten(2)
        return activity_grad(activations.cost, spikes, self.dt_ms)

    def priced(self, activations: ChainActivations, block: Block, grad: Tensor) -> Float[Tensor, "T B N"]:
        """Return the error signal of a hidden block's spikes, dropout and price included."""
        grad, price = self.through_dropout(activations, block, grad), self.price(activations, block)
        return grad if price is None else grad + price


class PresentErrorRule(OnlineRule):
    """A rule that passes an error signal down through the present step: L^l(t) = W_{l+1}ᵀ e_{l+1}(t) L^{l+1}(t)."""

    @torch.no_grad()
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`."""
        self.add_readout(activations, delta)
        above, grad = self.readout, self.first_answer() * delta
        for index, block in reversed(list(enumerate(self.hidden))):
            sent = self.priced(activations, block, above.propagate_down(grad, activations))
            above, grad = block, self.learn_block(index, activations, sent)
        return True

    @abc.abstractmethod
    def learn_block(
        self, index: int, activations: ChainActivations, grad: Float[Tensor, "T B N"]
    ) -> Float[Tensor, "T B N"]:
        """Add to the gradients of a hidden block, given the error signal of its spikes; return that of its drive, e(t) L(t)."""
