"""D-RTRL with a factored and exponentially smoothed eligibility (ES-D-RTRL, also called pp_prop).

    ε_x(t) = α ε_x(t-1) + x(t)                                 trace of each sender
    ε_f(t) = α D(t) ε_f(t-1) + (1 - α) d(t)                    trace of each neuron's state
    σ_f(t) = α c(t) ε_f(t-1) + (1 - α) e(t)                    trace of its spike
    ∂ℓ/∂W  = Σ_t L(t) σ_f(t) ε_x(t)ᵀ                           α = e^{-dt/τ}

Memory is proportional to the number of senders and neurons, not of synapses, so convolutions are possible. One product
of traces approximates a sum of products; it is exact without memory (τ = 0: `truncated`). For neurons with one state
and the constant leak α, its eligibility is that of D-RTRL times (1 - α^{2t+2}) / (1 + α) with t = 0 at the first step,
so it soon has the same direction. The read-out and parameters of the neurons themselves keep their exact traces, which cost
no more.

Source: Wang, Dong, Ji, Jiang, Liu and Wu (2024), bioRxiv 2024.09.24.614728 (BrainTrace).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma.bibliography import BRAINTRACE
from spikinggamma.learning.eligibility import LeakTrace, flushed
from spikinggamma.learning.local_jacobians import LocalJacobian, find_slope, jacobian_of_leak, local_jacobian
from spikinggamma.learning.online_rule import PresentErrorRule
from spikinggamma.learning.own_traces import OwnTraces
from spikinggamma.learning.rule import RULES
from spikinggamma.nn import ChainActivations, Leak, SequenceNet
from spikinggamma.options import Options

__all__ = ["ESDRTRL", "ESDRTRLOptions"]


class ESDRTRLOptions(Options):
    """Options of the rule `es_d_rtrl`."""

    tau_ms: float = Field(
        default=20.0, ge=0.0, le=60_000.0, description="time constant of the smoothing [ms]; 0: no memory"
    )


@RULES.register("es_d_rtrl", title="ES-D-RTRL", options=ESDRTRLOptions, citations=(BRAINTRACE,))
class ESDRTRL(PresentErrorRule):
    """Multiply smoothed traces of senders by smoothed traces of neurons, of any kind; memory of neurons, not synapses.

    Source: Wang and others (2024), bioRxiv 2024.09.24.614728.

    The arguments are those of `Rule`.

    Raises:
        SpikingGammaError: The chain has a layer that online rules do not support.
    """

    def __init__(self, net: SequenceNet, dt_ms: float, options: ESDRTRLOptions) -> None:
        super().__init__(net, dt_ms, options)
        self.decay = math.exp(-dt_ms / options.tau_ms) if options.tau_ms > 0.0 else 0.0
        self._signals = [block.signals() for block in self.hidden]
        smoothing = self._smoothing(self.hidden[0].weights[0]) if self.hidden else None
        self._senders = [[LeakTrace(smoothing) for _ in signals] for signals in self._signals]
        self._neurons: list[Tensor | None] = [None] * len(self.hidden)
        self._own = [OwnTraces(block.neuron, None, dt_ms) for block in self.hidden]

    def _smoothing(self, like: torch.nn.Module) -> Leak:
        of_kind = next(like.parameters()).new_tensor
        return Leak(of_kind([[self.decay]]), of_kind([1.0]), of_kind([self.decay]), of_kind(1.0))

    def learn_block(
        self, index: int, activations: ChainActivations, grad: Float[Tensor, "T B N"]
    ) -> Float[Tensor, "T B N"]:
        """Add the gradients of a hidden block; see `PresentErrorRule.learn_block`."""
        block, leak = self.hidden[index], self.leaks[index]
        before, drive, _ = block.population_call(activations)
        self._own[index].learn(before, drive, grad)
        if leak is None:
            jacobian = local_jacobian(block.neuron, before, drive, self.dt_ms)
        else:
            jacobian = jacobian_of_leak(leak, find_slope(block.neuron, leak, before, drive, self.dt_ms))
        smoothed, arrived = self._smoothed(index, jacobian) * grad, block.arrived(activations)
        for signal, trace in zip(self._signals[index], self._senders[index], strict=True):
            signal.add(smoothed, trace.of(signal.values(arrived, self.dt_ms)))
        return jacobian.out_drive * grad

    def _smoothed(self, index: int, jacobian: LocalJacobian) -> Float[Tensor, "T B N"]:
        """Return σ_f over the next chunk, [T, B, N]."""
        steps, rest = len(jacobian.out_drive), 1.0 - self.decay
        state, found = self._neurons[index], []
        if state is None:
            state = jacobian.out_drive.new_zeros(len(jacobian.drive), *jacobian.out_drive.shape[1:])
        tables = jacobian.state.expand(-1, -1, steps, -1, -1).unbind(2)
        drives = jacobian.drive.expand(-1, steps, -1, -1).unbind(1)
        for table, drive, out_state in zip(tables, drives, jacobian.out_state.unbind(1), strict=True):
            found.append((out_state * state).sum(0))
            state = self.decay * (table * state).sum(1) + rest * drive
        self._neurons[index] = flushed(state)
        return self.decay * torch.stack(found) + rest * jacobian.out_drive
