"""The online rules of LIF nets, step by step from the papers' definitions: the judge of their vectorised forms.

One neuron model and one loop over time: forward, then what each rule holds of the past, then its blame. Two traces for each
sender (current and membrane) where the papers' neurons have one, and for e-prop one eligibility for each synapse, written
out as a matrix [B, N, M] and filtered by the read-out's own recursion. δ(t) comes from autograd on a written-out loss.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from reference_surrogates import DT_MS, lif_parameters, name_of_bias, names_of_weights
from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.nn import SurrogateNet


class Moment(NamedTuple):
    """One step of a net: input of each layer, v⁻ of each hidden one, and the logits."""

    inputs: list[Tensor]
    membranes: list[Tensor]
    logits: Tensor


class Leaky:
    """i ← a i + x, v ← β v + (1 - β) i; or x itself, for τ = 0."""

    def __init__(self, tau_ms: float, synapse_tau_ms: float) -> None:
        self.memory = tau_ms > 0.0
        self.a = math.exp(-DT_MS / synapse_tau_ms) if synapse_tau_ms > 0.0 and self.memory else 0.0
        self.beta = math.exp(-DT_MS / tau_ms) if self.memory else 0.0
        self.i = self.v = torch.zeros(())

    @property
    def first(self) -> float:
        """κ(0)."""
        return 1.0 - self.beta

    def __call__(self, x: Tensor) -> Tensor:
        self.i = self.a * self.i + x
        self.v = self.beta * self.v + (1.0 - self.beta) * self.i
        return self.v


def filters(net: SurrogateNet) -> list[Leaky]:
    """The membrane's filter of each layer, the read-out's last."""
    lif = lif_parameters(net)
    return [*(Leaky(lif.tau_ms, lif.synapse_tau_ms) for _ in net.hidden), _readout(net)]


def _readout(net: SurrogateNet) -> Leaky:
    assert net.integrator is not None
    return Leaky(net.integrator.tau_ms, net.integrator.synapse_tau_ms)


def forward(net: SurrogateNet, spikes: Tensor, masks: tuple[Tensor | None, ...]) -> list[Moment]:
    """The net, one step at a time."""
    membranes, moments = filters(net), []
    assert net.bias is not None
    for message in spikes:
        moment = Moment([], [], torch.empty(0))
        for index, weight in enumerate(net.weights):
            moment.inputs.append(message)
            before = membranes[index](message @ weight.T)
            if index == len(net.weights) - 1:
                moments.append(moment._replace(logits=before + net.bias))
                break
            moment.membranes.append(before)
            fired = (before >= lif_parameters(net).threshold).to(before)
            membranes[index].v = before - lif_parameters(net).threshold * fired
            mask = masks[index]
            message = fired if mask is None else fired * mask
    return moments


class Oracle:
    """Gradients of one batch under a rule, by the loop.

    Args:
        net: A LIF net without delays.
        spikes: [T, B, N].
        masks: Of dropout, one for each hidden layer.
        price: λ, the cost of a mean spike per neuron and 10 ms.
    """

    def __init__(
        self,
        net: SurrogateNet,
        spikes: Tensor,
        loss: str,
        targets: Tensor,
        lengths: Tensor,
        *,
        masks: tuple[Tensor | None, ...],
        price: float = 0.0,
    ) -> None:
        with torch.no_grad():
            self.moments = forward(net, spikes, masks)
        self.net, self.masks = net, masks
        logits = torch.stack([moment.logits for moment in self.moments]).requires_grad_()
        (self.delta,) = torch.autograd.grad(reference_loss(loss, logits, targets, lengths, DT_MS), logits)
        valid = (torch.arange(len(spikes)).unsqueeze(1) < lengths).double()
        self.price = price * valid / (lengths.double() * len(lengths)) * 10.0 / DT_MS
        self.weights = [weight.detach() for weight in net.weights]
        self.names = names_of_weights(net)
        self.found = {name: torch.zeros_like(w) for name, w in zip(self.names, self.weights, strict=True)}
        self.found[name_of_bias(net)] = self.delta.sum((0, 1))

    def slope(self, t: int, index: int) -> Tensor:
        """ψ of SuperSpike, 1 / (1 + 10 abs(v⁻ - ϑ))²."""
        away = self.moments[t].membranes[index] - lif_parameters(self.net).threshold
        return 1.0 / (1.0 + 10.0 * away.abs()) ** 2

    def on_spikes(self, t: int, index: int, grad: Tensor) -> Tensor:
        """Through dropout, with the price."""
        mask = self.masks[index]
        return (grad if mask is None else grad * mask) + self.price[t].unsqueeze(1) / grad.shape[1]

    def add(self, index: int, gradient: Tensor) -> None:
        self.found[self.names[index]] += gradient

    def ottt(self) -> dict[str, Tensor]:
        """Traces of each sender; blame from above through the present step alone."""
        traces, kernels = filters(self.net), filters(self.net)
        for t, moment in enumerate(self.moments):
            held = [trace(s) for trace, s in zip(traces, moment.inputs, strict=True)]
            grad = self.delta[t]
            for index in reversed(range(len(self.weights))):
                self.add(index, grad.T @ held[index])
                if index > 0:
                    down = self.on_spikes(t, index - 1, kernels[index].first * grad @ self.weights[index])
                    grad = self.slope(t, index - 1) * down
        return self.found

    def eprop(self, feedback_seed: int = 0) -> dict[str, Tensor]:
        """One eligibility for each synapse, filtered as the read-out filters; feedback past all layers in between."""
        generator = torch.Generator().manual_seed(feedback_seed)
        sizes, top = self.net.sizes, len(self.weights) - 2
        random = [torch.randn(sizes[-1], size, generator=generator).double() for size in sizes[1:-2]]
        feedback = [*(one / sizes[-2] ** 0.5 for one in random), self.weights[-1]]
        traces, kernels = filters(self.net), [_readout(self.net) for _ in range(top + 1)]
        for t, moment in enumerate(self.moments):
            held = [trace(s) for trace, s in zip(traces, moment.inputs, strict=True)]
            self.add(top + 1, self.delta[t].T @ held[-1])
            for index in range(top + 1):
                mask, signal = self.masks[index], self.delta[t] @ feedback[index]
                signal = signal if mask is None else signal * mask
                eligibility = self.slope(t, index).unsqueeze(2) * held[index].unsqueeze(1)
                late = kernels[index](eligibility)
                free = self.price[t].view(-1, 1, 1) / eligibility.shape[1]
                self.add(index, (signal.unsqueeze(2) * late + free * eligibility).sum(0))
        return self.found
