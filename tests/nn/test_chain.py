"""Chains: any layers in a row; what they leave behind, their states, and how a fresh one is calibrated."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.nn import Chain, Lift, make_chain
from spikinggamma.nn.state import tensors_of

DT_MS = 2.0
LIF: dict[str, Any] = {"layer": "lif", "tau_ms": 8.0, "synapse_tau_ms": 0.0}
CHAINS: dict[str, tuple[tuple[int, ...], list[dict[str, Any]]]] = {
    "residual": (
        (2, 6, 6),
        [
            {"layer": "conv2d", "channels": 4},
            {"layer": "tdbn"},
            LIF,
            {"layer": "residual", "branch": ({"layer": "conv2d", "channels": 4}, {"layer": "tdbn"}, LIF)},
            {"layer": "pool2d"},
            {"layer": "linear", "neurons": 3},
            {"layer": "integrator"},
            {"layer": "bias"},
        ],
    ),
    "gamma": (
        (6,),
        [
            {"layer": "gamma", "neurons": 8, "tau_ms": (4.0, 8.0)},
            {"layer": "axonal_delay", "max_ms": 8.0},
            {"layer": "temporal_skip", "delay_ms": 6.0, "branch": ({"layer": "linear", "neurons": 8}, LIF)},
            {"layer": "linear", "neurons": 3},
            {"layer": "integrator"},
        ],
    ),
    "recurrent": (
        (6,),
        [
            {"layer": "linear", "neurons": 8},
            {"layer": "adaptive_lif", "recurrent": True},
            {"layer": "feedback", "delay_ms": 4.0, "branch": ({"layer": "linear", "neurons": 8}, LIF)},
            {"layer": "linear", "neurons": 3},
        ],
    ),
}
every_chain = pytest.mark.parametrize("name", CHAINS)


def made(name: str, **options: float) -> tuple[Chain, Tensor]:
    shape, layers = CHAINS[name]
    generator = torch.Generator().manual_seed(0)
    net = make_chain(layers, shape, generator=generator, **options).double()
    spikes = torch.poisson(torch.full((20, 3, *shape), 0.4).double(), generator)
    net.calibrate(spikes, dt_ms=DT_MS, signal_per_threshold=2.0)
    return net.eval(), spikes


@every_chain
def test_chunks_are_the_whole_and_every_layer_is_at_work(name: str) -> None:
    net, spikes = made(name)
    whole, _ = net.run(spikes, net.initial_state(3), DT_MS)
    assert all(layer.counts is not None and layer.counts.any() for layer in whole.layers[:-1])
    assert len(whole.layers) == len(net.hidden) + 1
    for chunk in (1, 7):
        state, parts = net.initial_state(3), []
        for part in spikes.split(chunk):
            activations, state = net.run(part, state, DT_MS)
            parts.append(activations)
        for index, layer in enumerate(whole.layers):
            found = torch.cat([part.layers[index].outputs for part in parts])
            torch.testing.assert_close(found, layer.outputs, rtol=1e-9, atol=1e-11)


@every_chain
def test_a_state_that_is_handed_on_carries_no_gradient(name: str) -> None:
    net, spikes = made(name)
    state = None
    for part in spikes.split(5):  # a second backward through a freed graph would raise
        logits, state = net(part, state, dt_ms=DT_MS)
        logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())
    assert tensors_of(state)


@every_chain
def test_flat_input_is_taken_and_another_arrangement_is_not(name: str) -> None:
    net, spikes = made(name)
    assert torch.equal(net(spikes.flatten(2), dt_ms=DT_MS)[0], net(spikes, dt_ms=DT_MS)[0])
    with pytest.raises(SpikingGammaError, match=r"^`spikes`"):
        net(spikes.flatten(2).unsqueeze(2), dt_ms=DT_MS)
    with pytest.raises(SpikingGammaError, match=r"^`dt_ms`"):
        net(spikes, dt_ms=0.0)


def test_weights_without_a_normalisation_are_calibrated_and_others_left() -> None:
    net, spikes = made("recurrent")
    factors = net.calibrate(spikes, dt_ms=DT_MS, signal_per_threshold=2.0)
    assert factors[0] == pytest.approx(1.0)  # calibrated already
    residual, pictures = made("residual")
    convolutions = [
        layer.module for layer in residual.modules() if isinstance(layer, Lift) and list(layer.parameters())
    ]
    before = [module.weight.clone() for module in convolutions]
    residual.calibrate(pictures, dt_ms=DT_MS, signal_per_threshold=9.0)
    assert all(torch.equal(module.weight, old) for module, old in zip(convolutions, before, strict=True))


def test_dropout_masks_the_spiking_layers_of_the_row() -> None:
    layers = [{"layer": "linear", "neurons": 40}, LIF, {"layer": "linear", "neurons": 3}]
    net = make_chain(layers, (6,), dropout=0.5, generator=torch.Generator().manual_seed(0)).double().train()
    spikes = torch.ones(9, 3, 6, dtype=torch.float64)
    net.calibrate(spikes, dt_ms=DT_MS, signal_per_threshold=3.0)
    state = net.initial_state(3, generator=torch.Generator().manual_seed(1))
    assert [mask is not None for mask in state.masks] == [False, True, False]
    activations, _ = net.run(spikes, state, DT_MS)
    sent, mask = activations.layers[0].outputs, state.masks[1]
    assert mask is not None
    assert sent.any()
    assert torch.equal(activations.layers[1].inputs, sent * mask)


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([], "at least one layer"),
        ([{"layer": "conv2d"}], r"channels, height, width"),
        ([{"layer": "liff"}], r"`layers\[0\].layer`.*Did you mean"),
        ([{"layer": "lif", "tau": 3.0}], r"`layers\[0\].tau`.*Did you mean `tau_ms`"),
        ([{"neurons": 3}], "layer = the name of a layer"),
        ([{"layer": "residual", "branch": ({"layer": "linear", "neurons": 9},)}], "one shape"),
    ],
)
def test_a_chain_that_cannot_be_is_named(layers: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        make_chain(layers, (6,))
