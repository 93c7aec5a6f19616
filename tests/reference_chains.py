"""Small chains for online rules, a neuron made up for them, and gradients by autograd, a step at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.functional import arctan
from spikinggamma.learning import Learner
from spikinggamma.nn import NEURONS, Bias, Chain, Integrator, Layer, Linear, Neuron, Recurrent, make_neuron

DT_MS = 2.0
CHANNELS, CLASSES = 6, 3
TARGETS = torch.tensor([0, 2, 1])
LENGTHS = torch.tensor([24, 17, 9])
NEURON_OPTIONS: dict[str, dict[str, Any]] = {
    "lif": {"tau_ms": 9.0, "synapse_tau_ms": 5.0},
    "adaptive_lif": {"tau_ms": 9.0, "synapse_tau_ms": 5.0, "adaptation": 0.3, "adaptation_tau_ms": 40.0},
    "srm_alpha": {"tau_ms": 9.0, "refractory_tau_ms": 4.0},
    "two_compartments": {},
    "tc_lif": {"surrogate": "arctan", "dendrite_reset": 0.9},
    "mlf": {"tau_ms": 6.0, "levels": 2, "surrogate": "arctan"},
    "brf": {"omega": (20.0, 90.0), "damping": (2.0, 9.0), "gain": 200.0, "refractory_damping": 30.0},
    "adlif": {"tau_ms": (5.0, 20.0), "threshold": 0.2, "surrogate": "arctan"},
    "se_adlif": {"tau_ms": (5.0, 20.0), "scale": 9.0, "surrogate": "arctan"},
}


class TwoCompartmentState(NamedTuple):
    """Dendrite and soma, [B, N]."""

    dendrite: Tensor
    soma: Tensor


class TwoCompartments(Neuron):
    """A dendrite and a soma that act on one another; its reset and its threshold pass gradients."""

    State = TwoCompartmentState

    def step(self, state: TwoCompartmentState, drive: Tensor, dt_ms: float) -> tuple[Tensor, TwoCompartmentState]:
        dendrite = 0.8 * state.dendrite + 0.1 * torch.tanh(state.soma) + drive
        soma = 0.9 * state.soma + 0.3 * dendrite
        spikes = arctan(soma - 1.0 - 0.2 * torch.tanh(state.dendrite))
        return spikes, TwoCompartmentState(dendrite, soma - spikes)

    def response(self, drive: Tensor, dt_ms: float) -> Tensor:
        return drive.cumsum(0)


@contextmanager
def made_up_neuron() -> Iterator[None]:
    """Let `two_compartments` be a registered neuron for a while."""
    NEURONS.register("two_compartments")(TwoCompartments)
    yield
    NEURONS._entries.pop("two_compartments")


def spikes_for(shape: Sequence[int] = (CHANNELS,), *, steps: int = 24, density: float = 0.3) -> Tensor:
    """Random spikes [T, B, *shape]."""
    return (torch.rand(steps, 3, *shape, generator=torch.Generator().manual_seed(1)) < density).double()


def chain(
    neuron: str, *, hidden: Sequence[int] = (7,), readout_tau_ms: float = 0.0, recurrent: bool = False, gain: float = 3.0,
    **options: Any,
) -> Chain:  # fmt: skip
    """Fully connected layers of one kind of neurons and a read-out, in double precision."""
    generator = torch.Generator().manual_seed(2)
    layers: list[Layer] = []
    size = CHANNELS
    for neurons in hidden:
        layers.append(Linear(size, neurons, generator))
        made = make_neuron(neuron, (neurons,), NEURON_OPTIONS[neuron] | options, torch.Generator().manual_seed(3))
        layers.append(Recurrent(made, generator) if recurrent else made)
        size = neurons
    layers += [Linear(size, CLASSES, generator), Integrator((CLASSES,), tau_ms=readout_tau_ms, synapse_tau_ms=3.0)]
    net = Chain([*layers, Bias((CLASSES,))], (CHANNELS,)).double()
    with torch.no_grad():
        for layer in layers:
            if isinstance(layer, Linear) and layer is not layers[-2]:
                layer.weight.mul_(gain)
    return net


def logits_by_steps(net: Chain, spikes: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits, and the spikes of each layer of neurons, by the functional steps; recurrent spikes are taken as given."""
    signal, spoken = spikes, []
    for layer in net.layers:
        if isinstance(layer, Recurrent):
            state, last = layer.neuron.initial_state(3), torch.zeros_like(signal[0])
            sent = []
            for drive in signal.unbind(0):
                heard = nn.functional.linear(last.detach(), layer.recurrent_weight)
                last, state = layer.neuron.step(state, drive + heard, DT_MS)
                sent.append(last)
            signal = torch.stack(sent)
            spoken.append(signal)
        elif isinstance(layer, Neuron):
            signal, _ = layer.unrolled(signal, layer.initial_state(3), DT_MS)
            spoken.append(signal)
        else:
            signal, _ = layer(signal, layer.initial_state(3), DT_MS)
    return signal, spoken


def by_autograd(net: Chain, spikes: Tensor, loss: str, price: float = 0.0) -> dict[str, Tensor]:
    """Gradients of the loss, and of a price on spikes, by autograd over the whole recording."""
    logits, spoken = logits_by_steps(net, spikes)
    total = reference_loss(loss, logits, TARGETS, LENGTHS, DT_MS)
    valid = (torch.arange(len(spikes)).unsqueeze(1) < LENGTHS).double()
    for sent in spoken:
        total = total + price * ((sent.flatten(2).mean(2) * valid).sum(0) / LENGTHS * 10.0 / DT_MS).mean()
    named = dict(net.named_parameters())
    found = torch.autograd.grad(total, list(named.values()))
    return dict(zip(named, found, strict=True))


def learnt(
    net: Chain, spikes: Tensor, rule: str, loss: str, *, chunk: int | None = None, price: float = 0.0, **options: Any
) -> dict[str, Tensor]:
    """What a rule adds to the gradients."""
    net.zero_grad()
    learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=chunk, activity_cost=price, rule_options=options)
    learner.learn(spikes, TARGETS, LENGTHS, generator=torch.Generator().manual_seed(7))
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
