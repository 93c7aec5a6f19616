"""Common parts of the online rules for chains: error signals of the present step, and traces of the past.

    ∂ℓ/∂W^l = Σ_t Σ_s L_s^l(t) (trace of the signal that W^l multiplies)

| rule | error signal of a spike, L^l(t) | trace |
| --- | --- | --- |
| `truncated` | W_{l+1}ᵀ e_{l+1}(t) L^{l+1}(t) | of the present step only: BPTT truncated to one step |
| `ottt` | the same | of each sender, by the neurons' constant leak |
| `dtrtrl` | the same | of each synapse, by the neurons' local Jacobian |
| `es_d_rtrl` | the same | smoothed trace of each sender times smoothed trace of each neuron |
| `otpe` | W_{l+1}ᵀ ψ_{l+1}(t) L^{l+1}(t) | of each synapse, filtered by the leak of the layer above |
| `eprop` | F_lᵀ δ(t) | of each synapse, filtered by the read-out |

Here e = ∂s/∂u is the derivative of a spike with respect to the drive of the same step, ψ the slope of the surrogate,
and F_l a fixed matrix. Rules do not know the equations of a neuron: derivatives come from its step (`local_jacobians`).
The gradient of the read-out itself is exact in all rules but `truncated`. Spikes that return to their own layer through
recurrent weights are treated as constants. Delays between layers are ignored when an error signal is propagated down:
it is applied to the spike that is sent in the step in which an earlier one arrives.
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
    """Base class of rules for chains that add the gradients of each chunk at once.

    The arguments are those of `Rule`.

    Attributes:
        hidden: The blocks below the read-out.
        readout: The block of the read-out.
        readout_leak: Its dynamics; None for a read-out without memory.
        readout_traces: Its trace of each signal that it receives.
        leaks: The constant leak of the neurons of each hidden block, or None.

    Raises:
        SpikingGammaError: The chain has a layer that no online rule supports; the message names it, with the reason.
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
        """Return False, since every chunk adds its gradients at once."""
        return False

    def add_readout(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> None:
        """Add the gradient of the read-out's own parameters, from traces of its inputs."""
        for bias in self._biases:
            add_gradient(bias, delta.sum((0, 1)))
        arrived = self.readout.arrived(activations)
        for signal, trace in zip(self._readout_signals, self.readout_traces, strict=True):
            signal.add(delta, trace.of(signal.values(arrived, self.dt_ms)))

    def first_answer(self) -> Float[Tensor, ""] | float:
        """Return the factor by which a drive changes the read-out in the same step."""
        return 1.0 if self.readout_leak is None else self.readout_leak.out_drive

    def through_dropout(self, activations: ChainActivations, block: Block, grad: Tensor) -> Float[Tensor, "T B N"]:
        """Return the error signal of a hidden block's spikes, given that of the spikes after dropout.

        Args:
            activations: Activations of the chunk.
            block: The hidden block.
            grad: Error signal after dropout.
        """
        mask = activations.masks[block.place]
        return (grad if mask is None else grad.view(*grad.shape[:2], *mask.shape[1:]) * mask).flatten(2)

    def price(self, activations: ChainActivations, block: Block) -> Float[Tensor, "T B 1"] | None:
        """Return the error signal of a hidden block's spikes from the activity cost, [T, B, 1]; None without a cost."""
        if activations.cost is None:
            return None
        spikes = activations.layers[self.hidden.index(block)].outputs.flatten(2)
        return activity_grad(activations.cost, spikes, self.dt_ms)

    def priced(self, activations: ChainActivations, block: Block, grad: Tensor) -> Float[Tensor, "T B N"]:
        """Return the error signal of a hidden block's spikes with dropout and activity cost, [T, B, N].

        Args:
            activations: Activations of the chunk.
            block: The hidden block.
            grad: Error signal after dropout.
        """
        grad, price = self.through_dropout(activations, block, grad), self.price(activations, block)
        return grad if price is None else grad + price


class PresentErrorRule(OnlineRule):
    """Base class of rules that propagate error signals down within the present step.

    L^l(t) = W_{l+1}ᵀ e_{l+1}(t) L^{l+1}(t)
    """

    @torch.no_grad()
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """Process a chunk; see `Rule.accumulate`."""
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
        """Add the gradients of a hidden block, and return the error signal of its drive, e(t) L(t), [T, B, N].

        Args:
            index: Index of the block among the hidden ones.
            activations: Activations of the chunk.
            grad: Error signal L(t) of its spikes, [T, B, N].
        """
