"""Nets of surrogate-gradient neurons: chunks equal the whole, every layer fires once calibrated, and they learn."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from reference_nets import cosine, relative_error
from reference_surrogates import CHANNELS, CLASSES, DELAYS, DT_MS, KINDS, by_hand, prepared
from spikinggamma import SpikingGammaError
from spikinggamma.functional import SURROGATES
from spikinggamma.nn import ChainState, SurrogateNet

every_kind = pytest.mark.parametrize("neuron", KINDS)
every_delay = pytest.mark.parametrize("delays", DELAYS)


def outcome(net: SurrogateNet, spikes: Tensor, state: ChainState, chunk: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits [T, B, C] and the gradient of a fixed random sum of them, in every parameter and in the input."""
    leaf, parts = spikes.clone().requires_grad_(), []
    for part in leaf.split(chunk):
        activations, state = net.run(part, state, DT_MS)
        parts.append(activations.layers[-1].outputs)
    said = torch.cat(parts)
    grad = torch.randn(said.shape, generator=torch.Generator().manual_seed(3), dtype=said.dtype)
    named = {name: p for name, p in net.named_parameters() if not name.endswith(".bias")} | {"input": leaf}
    gradients = torch.autograd.grad((said * grad).sum(), list(named.values()))
    return said.detach(), dict(zip(named, gradients, strict=True))


def masks_of(state: ChainState) -> tuple[Tensor | None, ...]:
    """Return the masks of the hidden layers that spike."""
    return tuple(mask for mask in state.masks if mask is not None)


@pytest.mark.long
@every_delay
@every_kind
@pytest.mark.parametrize("readout", ["integrator", "spikes"])
def test_chunks_equal_the_whole_and_the_functional_neurons(neuron: str, delays: str, readout: str) -> None:
    net, spikes = prepared(neuron, readout=readout, dropout=0.3, signal_per_threshold=4.0, **DELAYS[delays])
    state = net.initial_state(3, generator=torch.Generator().manual_seed(4))
    whole, gradients = outcome(net, spikes, state, len(spikes))
    assert all(bool(gradient.any()) for gradient in gradients.values())
    torch.testing.assert_close(whole, by_hand(net, spikes, masks_of(state)).logits.detach(), rtol=1e-12, atol=1e-13)
    for chunk in (1, 7):
        found, again = outcome(net, spikes, state, chunk)
        torch.testing.assert_close(found, whole, rtol=1e-12, atol=1e-13)
        assert relative_error(again, gradients) < 1e-9


@every_kind
@pytest.mark.parametrize("depth", [1, 4, 10])
def test_a_calibrated_net_of_any_depth_fires_in_every_layer(neuron: str, depth: int) -> None:
    lengths = torch.tensor([40, 40, 30, 20])
    net, spikes = prepared(neuron, hidden=(32,) * depth, steps=40, batch=4)
    net.calibrate(spikes, dt_ms=DT_MS, lengths=lengths)
    activations, _ = net.run(spikes, net.initial_state(4), DT_MS)
    for layer in activations.layers[:-1]:
        assert layer.counts is not None
        assert 0.01 < float(layer.counts.mean()) < 0.5
    valid = torch.arange(40).unsqueeze(1) < lengths
    assert net.bias is not None
    said = (activations.layers[-1].outputs - net.bias).detach()[valid]
    assert float(said.square().mean().sqrt()) == pytest.approx(1.0)


@every_kind
def test_calibration_gives_each_membrane_the_size_that_was_asked_for(neuron: str) -> None:
    net, spikes = prepared(neuron, signal_per_threshold=3.0)
    first = net.neurons[0].response(spikes @ net.weights[0].T, DT_MS)  # in thresholds
    assert float(first.detach().square().mean().sqrt()) == pytest.approx(3.0)
    before = [weight.clone() for weight in net.weights]
    factors = net.calibrate(spikes, dt_ms=DT_MS, signal_per_threshold=1.5)
    assert factors[0] == pytest.approx(0.5)
    for weight, old, factor in zip(net.weights, before, factors, strict=True):
        torch.testing.assert_close(weight, old * factor)


