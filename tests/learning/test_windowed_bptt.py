"""Windowed BPTT is BPTT for a window as long as the recording, and comes closer to it with the span, for any chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from reference_chains import LENGTHS, TARGETS, chain, learnt, spikes_for
from reference_nets import relative_error
from spikinggamma.learning import Learner
from spikinggamma.nn import Chain, make_chain

GENERATOR_SEED = 3


def gamma_skip_chain() -> Chain:
    """A SpikingGamma layer, delays, a temporal skip around neurons, and a linear head."""
    return make_chain(
        [
            {"layer": "gamma", "neurons": 8, "tau_ms": (4.0, 5.0, 7.0)},
            {"layer": "axonal_delay", "max_ms": 8.0},
            {
                "layer": "temporal_skip",
                "delay_ms": 6.0,
                "branch": ({"layer": "linear", "neurons": 8}, {"layer": "lif", "tau_ms": 6.0, "synapse_tau_ms": 2.0}),
            },
            {"layer": "gamma", "neurons": 6, "tau_ms": (4.0, 6.0), "synapse": "synapse", "train_tau": True},
            {"layer": "linear", "neurons": 3},
        ],
        (6,),
        dropout=0.2,
        generator=torch.Generator().manual_seed(GENERATOR_SEED),
    ).double()


def residual_chain() -> Chain:
    """Convolutional LIF neurons in a residual block, normalised with running statistics."""
    net = make_chain(
        [
            {"layer": "conv2d", "channels": 3, "bias": True},
            {"layer": "lif", "tau_ms": 5.0, "synapse_tau_ms": 0.0},
            {
                "layer": "residual",
                "branch": (
                    {"layer": "conv2d", "channels": 3},
                    {"layer": "tdbn"},
                    {"layer": "lif", "tau_ms": 5.0, "synapse_tau_ms": 0.0},
                ),
            },
            {"layer": "pool2d"},
            {"layer": "flatten"},
            {"layer": "linear", "neurons": 3},
            {"layer": "integrator", "tau_ms": 8.0},
        ],
        (2, 4, 4),
        generator=torch.Generator().manual_seed(GENERATOR_SEED),
    ).double()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return net


def recurrent_chain() -> Chain:
    """Adaptive neurons that hear one another."""
    return chain("adaptive_lif", recurrent=True, readout_tau_ms=8.0, adaptation_tau_ms=12.0)


CHAINS: dict[str, Callable[[], Chain]] = {
    make.__name__: make for make in (gamma_skip_chain, residual_chain, recurrent_chain)
}
every_chain = pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS)


@pytest.mark.long
@every_chain
def test_it_is_bptt_where_the_window_holds_the_recording(make: Callable[[], Chain]) -> None:
    net = make()
    spikes = spikes_for(net.in_shape, density=0.5)
    exact = learnt(net, spikes, "bptt", "each_step", price=0.2)
    assert all(bool(gradient.any()) for gradient in exact.values())
    for chunk in (1, 7, None):
        found = learnt(net, spikes, "windowed_bptt", "each_step", chunk=chunk, price=0.2, span_ms=1000.0)
        assert found.keys() == exact.keys()
        assert relative_error(found, exact) < 1e-10
    assert (
        relative_error(
            learnt(net, spikes, "windowed_bptt", "sum", chunk=7, span_ms=1000.0), learnt(net, spikes, "bptt", "sum")
        )
        < 1e-10
    )


@pytest.mark.long
@every_chain
def test_it_comes_closer_with_the_span(make: Callable[[], Chain]) -> None:
    net = make()
    spikes = spikes_for(net.in_shape, density=0.5)
    exact = learnt(net, spikes, "bptt", "each_step")
    spans = (0.0, 8.0, 16.0, 44.0)
    errors = [
        relative_error(learnt(net, spikes, "windowed_bptt", "each_step", chunk=2, span_ms=span), exact)
        for span in spans
    ]
    assert errors[0] > 1e-2
    assert errors[2] < errors[0]
    assert errors[3] < 0.02 * errors[0]


@every_chain
def test_updates_within_a_recording_add_up_while_weights_stay(make: Callable[[], Chain]) -> None:
    net, parts = make(), []
    spikes = spikes_for(net.in_shape, density=0.5)
    wanted = learnt(net, spikes, "windowed_bptt", "running", chunk=4, span_ms=16.0)
    net.zero_grad()
    learner = Learner(
        net, rule="windowed_bptt", loss="running", dt_ms=2.0, chunk=4, update="chunk", rule_options={"span_ms": 16.0}
    )

    def optimiser_step() -> None:
        parts.append({name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None})
        net.zero_grad()

    generator = torch.Generator().manual_seed(7)
    learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser_step, generator=generator)
    assert len(parts) == 5
    total = {name: torch.stack([part[name] for part in parts if name in part]).sum(0) for name in wanted}
    assert relative_error(total, wanted) < 1e-10
