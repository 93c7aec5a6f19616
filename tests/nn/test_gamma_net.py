"""Nets: what fits together and what does not, dropout, and a start at which every layer speaks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reference_nets import DT_MS, NETS, prepared
from spikinggamma import SpikingGammaError
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import Conv2d, Dense, GammaLayer, GammaNet, PerSynapse, Timescales, dense_net

TAU_MS = (4.0, 6.0, 8.0, 10.0)
FEW, MANY = 0.02, 0.3  # share of steps with an event: sparse sound, a bright scene


def spoken(net: GammaNet, spikes: Tensor) -> list[float]:
    """Spikes per neuron and step of each hidden layer."""
    activations, _ = net.run(spikes, net.initial_state(spikes.shape[1]), DT_MS)
    return [float(layer.counts.double().mean()) for layer in activations.layers[:-1] if layer.counts is not None]


def events(density: float, *shape: int) -> Tensor:
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(1)) < density).float()


@pytest.mark.parametrize("density", [FEW, MANY], ids=["sparse", "dense"])
@pytest.mark.parametrize("depth", [1, 2, 3, 5, 7, 10])
@pytest.mark.parametrize("synapse", ["neuron", "synapse"])
def test_every_layer_speaks_at_the_start_and_none_floods(synapse: str, depth: int, density: float) -> None:
    torch.manual_seed(depth)
    net = dense_net((40, *(48,) * depth, 5), tau_ms=TAU_MS, synapse=synapse)
    spikes = events(density, 100, 8, 40)
    factors = net.calibrate(spikes, dt_ms=DT_MS)
    assert len(factors) == depth + 1
    assert all(0.01 < rate < 0.4 for rate in spoken(net, spikes))
    # On input that it was not calibrated on, too.
    assert all(0.005 < rate < 0.5 for rate in spoken(net, events(density, 160, 4, 40).flip(2)))


@pytest.mark.parametrize("density", [FEW, MANY], ids=["sparse", "dense"])
def test_convolutional_layers_speak_at_the_start(density: float) -> None:
    torch.manual_seed(0)
    code, timescales = SigmaDelta(), Timescales(TAU_MS)
    layers: list[GammaLayer] = [Conv2d((2, 8, 8), 6, 3, timescales, code=code, padding=1)]
    layers += [Conv2d((6, 8, 8), 6, 3, timescales, code=code, padding=1) for _ in range(4)]
    layers += [Conv2d((6, 8, 8), 6, 2, timescales, code=code, stride=2)]
    net = GammaNet([*layers, Dense((96,), 4, timescales, code=None, readout=True)])
    spikes = events(density, 60, 3, 2, 8, 8)
    net.calibrate(spikes, dt_ms=DT_MS)
    assert all(0.01 < rate < 0.4 for rate in spoken(net, spikes))


def test_scaling_by_fan_in_alone_starts_dead() -> None:
    torch.manual_seed(0)
    net = dense_net((40, *(48,) * 4, 5), tau_ms=TAU_MS)
    assert spoken(net, events(FEW, 100, 8, 40))[-1] == 0.0


def test_calibration_reaches_its_level_and_does_not_look_at_padding() -> None:
    torch.manual_seed(0)
    nets = [dense_net((20, 30, 30, 4), tau_ms=TAU_MS, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    spikes, lengths = events(0.1, 80, 3, 20), torch.tensor([80, 50, 20])
    noisy = spikes.clone()
    noisy[50:, 1] = 1.0
    noisy[20:, 2] = 1.0
    found = [net.calibrate(x, dt_ms=DT_MS, lengths=lengths) for net, x in zip(nets, (spikes, noisy), strict=True)]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    activations, _ = nets[0].run(spikes, nets[0].initial_state(3), DT_MS)
    valid = torch.arange(80).unsqueeze(1) < lengths
    levels = [float(layer.signal[valid].square().mean().sqrt()) for layer in activations.layers]
    assert levels == pytest.approx([0.5, 0.5, 1.0], rel=1e-3)  # five thresholds of 0.1, and one for the read-out


def test_calibration_on_silence_is_an_error() -> None:
    with pytest.raises(SpikingGammaError, match=r"`spikes`: got a batch without any event.*layer 0"):
        dense_net((3, 4, 2), tau_ms=TAU_MS).calibrate(torch.zeros(5, 2, 3), dt_ms=DT_MS)


def test_initial_weights_follow_from_the_generator() -> None:
    for make in (
        lambda g: dense_net((6, 7, 3), tau_ms=TAU_MS, generator=g),
        lambda g: dense_net((6, 7, 3), tau_ms=TAU_MS, generator=g, synapse="synapse"),
        lambda g: Conv2d((2, 4, 4), 3, 2, Timescales(TAU_MS), code=None, generator=g),
    ):
        one, same, other = (make(torch.Generator().manual_seed(seed)).state_dict() for seed in (0, 0, 1))
        assert all(torch.equal(one[name], same[name]) for name in one)
        assert not all(torch.equal(one[name], other[name]) for name in one)


def test_dropout_silences_neurons_for_a_whole_recording_and_keeps_the_mean() -> None:
    net = dense_net((6, 200, 100, 3), tau_ms=TAU_MS, dropout=0.4)
    masks = net.initial_state(50, generator=torch.Generator().manual_seed(0)).masks
    assert [mask.shape for mask in masks if mask is not None] == [(50, 200), (50, 100)]
    for mask in masks:
        assert mask is not None
        assert sorted(mask.unique().tolist()) == pytest.approx([0.0, 1.0 / 0.6])
        assert float((mask == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
        assert float(mask.mean()) == pytest.approx(1.0, abs=0.04)
        assert not torch.equal(mask[0], mask[1])  # each recording has its own
    again = net.initial_state(50, generator=torch.Generator().manual_seed(0)).masks
    assert all(torch.equal(one, two) for one, two in zip(masks, again, strict=True) if one is not None)
    spikes = events(0.2, 10, 50, 6)
    state = net.initial_state(50, generator=torch.Generator().manual_seed(0))
    assert net(spikes, state, dt_ms=DT_MS)[1].masks is state.masks  # the next chunk hears the same neurons
    net.eval()
    assert net.initial_state(50).masks == (None, None)


def test_a_state_of_another_batch_is_an_error() -> None:
    net, spikes = prepared(NETS["dense"])
    _, state = net(spikes, dt_ms=DT_MS)
    for call in (lambda x: net(x, state, dt_ms=DT_MS), lambda x: net.run(x, state, DT_MS)):
        with pytest.raises(SpikingGammaError, match=r"`state`: got buckets of shape \[3, 3, 7\]; expected \[3, 2, 7\]"):
            call(spikes[:, :2])


def test_a_state_of_another_depth_is_an_error() -> None:
    net, spikes = prepared(NETS["dense"])
    _, state = net(spikes, dt_ms=DT_MS)
    shorter = state._replace(layers=state.layers[:-1])
    for call in (lambda x: net(x, shorter, dt_ms=DT_MS), lambda x: net.run(x, shorter, DT_MS)):
        with pytest.raises(SpikingGammaError, match=r"`state`: got states of \d layers; expected \d, this net's"):
            call(spikes)


def test_input_of_another_shape_is_an_error() -> None:
    net, spikes = prepared(NETS["dense"])
    calls = (
        lambda x: net(x, dt_ms=DT_MS),
        lambda x: net.run(x, net.initial_state(3), DT_MS),
        lambda x: net.calibrate(x, dt_ms=DT_MS),
    )
    for call in calls:
        for wrong in (spikes[:, :, :5], spikes[:, 0]):
            with pytest.raises(SpikingGammaError, match=r"`spikes`: got \[.*\]; expected \[T, B, 6\]"):
                call(wrong)


def test_the_input_gain_is_the_height_of_an_event() -> None:
    torch.manual_seed(0)
    net = dense_net((3, 4, 2), tau_ms=TAU_MS)
    loud = GammaNet(net.stack, input_gain=2.5)
    spikes = events(0.3, 20, 2, 3)
    assert torch.equal(loud(spikes, dt_ms=DT_MS)[0], net(2.5 * spikes, dt_ms=DT_MS)[0])


def test_all_zero_at_the_start() -> None:
    net, _ = prepared(NETS["convolutional"])
    assert not any(bool(part.any()) for layer in net.initial_state(4).layers for part in layer)


def a_layer(tau_ms: tuple[float, ...] = TAU_MS, *, inputs: int = 3, neurons: int = 3, readout: bool = False) -> Dense:
    return Dense((inputs,), neurons, Timescales(tau_ms), code=None if readout else SigmaDelta(), readout=readout)


@pytest.mark.parametrize(
    ("layers", "named", "said"),
    [
        ([], "layers", "hidden layers, then one read-out"),
        ([a_layer()], "layers", "hidden layers, then one read-out"),
        ([a_layer(readout=True), a_layer(readout=True)], "layers", "hidden layers, then one read-out"),
        ([a_layer(neurons=4), a_layer(readout=True)], "layers", "shapes that fit"),
        ([a_layer((5.0, 6.0)), a_layer(readout=True)], "tau_ms", "same bucket 0 in every layer"),
    ],
)
def test_layers_that_do_not_make_a_net(layers: list[GammaLayer], named: str, said: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`.*{said}"):
        GammaNet(layers)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sizes": (3,)}, "sizes"),
        ({"sizes": (3, 0, 2)}, "sizes"),
        ({"synapse": "dendrite"}, "synapse"),
        ({"tau_ms": ()}, "tau_ms"),
        ({"tau_ms": (4.0, -1.0)}, "tau_ms"),
        ({"code": SigmaDelta(threshold=-1.0)}, "threshold"),
        ({"input_gain": 0.0}, "input_gain"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": -0.1}, "dropout"),
        ({"train_tau": True, "shortest_ms": 9.0}, "shortest_ms"),
    ],
)
def test_bad_values_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        dense_net(**({"sizes": (3, 4, 2), "tau_ms": TAU_MS} | wrong))  # type: ignore[arg-type]


def test_per_synapse_and_per_neuron_are_the_same_net_where_weights_factor() -> None:
    """w_ij v_i^k as one matrix a bucket: memory on the sender's side or on the neuron's own, x is the same."""
    torch.manual_seed(0)
    dense = Dense((5,), 4, Timescales(TAU_MS), code=SigmaDelta(0.05)).double()
    synapse = PerSynapse((5,), 4, Timescales(TAU_MS), code=SigmaDelta(0.05)).double()
    with torch.no_grad():
        dense.bias.normal_(std=0.1)
        synapse.bias.copy_(dense.bias)
        synapse.weight.copy_(torch.einsum("ij,ki->kji", dense.weight, dense.bucket_weight))
    spikes = (torch.rand(40, 3, 5) < 0.3).double()
    one, _ = dense.run(spikes, dense.initial_state(3), DT_MS)
    other, _ = synapse.run(spikes, synapse.initial_state(3), DT_MS)
    torch.testing.assert_close(one.signal, other.signal, rtol=1e-11, atol=1e-13)
    assert torch.equal(one.counts, other.counts)
    assert int(one.counts.sum()) > 20
