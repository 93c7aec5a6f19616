"""Backpropagation through time is autograd on the functional neurons, whatever the net, the loss and the chunks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from reference_nets import dense, relative_error
from reference_surrogates import DELAYS, DT_MS, KINDS, by_hand, masks_of, name_of_bias, prepared
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.learning import Learner, Outcome
from spikinggamma.nn import CountNet, SequenceNet, SurrogateNet

TARGETS = torch.tensor([0, 2, 1])
LENGTHS = torch.tensor([24, 17, 9])
PRICE = 0.4


def learnt(
    net: SequenceNet, spikes: Tensor, loss: str, *, chunk: int | None = None, price: float = 0.0
) -> tuple[dict[str, Tensor], Outcome]:
    net.zero_grad()
    learner = Learner(net, rule="bptt", loss=loss, dt_ms=DT_MS, chunk=chunk, activity_cost=price)
    outcome = learner.learn(spikes, TARGETS, LENGTHS, generator=torch.Generator().manual_seed(7))
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}, outcome


def wanted(net: SurrogateNet, spikes: Tensor, loss: str, price: float = 0.0) -> tuple[dict[str, Tensor], Tensor]:
    """Gradients by autograd on the written-out net with a written-out loss, and the loss without its price."""
    said = by_hand(net, spikes, masks_of(net))
    without = reference_loss(loss, said.logits, TARGETS, LENGTHS, DT_MS)
    valid = (torch.arange(len(spikes)).unsqueeze(1) < LENGTHS).double()
    rates = [(layer.mean(2) * valid).sum(0) / LENGTHS * 10.0 / DT_MS for layer in said.hidden]  # spikes in 10 ms
    total = without + price * sum(rate.mean() for rate in rates)
    named = dict(net.named_parameters())
    return dict(zip(named, torch.autograd.grad(total, list(named.values())), strict=True)), without.detach()


@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("neuron", KINDS)
def test_it_is_autograd_on_the_functional_neurons(neuron: str, delays: str) -> None:
    options: dict[str, Any] = {"dropout": 0.3, "signal_per_threshold": 4.0, **DELAYS[delays]}
    for readout, losses in (("integrator", ("sum", "last", "cumulative")), ("spikes", ("spikemax",))):
        net, spikes = prepared(neuron, readout=readout, **options)
        for loss in losses:
            gradients, value = wanted(net, spikes, loss, PRICE)
            assert all(bool(gradient.any()) for gradient in gradients.values())
            found, outcome = learnt(net, spikes, loss, price=PRICE)
            assert found.keys() == gradients.keys()
            assert relative_error(found, gradients) < 1e-9
            assert outcome.loss == pytest.approx(float(value), rel=1e-10)


@pytest.mark.long
@pytest.mark.parametrize("delays", ["none", "fractional"])
@pytest.mark.parametrize("neuron", KINDS)
def test_chunks_equal_the_whole(neuron: str, delays: str) -> None:
    net, spikes = prepared(neuron, dropout=0.3, signal_per_threshold=2.0, **DELAYS[delays])
    for loss, chunk in (("sum", 7), ("last", 1), ("cumulative", 5), ("each_step", 10)):
        whole, outcome = learnt(net, spikes, loss, price=PRICE)
        parts, again = learnt(net, spikes, loss, chunk=chunk, price=PRICE)
        assert relative_error(parts, whole) < 1e-9
        assert again.loss == pytest.approx(outcome.loss, rel=1e-12)
        assert torch.equal(again.spikes, outcome.spikes)
        assert float(outcome.spikes.min()) > 0.0


def test_padding_is_not_learnt_from() -> None:
    net, spikes = prepared(**DELAYS["fractional"])
    known, outcome = learnt(net, spikes, "sum", price=PRICE)
    beyond = (torch.arange(24).unsqueeze(1) >= LENGTHS).unsqueeze(2)
    found, again = learnt(net, torch.where(beyond, 2.0, spikes), "sum", price=PRICE)
    assert relative_error(found, known) < 1e-12
    assert torch.equal(again.spikes, outcome.spikes)


def test_a_price_on_spikes_lowers_their_number() -> None:
    net, spikes = prepared(hidden=(20,), signal_per_threshold=2.0)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    spoken = []
    for _ in range(12):
        optimiser.zero_grad()
        learner = Learner(net, rule="bptt", loss="sum", dt_ms=DT_MS, activity_cost=10.0)
        spoken.append(float(learner.learn(spikes, TARGETS, LENGTHS, optimiser_step=optimiser.step).spikes))
    assert spoken[-1] < 0.5 * spoken[0]


def test_a_perceptron_on_counts_learns_by_it_too() -> None:
    net = CountNet((6, 8, 3), generator=torch.Generator().manual_seed(0)).double()
    spikes = (torch.rand(24, 3, 6, generator=torch.Generator().manual_seed(1)) < 0.3).double()
    found, outcome = learnt(net, spikes, "last", chunk=7, price=PRICE)
    counts = torch.stack([spikes[:length, b].sum(0) for b, length in enumerate(LENGTHS.tolist())])
    first, second = net.stack
    logits = second(torch.relu(first(counts)))
    loss = torch.nn.functional.cross_entropy(logits, TARGETS)
    named = dict(net.named_parameters())
    gradients = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
    assert relative_error(found, gradients) < 1e-10
    assert outcome.loss == pytest.approx(float(loss.detach()), rel=1e-12)
    assert not outcome.spikes.any()


def test_a_silent_net_learns_its_bias_and_nothing_breaks() -> None:
    net, spikes = prepared()
    found, outcome = learnt(net, torch.zeros_like(spikes), "sum")
    assert not outcome.spikes.any()
    assert bool(found.pop(name_of_bias(net)).any())
    assert not any(bool(gradient.any()) for gradient in found.values())


def test_what_it_does_not_suit_is_named() -> None:
    with pytest.raises(SpikingGammaError, match=r"`rule`: got bptt for a GammaNet;.*through_time"):
        Learner(dense(), rule="bptt", loss="sum", dt_ms=DT_MS)
    for update in ("chunk", "step"):
        with pytest.raises(SpikingGammaError, match=r"`update`.*since `bptt` adds gradients only at its end"):
            Learner(prepared()[0], rule="bptt", loss="sum", dt_ms=DT_MS, update=update)
