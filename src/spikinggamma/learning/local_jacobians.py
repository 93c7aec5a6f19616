"""Derivatives of each neuron's state and spike by its previous state and its drive, at each step of a chunk.

    z(t) = f(z(t-1), u(t)),    s(t) = g(z(t-1), u(t))            S numbers z for each neuron

    D = ∂z(t)/∂z(t-1) [S x S],    d = ∂z(t)/∂u(t) [S],    c = ∂s(t)/∂z(t-1) [S],    e = ∂s(t)/∂u(t)

They are computed from the neuron's functional step. A loop over the chunk gives the states. Then one step is taken from
all of them in parallel, and S + 1 backward passes over sums give every derivative, because each neuron is a function of
its own state and drive alone. A part of the step that passes no gradient (such as a detached reset) passes none here. A
parameter θ that each neuron has of its own is treated as a further drive: ∂z(t)/∂θ and ∂s(t)/∂θ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.nn import Leak, Neuron, StateTree

__all__ = [
    "LocalJacobian",
    "constant_leak",
    "find_slope",
    "jacobian_of_leak",
    "learnt_parameters",
    "local_jacobian",
    "own_jacobians",
    "without_idle_states",
]


class LocalJacobian(NamedTuple):
    """Derivatives at every step; an axis of time, batch or neurons has length 1 if nothing changes along it.

    Attributes:
        state: D, [S, S, T, B, N].
        drive: d, [S, T, B, N].
        out_state: c, [S, T, B, N].
        out_drive: e, [T, B, N].
    """

    state: Float[Tensor, "S S _ _ _"]
    drive: Float[Tensor, "S _ _ _"]
    out_state: Float[Tensor, "S _ _ _"]
    out_drive: Float[Tensor, "T B N"]


@torch.no_grad()
def states_before(neuron: Neuron, before: StateTree, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> list[Tensor]:
    """Return each part of the state before every step, [T, B, *shape].

    Args:
        neuron: Neurons of any kind.
        before: Their state before the chunk.
        drive: Their drive, [T, B, *shape].
        dt_ms: Time step in ms.
    """
    states = [before]
    for u in drive[:-1].unbind(0):
        states.append(neuron.step(states[-1], u, dt_ms)[1])
    return [torch.stack(parts) for parts in zip(*states, strict=True)]


def local_jacobian(
    neuron: Neuron, before: StateTree, drive: Float[Tensor, "T B *shape"], dt_ms: float
) -> LocalJacobian:
    """Return the derivatives at each step of a chunk.

    Args:
        neuron: Neurons of any kind.
        before: Their state before the chunk.
        drive: Their drive, recurrent spikes included, [T, B, *shape].
        dt_ms: Time step in ms.
    """
    shape = (*drive.shape[:2], neuron.neurons)
    rows = _derivatives(neuron, states_before(neuron, before, drive, dt_ms), drive, dt_ms)
    tables = [torch.stack([part.reshape(shape) for part in row]) for row in rows]
    spike, parts = tables[0], torch.stack(tables[1:])
    return LocalJacobian(parts[:, :-1], parts[:, -1], spike[:-1], spike[-1])


def learnt_parameters(neuron: Neuron) -> dict[str, nn.Parameter]:
    """Return the parameters of neurons that are trained, by name."""
    return {name: parameter for name, parameter in neuron.named_parameters() if parameter.requires_grad}


def own_jacobians(
    neuron: Neuron, before: StateTree, drive: Float[Tensor, "T B *shape"], dt_ms: float
) -> dict[str, LocalJacobian]:
    """Return the derivatives at each step with each learnt parameter in the place of the drive, by the parameter's name.

    Args:
        neuron: Any kind whose parameters are numbers of each neuron, or shared by all.
        before: Its state before the chunk.
        drive: What reached it, recurrent spikes included.
        dt_ms: Time step.
    """
    shape, names = (*drive.shape[:2], neuron.neurons), list(learnt_parameters(neuron))
    states = states_before(neuron, before, drive, dt_ms)
    rows = _derivatives(neuron, states, drive, dt_ms, names)
    tables = [torch.stack([part.reshape(shape) for part in row]) for row in rows]
    spike, parts, size = tables[0], torch.stack(tables[1:]), len(states)
    return {
        name: LocalJacobian(parts[:, :size], parts[:, place], spike[:size], spike[place])
        for place, name in enumerate(names, start=size + 1)
    }


class _Step(nn.Module):
    """The step of neurons as a module's call, so that their parameters can be given with it."""

    def __init__(self, neuron: Neuron) -> None:
        super().__init__()
        self.neuron = neuron

    def forward(self, state: StateTree, drive: Tensor, dt_ms: float) -> tuple[Tensor, StateTree]:
        return self.neuron.step(state, drive, dt_ms)


