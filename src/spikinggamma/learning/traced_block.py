"""A hidden block of a chain with traces of the past, which gives the gradient of its parameters from its error signals.

Neurons with a constant leak all hold the same trace of a sender, so one trace for each sender is enough. All other
neurons need one for each synapse, and so does a listener that filters the spikes of the neurons. Parameters that each neuron
has of its own need one trace for each neuron.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.chain_blocks import Block
from spikinggamma.learning.eligibility import Eligibility, LeakTrace
from spikinggamma.learning.local_jacobians import LocalJacobian, find_slope, local_jacobian
from spikinggamma.learning.own_traces import OwnTraces
from spikinggamma.nn import ChainActivations, Leak

__all__ = ["SpikeDerivatives", "TracedBlock"]


class SpikeDerivatives(NamedTuple):
    """Derivatives of a spike with respect to the present step, [T, B, N].

    Attributes:
        in_membrane: ψ(t), with respect to the membrane; for neurons without a constant leak it equals `in_drive`.
        in_drive: e(t), with respect to the drive.
    """

    in_membrane: Float[Tensor, "T B N"]
    in_drive: Float[Tensor, "T B N"]


class TracedBlock:
    """A hidden block with its traces: one for each sender if possible, else one for each synapse.

    Args:
        block: The block.
        leak: The constant leak of its neurons, or None.
        listener: Linear dynamics that filter the spikes of the neurons, or None.
        dt_ms: Time step in ms.
        rule: Name of the rule, for errors.

    Raises:
        SpikingGammaError: The weights are shared by several neurons, but every synapse would need a trace.
    """

    def __init__(self, block: Block, leak: Leak | None, listener: Leak | None, dt_ms: float, rule: str) -> None:
        self.block, self.leak, self.dt_ms = block, leak, dt_ms
        self._signals = block.signals()
        self._senders = [LeakTrace(leak) for _ in self._signals]
        by_synapse = leak is None or listener is not None
        self._matrices = block.matrix_signals(rule) if by_synapse else []
        self._synapses = [Eligibility(listener) for _ in self._matrices]
        self._own = OwnTraces(block.neuron, listener, dt_ms)

    def learn(
        self,
        activations: ChainActivations,
        grad: Float[Tensor, "T B N"],
        on_spikes: Float[Tensor, "T B _"] | None = None,
    ) -> SpikeDerivatives:
        """Add the gradients of a chunk, and return the derivatives of the spikes.

        Args:
            activations: Activations of the chunk.
            grad: Error signal of the filtered spikes, or of the spikes themselves without a listener, [T, B, N].
            on_spikes: A further error signal of the spikes themselves, if there is a listener.
        """
        before, drive, _ = self.block.population_call(activations)
        self._own.learn(before, drive, grad, on_spikes)
        arrived, neuron = self.block.arrived(activations), self.block.neuron
        values = [signal.values(arrived, self.dt_ms) for signal in self._signals]
        if self.leak is None:
            jacobian = local_jacobian(neuron, before, drive, self.dt_ms)
            derivatives = SpikeDerivatives(jacobian.out_drive, jacobian.out_drive)
        else:
            slope = find_slope(neuron, self.leak, before, drive, self.dt_ms)
            # The traces hold the memory of the neurons, so a spike depends on them within the same step.
            values = [trace.of(signal) for trace, signal in zip(self._senders, values, strict=True)]
            nothing = slope.new_zeros(0, 1, 1, 1)
            jacobian = LocalJacobian(nothing.unsqueeze(0)[:0], nothing, nothing, slope)
            derivatives = SpikeDerivatives(slope, self.leak.out_drive * slope)
        if not self._synapses:
            held = grad if on_spikes is None else grad + on_spikes
            for signal, traced in zip(self._signals, values, strict=True):
                signal.add(jacobian.out_drive * held, traced)
            return derivatives
        for matrix, eligibility, value in zip(self._matrices, self._synapses, values, strict=True):
            matrix.add_matrix(eligibility.meet(jacobian, value, grad, on_spikes))
        return derivatives
