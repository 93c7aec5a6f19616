"""The profile's axis is the kernels' own delay, at every time step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spikinggamma.nn import dense_net
from spikinggamma.report.figures.delays import delay_section, profile

_TAU_MS = (4.0, 6.0, 8.0, 5.0)


@pytest.mark.parametrize("dt_ms", [0.5, 2.0, 4.0])
def test_the_lag_of_a_bucket_is_how_much_later_than_bucket_0_its_kernel_comes(dt_ms: float) -> None:
    found = profile(dense_net((3, 8, 2), tau_ms=_TAU_MS).stack[0], dt_ms)
    np.testing.assert_allclose(found.lags_ms, [0.0, 6.0, 14.0, 19.0])
    times = np.arange(len(found.kernels)) * dt_ms
    means = (times @ found.kernels) / found.kernels.sum(0)
    np.testing.assert_allclose(means - means[0], found.lags_ms, rtol=0.05)  # tails are cut off after three deviations


def test_rows_are_the_bucket_weights_of_a_dense_layer() -> None:
    layer = dense_net((3, 8, 2), tau_ms=_TAU_MS).stack[0]
    found = profile(layer, 2.0)
    np.testing.assert_allclose(found.rows, dict(layer.named_parameters())["bucket_weight"].detach().numpy())
    assert found.what == "neurons"


def test_rows_are_the_strongest_synapses_of_a_per_synapse_layer() -> None:
    layer = dense_net((30, 10, 2), tau_ms=_TAU_MS, synapse="synapse").stack[0]
    found = profile(layer, 2.0)
    assert found.each.shape == (4, 300)
    assert found.rows.shape == (4, 200)
    np.testing.assert_allclose(found.each[1, 57], layer.weight.detach()[1, 5, 7], rtol=1e-6)
    sizes = np.sort(np.square(found.each).sum(0))
    np.testing.assert_allclose(np.sort(np.square(found.rows).sum(0)), sizes[-200:])


@pytest.mark.long
@pytest.mark.parametrize(("synapse", "tau_ms"), [("neuron", (4.0,)), ("synapse", _TAU_MS)])
def test_every_layer_gets_its_figures(synapse: str, tau_ms: tuple[float, ...]) -> None:
    net = dense_net((3, 4, 2), tau_ms=tau_ms, synapse=synapse, generator=torch.Generator().manual_seed(0))
    section = delay_section(net, 2.0, "x")
    each = 3 if synapse == "neuron" else 4
    assert [panel.title.split(":")[0] for panel in section.panels] == ["Hidden layer 1"] * each + ["Read-out"] * each
    assert synapse in section.intro
