"""ES-D-RTRL: its definition step by step, the present alone at τ = 0, and D-RTRL up to a factor where that is promised."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from reference_chains import DT_MS, NEURON_OPTIONS, chain, learnt, made_up_neuron, spikes_for
from reference_nets import relative_error
from spikinggamma.learning import RULES
from spikinggamma.learning.local_jacobians import local_jacobian
from spikinggamma.nn import Chain, Linear, Neuron


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with made_up_neuron():
        yield


def given_delta(
    net: Chain, spikes: Tensor, rule: str, delta: Tensor, *, chunk: int, **options: float
) -> dict[str, Tensor]:
    """What a rule adds, given the error signal of the logits."""
    net.zero_grad()
    made = RULES[rule].target(net, DT_MS, RULES[rule].make_options(options))
    state = net.initial_state(3)
    for start in range(0, len(spikes), chunk):
        with torch.no_grad():
            activations, state = net.run(spikes[start : start + chunk], state, DT_MS)
        made.accumulate(activations, delta[start : start + chunk])
    made.finish()
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def deltas() -> Tensor:
    return torch.randn(24, 3, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.mark.long
@pytest.mark.parametrize("kind", NEURON_OPTIONS)
def test_it_is_its_definition_step_by_step(kind: str) -> None:
    net, spikes, delta, decay = chain(kind), spikes_for(), deltas(), math.exp(-DT_MS / 14.0)
    first, neuron, second = net.layers[:3]
    assert isinstance(first, Linear)
    assert isinstance(neuron, Neuron)
    assert isinstance(second, Linear)
    with torch.no_grad():
        drive = spikes @ first.weight.T
    jacobian = local_jacobian(neuron, neuron.initial_state(3), drive, DT_MS)
    of_sender, of_neuron = torch.zeros(3, 6).double(), torch.zeros(len(jacobian.drive), 3, 7).double()
    wanted = torch.zeros_like(first.weight)
    for t, message in enumerate(spikes):
        of_sender = decay * of_sender + message
        of_spike = decay * (jacobian.out_state[:, t] * of_neuron).sum(0) + (1.0 - decay) * jacobian.out_drive[t]
        moved = torch.einsum("ijbn,jbn->ibn", jacobian.state[:, :, t], of_neuron)
        of_neuron = decay * moved + (1.0 - decay) * jacobian.drive[:, t]
        wanted += ((delta[t] @ second.weight.detach()) * of_spike).T @ of_sender
    assert bool(wanted.any())
    for chunk in (1, 7, 24):
        found = given_delta(net, spikes, "es_d_rtrl", delta, chunk=chunk, tau_ms=14.0)
        name = next(iter(found))
        assert relative_error({name: found[name]}, {name: wanted.detach()}) < 1e-10


@pytest.mark.parametrize("kind", ["adaptive_lif", "lif", "two_compartments"])
def test_without_smoothing_it_is_the_present_alone(kind: str) -> None:
    net, spikes = chain(kind, hidden=(7, 6)), spikes_for()
    wanted = learnt(net, spikes, "truncated", "each_step")
    assert relative_error(learnt(net, spikes, "es_d_rtrl", "each_step", chunk=7, tau_ms=0.0), wanted) < 1e-10


def test_for_one_state_that_leaks_as_it_is_smoothed_it_is_d_rtrl_times_a_known_factor() -> None:
    net, spikes, delta = chain("lif", synapse_tau_ms=0.0), spikes_for(), deltas()
    decay = math.exp(-DT_MS / 9.0)
    factor = (1.0 - decay ** (2.0 * torch.arange(1, 25, dtype=torch.float64))) / (1.0 + decay)
    found = given_delta(net, spikes, "es_d_rtrl", delta, chunk=7, tau_ms=9.0)
    wanted = given_delta(net, spikes, "dtrtrl", factor.view(-1, 1, 1) * delta, chunk=7)
    hidden = next(iter(found))
    assert relative_error({hidden: found[hidden]}, {hidden: wanted[hidden]}) < 1e-10
