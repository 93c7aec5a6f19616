"""Backpropagation through time truncated to one step: the memory of neurons is treated as constant.

    ∂ℓ/∂W = Σ_t e(t) L(t) x(t)ᵀ,    e(t) = ∂s(t)/∂u(t)

This is an online rule without traces. It equals BPTT if no neuron has a memory. A neuron whose spike does not depend on
the drive of the same step, such as `srm_alpha`, learns nothing.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.eligibility import LeakTrace
from spikinggamma.learning.local_jacobians import find_slope, local_jacobian
from spikinggamma.learning.online_rule import PresentErrorRule
from spikinggamma.learning.own_traces import OwnTraces
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import ChainActivations, Leak, SequenceNet
from spikinggamma.options import Options

__all__ = ["Truncated"]


@RULES.register("truncated")
class Truncated(PresentErrorRule):
    """Truncate backpropagation through time to one step, without traces of the past; smallest memory.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: The chain has a layer that online rules do not support.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: Options) -> None:
        super().__init__(net, dt_ms, options)
        self._signals = [block.signals() for block in self.hidden]
        self._own = [OwnTraces(block.neuron, None, dt_ms, memory=False) for block in self.hidden]
        if self.readout_leak is not None:
            none = self.readout_leak.drive[:0]
            present = Leak(self.readout_leak.state[:0, :0], none, none, self.readout_leak.out_drive)
            self.readout_traces = [LeakTrace(present) for _ in self.readout_traces]

    def learn_block(
        self, index: int, activations: ChainActivations, grad: Float[Tensor, "T B N"]
    ) -> Float[Tensor, "T B N"]:
        """Add the gradients of a hidden block; see `PresentErrorRule.learn_block`."""
        block, leak = self.hidden[index], self.leaks[index]
        before, drive, _ = block.population_call(activations)
        self._own[index].learn(before, drive, grad)
        if leak is None:
            of_drive = local_jacobian(block.neuron, before, drive, self.dt_ms).out_drive * grad
        else:
            of_drive = leak.out_drive * find_slope(block.neuron, leak, before, drive, self.dt_ms) * grad
        arrived = block.arrived(activations)
        for signal in self._signals[index]:
            signal.add(of_drive, signal.values(arrived, self.dt_ms))
        return of_drive
