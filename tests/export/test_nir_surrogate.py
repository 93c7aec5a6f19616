"""Leaky integrate and fire nets as NIR graphs: the same spikes at the same steps."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from nir_interpreter import simulate

from reference_surrogates import KINDS, options_of
from spikinggamma.errors import SpikingGammaError
from spikinggamma.export import nir_graph
from spikinggamma.nn import DELAY_KINDS, READOUTS, SurrogateNet

SETTINGS: dict[str, Any] = {
    "tau_ms": 12.0,
    "synapse_tau_ms": 5.0,
    "threshold": 0.7,
    "adaptation": 0.3,
    "adaptation_tau_ms": 60.0,
}
CASES = list(itertools.product(KINDS, READOUTS, ("none", *DELAY_KINDS)))


def make(neuron: str, readout: str, axons: str, settings: dict[str, Any] = SETTINGS, **options: float) -> SurrogateNet:
    """In double precision, loud enough to be reset often."""
    net = SurrogateNet(
        (6, 12, 9, 3),
        **KINDS[neuron],
        options=options_of(KINDS[neuron]["neuron"], settings),
        readout=readout,
        delays=axons,
        delay_input=axons == "fractional",
        max_delay_ms=7.3,
        generator=torch.Generator().manual_seed(0),
        **options,  # type: ignore[arg-type]
    ).double()
    with torch.no_grad():
        for weight in net.weights:
            weight.mul_(6.0)
        if net.bias is not None:
            net.bias.copy_(torch.tensor([0.3, -0.2, 0.1]))
    return net


def events(steps: int = 60) -> torch.Tensor:
    return torch.poisson(torch.full((steps, 4, 6), 0.3).double(), torch.Generator().manual_seed(1))


def assert_same(net: SurrogateNet, dt_ms: float) -> None:
    spikes = events()
    activations, _ = net.run(spikes, net.initial_state(4), dt_ms)
    names = [f"layer{index}_threshold" for index in range(len(net.spiking))]
    found = simulate(nir_graph(net, dt_ms=dt_ms), spikes.numpy(), names)
    for name, layer in zip(names, activations.layers, strict=False):
        share = float(layer.outputs.detach().mean())
        assert 0.01 < share < 0.9, "nothing to compare"
        np.testing.assert_array_equal(found[name], layer.outputs.detach().numpy())
    np.testing.assert_allclose(found["output"], activations.layers[-1].outputs.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("neuron", "readout", "axons"), CASES)
def test_spikes_are_identical(neuron: str, readout: str, axons: str) -> None:
    assert_same(make(neuron, readout, axons), 1.0)


@pytest.mark.parametrize("neuron", KINDS)
@pytest.mark.parametrize("dt_ms", [0.5])
def test_at_other_steps_too(neuron: str, dt_ms: float) -> None:
    assert_same(make(neuron, "integrator", "fractional"), dt_ms)


@pytest.mark.parametrize("readout_tau_ms", [0.0, 25.0])
def test_without_a_synapse_and_with_other_readouts(readout_tau_ms: float) -> None:
    settings = SETTINGS | {"synapse_tau_ms": 0.0}
    assert_same(make("lif", "integrator", "none", settings, readout_tau_ms=readout_tau_ms), 1.0)


def test_a_drive_that_just_reaches_the_threshold_makes_a_spike() -> None:
    """Ours spikes where v reaches ϑ, NIR's Threshold where its input exceeds it."""
    options = {"tau_ms": 1e-3, "synapse_tau_ms": 0.0, "threshold": 1.0}
    net = SurrogateNet((1, 1), options=options, readout="spikes")
    with torch.no_grad():
        net.weights[0].fill_(1.0)
    reaching = torch.tensor([1.0, 0.0, 1.0]).view(3, 1, 1)
    found = simulate(nir_graph(net, dt_ms=1.0), reaching.numpy())["output"]
    np.testing.assert_array_equal(found, reaching.numpy())
    np.testing.assert_array_equal(found, net(reaching, dt_ms=1.0)[0].detach().numpy())


def test_only_a_net_of_buckets_can_be_changed_before() -> None:
    with pytest.raises(SpikingGammaError, match="without_adaptation"):
        nir_graph(make("lif", "spikes", "none"), dt_ms=1.0, without_adaptation=True)
    with pytest.raises(SpikingGammaError, match="dt_ms"):
        nir_graph(make("lif", "spikes", "none"), dt_ms=0.0)
