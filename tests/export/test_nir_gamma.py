"""A SpikingGamma net as a NIR graph: the same signals and the same spikes, run by somebody who knows NIR alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nir_interpreter import simulate

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export import nir_graph
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, impulse_response, sigma_delta_step
from spikinggamma.nn import CountNet, Dense, GammaNet, PerSynapse, Timescales, conv_net, dense_net

TAU_MS = (4.0, 5.0, 7.0, 12.0)
FIXED = SigmaDelta(0.1, adaptation=0.0, max_spikes=3)


def dense() -> GammaNet:
    return dense_net((6, 12, 9, 3), tau_ms=TAU_MS, code=FIXED, input_gain=0.7)


def binary() -> GammaNet:
    return dense_net((6, 12, 9, 3), tau_ms=TAU_MS, code=FIXED._replace(max_spikes=1))


def unrectified() -> GammaNet:
    return dense_net((6, 12, 9, 3), tau_ms=TAU_MS, code=FIXED, rectify=False)


def trained_tau() -> GammaNet:
    return dense_net((6, 12, 3), tau_ms=TAU_MS, code=FIXED, train_tau=True)


def one_bucket() -> GammaNet:
    return dense_net((6, 12, 3), tau_ms=TAU_MS[:1], code=FIXED)


def per_synapse() -> GammaNet:
    return dense_net((6, 12, 9, 3), tau_ms=TAU_MS, code=FIXED, synapse="synapse")


def convolutional() -> GammaNet:
    return conv_net((2, 6, 5), [(3, 3, 2), (4, 2, 1)], (8, 3), tau_ms=TAU_MS, code=FIXED)


def several_codes() -> GammaNet:
    """Thresholds, limits and buckets of their own in each layer."""
    layers = [
        Dense((6,), 9, Timescales((4.0, 9.0)), code=FIXED._replace(threshold=0.37)),
        PerSynapse((9,), 7, Timescales((4.0,)), code=FIXED._replace(max_spikes=5)),
        Dense((7,), 3, Timescales(TAU_MS), code=None, readout=True),
    ]
    return GammaNet(layers)


NETS = [dense, binary, unrectified, trained_tau, one_bucket, per_synapse, convolutional, several_codes]
Make = Callable[[], GammaNet]


def prepared(make: Make, seed: int = 0) -> GammaNet:
    """In double precision, with biases of either sign and neurons that speak."""
    torch.manual_seed(seed)
    net = make().double()
    with torch.no_grad():
        for layer in net.stack:
            layer.bias.normal_(std=0.3)
            layer.weight.mul_(1.5)
    return net


def events(net: GammaNet, *, steps: int = 50, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((steps, 4, *net.stack[0].in_shape), 0.3).double(), generator)


@pytest.mark.parametrize("dt_ms", [1.0, 4.0])
@pytest.mark.parametrize("make", NETS)
def test_signals_are_equal_and_spikes_identical(make: Make, dt_ms: float) -> None:
    net = prepared(make)
    spikes = events(net)
    activations, _ = net.run(spikes, net.initial_state(4), dt_ms)
    keep = [f"layer{index}_{what}" for index in range(len(net.hidden)) for what in ("signal", "sent")]
    found = simulate(nir_graph(net, dt_ms=dt_ms), spikes.numpy(), keep)
    for index, layer in enumerate(activations.layers[:-1]):
        assert float(layer.counts.sum()) > 20
        assert float((layer.signal < 0).double().mean()) > 0.02, "nothing to rectify"
        np.testing.assert_array_equal(found[f"layer{index}_sent"], layer.outputs.numpy())
        signal = found[f"layer{index}_signal"].reshape(layer.signal.shape)
        np.testing.assert_allclose(signal, layer.signal.numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(found["output"], activations.layers[-1].outputs.numpy(), rtol=0, atol=1e-13)


@given(st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=40), st.floats(0.0, 0.99), st.integers(1, 4))
def test_a_code_needs_no_rectifier(signal: list[float], alpha_0: float, most: int) -> None:
    """max(x, 0) - ŷ⁻ >= (2j - 1)ϑ exactly where x - ŷ⁻ is: driven apart from one start, the codes never part."""
    code = FIXED._replace(max_spikes=most)
    states = [SigmaDeltaState(torch.zeros(1), torch.zeros(1))] * 2
    for value in signal:
        x = torch.tensor([value])
        (one, first), (other, second) = (
            sigma_delta_step(code, alpha_0, 1.0, state, y) for state, y in zip(states, (torch.relu(x), x), strict=True)
        )
        assert torch.equal(one, other)
        assert float(first.estimate) >= 0.0
        states = [first, second]


def test_buckets_answer_a_spike_by_the_binomial_law() -> None:
    steps, dt_ms = 30, 2.0
    net = dense_net((1, 1), tau_ms=(8.0,) * 4).double()
    with torch.no_grad():
        net.stack[0].weight.fill_(1.0)
    impulse = np.zeros((steps, 1, 1))
    impulse[0] = 1.0
    names = [f"layer0_bucket{k}" for k in range(4)]
    found = simulate(nir_graph(net, dt_ms=dt_ms), impulse, names)
    wanted = impulse_response(8.0, 4, dt_ms, steps).numpy()
    np.testing.assert_allclose(np.stack([found[name][:, 0, 0] for name in names]), wanted, rtol=0, atol=1e-15)


def test_an_estimate_is_bucket_0_of_every_listener() -> None:
    net = prepared(several_codes)
    graph = nir_graph(net, dt_ms=2.0)
    found = simulate(graph, events(net).numpy(), ["layer0_estimate", "layer1_bucket0"])
    np.testing.assert_array_equal(found["layer0_estimate"], found["layer1_bucket0"])


def test_only_thresholds_are_not_linear() -> None:
    kinds = {type(node).__name__ for node in nir_graph(prepared(convolutional), dt_ms=2.0).nodes.values()}
    linear = {"Affine", "Conv2d", "Delay", "Flatten", "LI", "Scale", "Input", "Output"}
    assert kinds == linear | {"Linear", "Threshold"}


@pytest.mark.parametrize(
    ("code", "layer", "says"),
    [
        (SigmaDelta(max_spikes=3), "layer0", "a threshold that adapts"),
        (SigmaDelta(adaptation=0.0), "layer0", "no limit on the spikes"),
    ],
)
def test_what_nir_cannot_say_is_refused_by_layer_and_reason(code: SigmaDelta, layer: str, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says) as raised:
        nir_graph(dense_net((3, 4, 2), tau_ms=TAU_MS, code=code), dt_ms=2.0)
    assert raised.value.argument == layer
    assert raised.value.remedy


def test_the_layer_that_is_refused_is_the_one_at_fault() -> None:
    adapting = Dense((4,), 5, Timescales(TAU_MS), code=SigmaDelta(max_spikes=2))
    first = Dense((3,), 4, Timescales(TAU_MS), code=FIXED)
    last = Dense((5,), 2, Timescales(TAU_MS), code=None, readout=True)
    with pytest.raises(SpikingGammaError) as raised:
        nir_graph(GammaNet([first, adapting, last]), dt_ms=2.0)
    assert raised.value.argument == "layer1"


def test_other_nets_and_steps_are_refused() -> None:
    fixed = dense_net((3, 4, 2), tau_ms=TAU_MS, code=FIXED)
    with pytest.raises(SpikingGammaError, match="rectifies a signal"):
        nir_graph(dense_net((3, 4, 2), tau_ms=TAU_MS, analogue=True), dt_ms=2.0)
    with pytest.raises(SpikingGammaError, match="CountNet"):
        nir_graph(CountNet((3, 4, 2)), dt_ms=2.0)
    with pytest.raises(SpikingGammaError, match="the shortest of 4"):
        nir_graph(fixed, dt_ms=4.5)
    with pytest.raises(SpikingGammaError, match="dt_ms"):
        nir_graph(fixed)
    with pytest.raises(SpikingGammaError, match="max_spikes"):
        nir_graph(fixed, dt_ms=2.0, max_spikes=0)