@pytest.mark.parametrize(
    ("neuron", "surrogate", "delays", "readout"),
    [
        *[("lif", surrogate, "none", "integrator") for surrogate in SURROGATES],
        ("lif", "fast_sigmoid", "fractional", "integrator"),
        ("adaptive_lif", "fast_sigmoid", "floored", "spikes"),
        ("recurrent_lif", "fast_sigmoid", "none", "integrator"),
        ("srm_alpha", "exponential", "fractional", "spikes"),
    ],
)
def test_it_learns_by_plain_autograd(neuron: str, surrogate: str, delays: str, readout: str) -> None:
    net, spikes = prepared(
        neuron, settings={"surrogate": surrogate}, readout=readout, signal_per_threshold=2.0, batch=4,
        hidden=(12,), **DELAYS[delays],
    )  # fmt: skip
    targets, losses = torch.tensor([0, 1, 2, 0]), []
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(25):
        logits, _ = net(spikes, dt_ms=DT_MS)
        loss = torch.nn.functional.cross_entropy(logits.mean(0) * 4.0, targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        net.constrain_()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    for axons in net.delays:
        assert axons is None or bool(((axons.delay_ms >= 0.0) & (axons.delay_ms <= 9.0)).all())


def test_a_spiking_read_out_says_spikes() -> None:
    net, spikes = prepared("adaptive_lif", readout="spikes", signal_per_threshold=2.0)
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    said = activations.layers[-1]
    assert said.counts is not None
    assert set(said.outputs.detach().unique().tolist()) == {0.0, 1.0}
    assert torch.equal(said.counts, said.outputs.detach())
    assert (len(net.spiking), len(net.hidden), net.bias, net.classes) == (3, 2, None, CLASSES)


def test_dropout_silences_neurons_for_a_whole_recording_and_only_in_training() -> None:
    net, spikes = prepared(hidden=(200,), dropout=0.25, signal_per_threshold=3.0)
    state = net.initial_state(3, generator=torch.Generator().manual_seed(0))
    (mask,) = masks_of(state)
    assert mask.unique().tolist() == pytest.approx([0.0, 4.0 / 3.0])
    # 600 draws: five standard deviations.
    assert abs(float((mask == 0.0).double().mean()) - 0.25) < 5.0 * (0.25 * 0.75 / 600) ** 0.5
    activations, after = net.run(spikes, state, DT_MS)
    assert masks_of(after)[0] is mask
    torch.testing.assert_close(activations.layers[1].inputs, activations.layers[0].outputs * mask)
    assert masks_of(net.initial_state(3, dropout=False)) == ()
    assert masks_of(net.eval().initial_state(3)) == ()


def test_a_read_out_without_memory_says_its_drive_and_a_slow_one_changes_late() -> None:
    net, spikes = prepared(readout_tau_ms=0.0)
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    assert net.bias is not None
    torch.testing.assert_close(activations.layers[-1].outputs, activations.layers[-1].drive + net.bias)
    slow, _ = prepared(readout_tau_ms=500.0)
    changes = [one(spikes, dt_ms=DT_MS)[0].detach().diff(dim=0).norm() for one in (slow, net)]
    assert float(changes[0]) < 0.2 * float(changes[1])


@pytest.mark.parametrize("delays", ["fractional", "floored"])
def test_delays_are_where_they_were_asked_for_and_are_heard(delays: str) -> None:
    options: dict[str, Any] = DELAYS[delays]
    with_input, spikes = prepared(**options)
    assert [len(one.delay_ms) for one in with_input.delays if one is not None] == [CHANNELS, 7, 5]
    without, _ = prepared(**options | {"delay_input": False})
    assert [None if one is None else one.kind for one in without.delays] == [None, delays, delays]
    at_once, _ = prepared(**options, initial_delay_ms=0.0)
    none, _ = prepared()
    own, other = (net.state_dict() for net in (none, at_once))
    kept = [value for name, value in other.items() if "delay_ms" not in name]
    none.load_state_dict(dict(zip(own, kept, strict=True)))
    torch.testing.assert_close(at_once(spikes, dt_ms=DT_MS)[0], none(spikes, dt_ms=DT_MS)[0])
    gradients = [outcome(net, spikes, net.initial_state(3), 24)[1] for net in (with_input, at_once)]
    assert cosine(gradients[0], gradients[1]) < 0.99


def test_bad_input_is_named() -> None:
    net, spikes = prepared()
    for wrong in (spikes[..., :5], spikes[:0]):
        with pytest.raises(SpikingGammaError, match=r"`spikes`.*\[T, B, 6\]"):
            net(wrong, net.initial_state(3), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"`spikes`.*float32"):
        net(spikes.float(), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="`state`"):
        net(spikes, net.initial_state(5), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="`dt_ms`"):
        net(spikes, dt_ms=0.0)
    with pytest.raises(SpikingGammaError, match="without any event"):
        net.calibrate(spikes * 0, dt_ms=1.0)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"sizes": (5,)}, "sizes"),
        ({"sizes": (5, 0, 2)}, "sizes"),
        ({"neuron": "izhikevich"}, "neuron"),
        ({"readout": "rates"}, "readout"),
        ({"readout_tau_ms": -1.0}, "readout_tau_ms"),
        ({"delays": "synaptic"}, "kind"),
        ({"delays": "floored", "max_delay_ms": float("inf")}, "max_delay_ms"),
        ({"delays": "floored", "max_delay_ms": -1.0}, "max_delay_ms"),
        ({"delays": "floored", "max_delay_ms": 5.0, "initial_delay_ms": 6.0}, "initial_delay_ms"),
        ({"dropout": 1.0}, "dropout"),
        ({"options": {"tau_ms": 0.0}}, "neuron.tau_ms"),
        ({"options": {"surrogate": "box"}}, "surrogate"),
        ({"neuron": "adaptive_lif", "options": {"adaptation": -1.0}}, "neuron.adaptation"),
        ({"neuron": "srm_alpha", "options": {"refractory_tau_ms": 0.0}}, "neuron.refractory_tau_ms"),
    ],
)
def test_a_net_that_cannot_be_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"^`{named}`"):
        SurrogateNet(options.pop("sizes", (5, 4, 2)), **options)
