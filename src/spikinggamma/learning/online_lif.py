"""What the online rivals share: the gradient of a LIF net from quantities of the present and traces of the past.

In a net of LIF neurons without delays, a weight's gradient is a sum over time of blame on the membrane times what the
membrane holds of the sender,

    ∂ℓ/∂W^l = Σ_t g^l(t) â^{l-1}(t)ᵀ,    â = κ_l * s,    κ: the membrane's answer to one spike

for as long as the reset passes none on, as in `spikinggamma.functional.lif`. The rules differ in g and â alone:

| rule | blame on the membrane, g^l(t) | what it holds of the sender, â(t) |
| --- | --- | --- |
| `truncated` | ψ(t) ⊙ W_{l+1}ᵀ κ_{l+1}(0) g^{l+1}(t) | κ_l(0) s(t): one step of BPTT, all memory forgotten |
| `ottt` | the same | κ_l * s: the trace of all its spikes |
| `eprop` | ψ(t) ⊙ F_lᵀ Σ_{t' >= t} κ_out(t' - t) δ(t') | κ_l * s |

ψ is the surrogate's slope. The read-out's own gradient is exact in the last two. Layers are blamed from above through the
present step, W κ(0), or past all layers in between by fixed matrices F_l.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import LIFParameters, LIFState, surrogate_slope
from spikinggamma.learning.bptt import activity_grad
from spikinggamma.learning.rule import Rule
from spikinggamma.nn import ChainActivations, SequenceNet, SurrogateNet, add_gradient
from spikinggamma.nn.compiled.neurons import leaky_sequence, lif_membranes

__all__ = ["OnlineLIFRule"]


class OnlineLIFRule(Rule, abc.ABC):
    """A rule that is done with each chunk at once; see the module.

    Raises:
        SpikingGammaError: A net of other neurons, with delays, or with spiking outputs.
    """

    def __init__(self, net: SequenceNet, dt_ms: float) -> None:
        super().__init__(net, dt_ms)
        expected = "a SurrogateNet of `lif` neurons without delays and with an integrating read-out"
        remedy = "Other nets learn by bptt, a GammaNet by rules of its own."
        if not isinstance(net, SurrogateNet):
            raise SpikingGammaError("rule", f"an online rule of LIF nets for a {type(net).__name__}", expected, remedy)
        if net.neuron != "lif" or net.integrator is None or any(one is not None for one in net.delays):
            kinds = f"{net.neuron} neurons, {sum(one is not None for one in net.delays)} layers of delays"
            raise SpikingGammaError("rule", f"an online rule for {kinds}", expected, remedy)
        self.net = net
        self.neuron: LIFParameters = net.neurons[0].options.parameters(dt_ms)

    @property
    def readout(self) -> LIFParameters | None:
        """The read-out's integrator, None for one that remembers nothing."""
        assert self.net.integrator is not None
        return self.net.integrator.parameters_at(self.dt_ms)

    def listener(self, index: int) -> LIFParameters | None:
        """What holds the input of layer `index`: its neurons' membrane, or the read-out's integrator."""
        return self.readout if index == len(self.net.weights) - 1 else self.neuron

    @abc.abstractmethod
    def accumulate(self, activations: ChainActivations, delta: Float[Tensor, "T B C"]) -> bool:
        """See `Rule.accumulate`."""

    def finish(self) -> bool:
        """Nothing is held back."""
        return False

    def slope(self, activations: ChainActivations, index: int) -> Float[Tensor, "T B N"]:
        """ψ(t) of hidden layer `index`."""
        layer = activations.layers[index]
        before = next(call.before for call in activations.calls if call.layer is self.net.hidden[index])
        _, membrane, _ = lif_membranes(self.neuron, before, layer.drive)
        return surrogate_slope(self.neuron.surrogate, membrane - self.neuron.threshold)

    def heard(self, activations: ChainActivations, index: int, grad: Float[Tensor, "T B N"]) -> Float[Tensor, "T B N"]:
        """Blame on the spikes of hidden layer `index` from blame on what is left of them after dropout, with their price."""
        mask = activations.masks[index]
        grad = grad if mask is None else grad * mask
        return grad if activations.cost is None else grad + activity_grad(activations.cost, grad, self.dt_ms)

    def add(self, index: int, grad: Float[Tensor, "T B N"], held: Float[Tensor, "T B M"]) -> None:
        """Add Σ_t g(t) â(t)ᵀ to the gradient of layer `index`."""
        add_gradient(self.net.weights[index], torch.einsum("tbn,tbm->nm", grad, held))

    def add_bias(self, delta: Float[Tensor, "T B C"]) -> None:
        """Add Σ_t δ(t) to that of the read-out's bias."""
        if self.net.bias is not None:
            add_gradient(self.net.bias, delta.sum((0, 1)))


def first_answer(neuron: LIFParameters | None) -> float:
    """κ(0): how much of a spike a membrane holds in the step in which it comes."""
    return 1.0 if neuron is None else 1.0 - neuron.decays()[1]


class Trace:
    """κ * s of one layer's input, handed on from chunk to chunk: two numbers for each sender."""

    def __init__(self, neuron: LIFParameters | None) -> None:
        self.neuron = neuron
        self._state: LIFState | None = None

    def of(self, inputs: Float[Tensor, "T B M"]) -> Float[Tensor, "T B M"]:
        """â(t) over the next chunk."""
        if self.neuron is None:
            return inputs
        zero = torch.zeros_like(inputs[0])
        held, self._state = leaky_sequence(self.neuron, self._state or LIFState(zero, zero), inputs)
        return held
