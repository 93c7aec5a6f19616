"""The gradient of numbers that each neuron has of its own, such as a time constant: an eligibility for each of them.

    ε(t) = D(t) ε(t-1) + ∂z(t)/∂θ,    σ(t) = c(t) ε(t-1) + ∂s(t)/∂θ,    ∂ℓ/∂θ = Σ_t L(t) σ(t)

It is the recursion of a synapse (`eligibility`) that hears a 1 at every step, with the neuron's derivative in θ in the place of
that in its drive. Memory is that of neurons, so every rule that knows local Jacobians keeps it exactly, also those that smooth
or factor the eligibilities of synapses; a rule without memory keeps the present alone.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikinggamma.learning.eligibility import Eligibility
from spikinggamma.learning.local_jacobians import LocalJacobian, learnt_parameters, own_jacobians
from spikinggamma.nn import Leak, Neuron, StateTree, add_gradient

__all__ = ["OwnTraces"]


class OwnTraces:
    """See the module.

    Args:
        neuron: The neurons; without learnt numbers of their own there is nothing to do.
        listener: Linear dynamics that filter what the neurons send, or None.
        dt_ms: Time step.
        memory: Whether the past is held; else derivatives are of the present step alone.
    """

    def __init__(self, neuron: Neuron, listener: Leak | None, dt_ms: float, *, memory: bool = True) -> None:
        self.neuron, self.dt_ms, self.memory = neuron, dt_ms, memory
        self._eligibilities = {name: Eligibility(listener) for name in learnt_parameters(neuron)}

    def learn(
        self,
        before: StateTree,
        drive: Float[Tensor, "T B *shape"],
        grad: Float[Tensor, "T B N"],
        on_spikes: Float[Tensor, "T B _"] | None = None,
    ) -> None:
        """Add to the gradients.

        Args:
            before: State of the neurons before the chunk.
            drive: All that reached them.
            grad: Error signal of what the listener holds, or of the spikes where there is no listener.
            on_spikes: A further error signal of the spikes themselves, where there is a listener.
        """
        if not self._eligibilities:
            return
        ones = grad.new_ones(*grad.shape[:2], 1)
        found = own_jacobians(self.neuron, before, drive, self.dt_ms)
        for name, eligibility in self._eligibilities.items():
            jacobian = found[name] if self.memory else _of_the_present(found[name])
            gradient = eligibility.meet(jacobian, ones, grad, on_spikes)
            _add(self.neuron.get_parameter(name), gradient.view(self.neuron.out_shape))


def _of_the_present(jacobian: LocalJacobian) -> LocalJacobian:
    return LocalJacobian(jacobian.state[:0, :0], jacobian.drive[:0], jacobian.out_state[:0], jacobian.out_drive)


@torch.no_grad()
def _add(parameter: nn.Parameter, gradient: Tensor) -> None:
    """Add a gradient of one number a neuron to a parameter that neurons may share."""
    add_gradient(parameter, gradient.sum_to_size(parameter.shape))