def _derivatives(
    neuron: Neuron, states: list[Tensor], drive: Tensor, dt_ms: float, names: Sequence[str] = ()
) -> list[list[Tensor]]:
    """Return the derivatives of the spike and of each part of the state: in each of these parts, the drive and parameters."""
    with torch.enable_grad():
        inputs = [part.detach().flatten(0, 1).requires_grad_() for part in (*states, drive)]
        # Of each step and sample a parameter of its own, so that a sum over all of them tells each apart.
        own = {
            name: neuron.get_parameter(name).detach().expand(inputs[0].shape).clone().requires_grad_() for name in names
        }
        given = {f"neuron.{name}": values for name, values in own.items()}
        called = (neuron.State(*inputs[:-1]), inputs[-1], dt_ms)
        spikes, after = torch.func.functional_call(_Step(neuron), given, called)
        return [_gradients(output, [*inputs, *own.values()]) for output in (spikes, *after)]


def _gradients(output: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    if not output.requires_grad:
        return [torch.zeros_like(one) for one in inputs]
    found = torch.autograd.grad(output.sum(), inputs, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(one) if grad is None else grad for one, grad in zip(inputs, found, strict=True)]


def constant_leak(neuron: Neuron, dt_ms: float) -> Leak | None:
    """Return the neuron's linear dynamics if they are the same for all neurons, states and drives, else None.

    If the neuron does not define them, its step is tested at many random states. Dynamics that depend on the surrogate
    of a spike, such as those of an adaptive threshold, differ between these states. Neurons with learnt parameters have no
    constant dynamics.
    """
    if learnt_parameters(neuron):
        return None
    if neuron.leak is not None:
        return type(neuron).leak(neuron, dt_ms)  # type: ignore[misc]
    zero = neuron.initial_state(64)
    generator = torch.Generator().manual_seed(0)
    tried = [torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part) for part in (*zero, zero[0])]
    rows = _derivatives(neuron, [part.unsqueeze(0) for part in tried[:-1]], tried[-1].unsqueeze(0), dt_ms)
    spike, *parts = [torch.stack([part.flatten() for part in row]) for row in rows]
    tables = torch.stack(parts)
    if not torch.allclose(tables, tables[..., :1], rtol=1e-5, atol=1e-7):
        return None
    # The spike's derivatives are a constant direction times the surrogate's slope; the largest entry is scaled to 1.
    strongest = int(spike.abs().amax(0).argmax())
    largest = int(spike[:, strongest].abs().argmax())
    direction = spike[:, strongest] / spike[largest, strongest]
    if not torch.allclose(spike, direction.unsqueeze(1) * spike[largest], rtol=1e-5, atol=1e-7):
        return None
    return Leak(tables[:, :-1, 0], tables[:, -1, 0], direction[:-1], direction[-1])


def find_slope(
    neuron: Neuron, leak: Leak, before: StateTree, drive: Float[Tensor, "T B *shape"], dt_ms: float
) -> Float[Tensor, "T B N"]:
    """Return ψ(t) = ∂s/∂m at each step of a chunk, where m is the membrane of the neuron's constant `leak`.

    Args:
        neuron: Neurons with a constant leak.
        leak: That leak.
        before: Their state before the chunk.
        drive: Their drive, [T, B, *shape].
        dt_ms: Time step in ms.
    """
    if neuron.slope is not None:
        return type(neuron).slope(neuron, drive, before, dt_ms).flatten(2)  # type: ignore[misc]
    direction = torch.cat([leak.out_state, leak.out_drive.view(1)])
    largest = int(direction.abs().argmax())
    states = states_before(neuron, before, drive, dt_ms)
    with torch.enable_grad():
        inputs = [part.flatten(0, 1).requires_grad_() for part in (*states, drive.detach())]
        spikes, _ = neuron.step(neuron.State(*inputs[:-1]), inputs[-1], dt_ms)
        slope = _gradients(spikes, inputs)[largest] / direction[largest]
    return slope.view(*drive.shape[:2], -1)


def jacobian_of_leak(leak: Leak, slope: Float[Tensor, "T B N"]) -> LocalJacobian:
    """Return the derivatives of neurons with a constant leak and the given surrogate slope."""
    state, drive = leak.state[..., None, None, None], leak.drive[:, None, None, None]
    return LocalJacobian(state, drive, leak.out_state[:, None, None, None] * slope, leak.out_drive * slope)


def without_idle_states(leak: Leak) -> Leak:
    """Return the same dynamics without states that affect nothing, such as a synaptic current that does not last."""
    kept = (leak.state != 0.0).any(0) | (leak.out_state != 0.0)
    return Leak(leak.state[kept][:, kept], leak.drive[kept], leak.out_state[kept], leak.out_drive)
