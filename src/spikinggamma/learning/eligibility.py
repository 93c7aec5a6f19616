"""Eligibility traces of every synapse, for neurons of any kind, with an optional filter by a listener.

    ε(t) = D(t) ε(t-1) + d(t) x(t)ᵀ                            trace of the neuron's state, S numbers for each synapse
    σ(t) = c(t) ε(t-1) + e(t) x(t)ᵀ                            trace of its spike
    ρ(t) = A ρ(t-1) + b σ(t),    σ̄(t) = γ ρ(t-1) + ε_A σ(t)    σ filtered by the linear dynamics of a listener

    ∂ℓ/∂W = Σ_t L(t) σ̄(t) + L'(t) σ(t)                         L, L': error signals of the filtered trace and of the
    spike

Inside a chunk the sums are computed by the adjoint of these recursions, backwards in time, which takes one matrix
product. Traces are formed only from chunk to chunk, and only if there is a next chunk: S numbers for each synapse and
recording, plus as many as the listener has states. Memory is constant in time, and a chunk may have any size, down to
one step.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.learning.local_jacobians import LocalJacobian
from spikinggamma.nn import Leak

__all__ = ["Eligibility", "LeakTrace", "flushed", "leak_adjoint", "neuron_adjoint"]


def leak_adjoint(
    leak: Leak, grad: Float[Tensor, "T *cells"], end: Float[Tensor, "S *cells"]
) -> tuple[Float[Tensor, "T *cells"], Float[Tensor, "S *cells"]]:
    """Return the error signals of the input of linear dynamics, and of their state before the first step.

    Args:
        leak: The dynamics.
        grad: Error signal of the membrane at each step, [T, *cells].
        end: Error signal of the state after the last step, [S, *cells].
    """
    flat, state = grad.flatten(1), end.flatten(1)
    told = leak.out_state.view(1, -1, 1) * flat.unsqueeze(1)
    transposed, states = leak.state.T.contiguous(), []
    for step in reversed(told.unbind(0)):
        states.append(state)
        state = torch.addmm(step, transposed, state)
    inside = torch.einsum("s,tsx->tx", leak.drive, torch.stack(states[::-1]))
    return (leak.out_drive * flat + inside).view_as(grad), state.view_as(end)


def neuron_adjoint(
    jacobian: LocalJacobian, grad: Float[Tensor, "T Q B N"], end: Float[Tensor, "S Q B N"]
) -> tuple[Float[Tensor, "T Q B N"], Float[Tensor, "S Q B N"]]:
    """Return the error signals of the drive, and of the state before the first step, for Q error signals at once.

    Args:
        jacobian: Derivatives at each step.
        grad: Error signals of the spikes, [T, Q, B, N].
        end: Error signals of the state after the last step, [S, Q, B, N].
    """
    direct = jacobian.out_drive.unsqueeze(1) * grad
    if not len(end):
        return direct, end
    steps = len(grad)
    told = jacobian.out_state.unsqueeze(2) * grad  # [S, T, Q, B, N]
    tables = jacobian.state.unsqueeze(3).expand(-1, -1, steps, -1, -1, -1).unbind(2)
    state, states = end, []
    for step, table in zip(reversed(told.unbind(1)), reversed(tables), strict=True):
        states.append(state)
        state = step + (table * state.unsqueeze(1)).sum(0)
    return direct + (jacobian.drive.unsqueeze(2) * torch.stack(states[::-1], 1)).sum(0), state


def flushed(traces: Tensor) -> Tensor:
    """Return traces with negligible numbers set to zero, before they decay into subnormal numbers.

    Subnormal numbers slow a processor down several times. Numbers below the square root of the smallest normal number
    do not change a sum with any other number in it.
    """
    return torch.nn.functional.hardshrink(traces, torch.finfo(traces.dtype).tiny ** 0.5)


class LeakTrace:
    """Trace m(t) of a signal by linear dynamics, chunk by chunk: S numbers for each sender and recording.

    Args:
        leak: The dynamics; None for a membrane without memory, whose trace is the signal itself.
    """

    def __init__(self, leak: Leak | None) -> None:
        self.leak = leak
        self._state: Tensor | None = None

    def of(self, signal: Float[Tensor, "T B M"]) -> Float[Tensor, "T B M"]:
        """Return m(t) over the next chunk, [T, B, M]."""
        leak = self.leak
        if leak is None:
            return signal
        flat = signal.flatten(1)
        state = flat.new_zeros(len(leak.drive), flat.shape[1]) if self._state is None else self._state
        states = []
        for step in (leak.drive.view(1, -1, 1) * flat.unsqueeze(1)).unbind(0):
            states.append(state)
            state = torch.addmm(step, leak.state, state)
        self._state = flushed(state)
        held = torch.einsum("s,tsx->tx", leak.out_state, torch.stack(states)) + leak.out_drive * flat
        return held.view_as(signal)


class Eligibility:
    """Traces of all synapses between a signal [M] and neurons [N], with the equations at the top of this module.

    Args:
        listener: Linear dynamics that filter the eligibility of spikes; None for no filter.
    """

    def __init__(self, listener: Leak | None) -> None:
        self.listener = listener
        self._pending: tuple[LocalJacobian, Tensor] | None = None
        self._traces: Tensor | None = None  # [S + listener's, B, N, M]

    def meet(
        self,
        jacobian: LocalJacobian,
        signal: Float[Tensor, "T B M"],
        grad: Float[Tensor, "T B N"],
        on_spikes: Float[Tensor, "T B _"] | None = None,
    ) -> Float[Tensor, "N M"]:
        """Return the gradient of a chunk, [N, M].

        Args:
            jacobian: Derivatives of the neurons.
            signal: x, the signal that the weights multiply.
            grad: L, the error signal of the filtered spikes, or of the spikes themselves without a listener.
            on_spikes: L', a further error signal of the spikes themselves.
        """
        self._fold()
        zero = grad.new_zeros(self._count(jacobian), 1, *grad.shape[1:])
        of_drive, of_traces = self._adjoint(jacobian, grad.unsqueeze(1), zero, on_spikes)
        gradient = of_drive.flatten(0, 2).T @ signal.flatten(0, 1)
        if self._traces is not None and len(self._traces):
            gradient += torch.einsum("sbn,sbnm->nm", of_traces.squeeze(1), self._traces)
        self._pending = (jacobian, signal)
        return gradient

    def _count(self, jacobian: LocalJacobian) -> int:
        return len(jacobian.drive) + (0 if self.listener is None else len(self.listener.drive))

    def _adjoint(
        self, jacobian: LocalJacobian, grad: Tensor, end: Tensor, on_spikes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return ∂ℓ/∂u [T, Q, B, N] and the error signal of all traces before the first step [S, Q, B, N]."""
        own = len(jacobian.drive)
        filtered = end[own:]
        if self.listener is not None:
            grad, filtered = leak_adjoint(self.listener, grad, filtered)
        if on_spikes is not None:
            grad = grad + on_spikes.unsqueeze(1)
        of_drive, state = neuron_adjoint(jacobian, grad, end[:own])
        return of_drive, torch.cat([state, filtered])

    def _fold(self) -> None:
        """Add the last chunk to the traces, when a next chunk comes, by the adjoint of each trace in turn."""
        if self._pending is None:
            return
        jacobian, signal = self._pending
        count, (steps, batch, neurons) = self._count(jacobian), jacobian.out_drive.shape
        if count == 0:
            return
        ends = torch.eye(count, dtype=signal.dtype, device=signal.device).view(count, count, 1, 1)
        nothing = signal.new_zeros(steps, count, batch, neurons)
        of_drive, of_traces = self._adjoint(jacobian, nothing, ends.expand(-1, -1, batch, neurons))
        by_recording = of_drive.permute(2, 1, 3, 0).reshape(batch, count * neurons, steps)
        traces = (by_recording @ signal.transpose(0, 1)).view(batch, count, neurons, -1).transpose(0, 1)
        if self._traces is not None:
            traces = traces.contiguous()
            # Pairs without an effect are skipped: a synaptic current, for example, does not depend on the membrane.
            for told, old in zip(of_traces, self._traces, strict=True):
                for weight, new in zip(told, traces, strict=True):
                    if bool(weight.any()):
                        new.addcmul_(old, weight.unsqueeze(2))
        self._traces = flushed(traces)
