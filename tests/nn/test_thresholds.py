"""The dial of thresholds: what it does to a net, from closed forms."""

from __future__ import annotations

import pytest
import torch

import reference_nets
import reference_surrogates
from reference_surrogates import KINDS, SETTINGS, options_of
from spikinggamma import SpikingGammaError
from spikinggamma.nn import CountNet, SurrogateNet

DT_MS = reference_nets.DT_MS


@pytest.mark.parametrize("factor", [0.25, 3.0])
def test_a_gamma_net_under_scaled_thresholds_is_itself_on_another_scale(factor: float) -> None:
    # Multiplying all signals by c is the same as dividing the thresholds by it: the rise follows ϑ.
    net, spikes = reference_nets.prepared(reference_nets.dense)
    dialled, _ = reference_nets.prepared(reference_nets.dense)
    dialled.scale_thresholds_(factor)
    with torch.no_grad():
        dialled.stack[0].weight.mul_(factor)
        for layer in dialled.stack:
            layer.bias.mul_(factor)
    plain = net.run(spikes, net.initial_state(3, dropout=False), DT_MS)[0]
    scaled = dialled.run(spikes, dialled.initial_state(3, dropout=False), DT_MS)[0]
    for one, other in zip(plain.layers[:-1], scaled.layers[:-1], strict=True):
        assert torch.equal(one.counts, other.counts)
        assert bool(one.counts.any())
    torch.testing.assert_close(scaled.layers[-1].outputs, factor * plain.layers[-1].outputs)


@pytest.mark.long
@pytest.mark.parametrize("neuron", ["lif", "adaptive_lif", "recurrent_lif", "srm_alpha"])
def test_every_population_gets_the_scaled_threshold(neuron: str) -> None:
    net, spikes = reference_surrogates.prepared(neuron, signal_per_threshold=2.0)
    kind = KINDS[neuron] | {"options": options_of(KINDS[neuron]["neuron"], SETTINGS | {"threshold": 1.7})}
    other = SurrogateNet(net.sizes, **kind).double()
    other.load_state_dict(net.state_dict())
    before = net(spikes, dt_ms=DT_MS)[0]
    net.scale_thresholds_(1.7)
    assert torch.equal(net(spikes, dt_ms=DT_MS)[0], other(spikes, dt_ms=DT_MS)[0])
    assert not torch.equal(net(spikes, dt_ms=DT_MS)[0], before)


def test_what_has_no_thresholds_and_factors_that_are_none_are_refused() -> None:
    net, _ = reference_nets.prepared(reference_nets.dense)
    for factor in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(SpikingGammaError, match=r"`threshold_scale`.*positive, finite"):
            net.scale_thresholds_(factor)
    for silent in (CountNet((3, 4, 2)), reference_nets.prepared(reference_nets.analogue)[0]):
        with pytest.raises(SpikingGammaError, match=r"`threshold_scale`.*neurons that spike"):
            silent.scale_thresholds_(2.0)
