"""Shares of a batch: whatever the rule, the loss and how the batch is parted, what they learn adds up to what it teaches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rules_by_net import GAMMA_RULES
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import CLASS_LOSSES
from spikinggamma.learning import RULES, BatchShard, Learner, Outcome
from spikinggamma.nn import SequenceNet, SurrogateNet, dense_net

# Of `fptt` no share learns alone: each would add its regulariser.
SHARED = sorted(set(RULES) - {"fptt"})
STEPS, BATCH, CLASSES = 14, 5, 3
LENGTHS = torch.tensor([14, 9, 4, 11, 1])


def net_for(rule: str, loss: str) -> SequenceNet:
    draw, sizes = torch.Generator().manual_seed(3), (4, 7, 6, CLASSES)
    if rule in GAMMA_RULES:
        net: SequenceNet = dense_net(sizes, tau_ms=(4.0,) * 3, dropout=0.3, generator=draw)
    else:
        readout = "spikes" if loss == "spikemax" else "integrator"
        easy = {"threshold": 0.3}
        net = SurrogateNet(sizes, options=easy, readout=readout, dropout=0.3, generator=draw)
    return net.double().train()


def batch_for(loss: str) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(4)
    spikes = (torch.rand(STEPS, BATCH, 4, generator=draw) < 0.4).double()
    if loss != "each_step":
        return spikes, torch.tensor([0, 2, 1, 1, 0])
    labels = torch.randint(-1, CLASSES, (STEPS, BATCH), generator=draw)
    labels[:, 2:] = -1  # no share of these recordings has a label
    labels[0, 0] = 1
    return spikes, labels


def learn(learner: Learner, shares: int) -> tuple[dict[str, Tensor | None], list[Outcome]]:
    """Gradients added up, and the outcome of each share."""
    spikes, labels = batch_for(learner.loss)
    learner.net.zero_grad()
    outcomes = []
    for place in range(shares):
        share = learner.share(labels, LENGTHS, place=place, shares=shares)
        own = share.columns
        masks = torch.Generator().manual_seed(5)
        outcomes.append(learner.learn(spikes[:, own], labels[..., own], LENGTHS[own], generator=masks, share=share))
    return {name: one.grad for name, one in learner.net.named_parameters()}, outcomes


def _assert_shares_add_up(rule: str, loss: str, chunk: int | None, shares: int) -> None:
    learner = Learner(net_for(rule, loss), rule=rule, loss=loss, dt_ms=2.0, chunk=chunk, activity_cost=0.2)
    spikes, labels = batch_for(loss)
    whole = learner.learn(spikes, labels, LENGTHS, generator=torch.Generator().manual_seed(5))
    wanted = {name: None if one.grad is None else one.grad.clone() for name, one in learner.net.named_parameters()}
    found, outcomes = learn(learner, shares)
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-10, atol=1e-13)
    count = sum(outcome.count for outcome in outcomes)
    loss_of_all = sum(outcome.loss * outcome.count for outcome in outcomes) / count
    assert loss_of_all == pytest.approx(whole.loss, rel=1e-12)
    assert (sum(outcome.correct for outcome in outcomes), count) == (whole.correct, whole.count)
    for figure in ("spikes", "neuron_steps"):
        torch.testing.assert_close(sum(getattr(outcome, figure) for outcome in outcomes), getattr(whole, figure))


@pytest.mark.parametrize("loss", ["sum", "each_step"])
@pytest.mark.parametrize("rule", SHARED)
def test_shares_add_up_to_the_batch(rule: str, loss: str) -> None:
    _assert_shares_add_up(rule, loss, chunk=4, shares=2)


@pytest.mark.parametrize("loss", ["sum", "each_step", "running", "spikemax"])
def test_empty_shares_add_nothing(loss: str) -> None:
    _assert_shares_add_up("bptt" if loss == "spikemax" else "windowed", loss, chunk=None, shares=7)


@pytest.mark.slow
@pytest.mark.parametrize("shares", [3, 7])
@pytest.mark.parametrize("chunk", [None, 1], ids=["whole", "steps"])
@pytest.mark.parametrize("loss", sorted(CLASS_LOSSES))
@pytest.mark.parametrize("rule", SHARED)
def test_however_a_batch_is_parted_its_shares_add_up(rule: str, loss: str, chunk: int | None, shares: int) -> None:
    if loss == "spikemax" and rule not in ("bptt", "windowed_bptt"):
        pytest.skip("spiking outputs learn by bptt")
    _assert_shares_add_up(rule, loss, chunk, shares)


@given(recordings=st.integers(1, 40), shares=st.integers(1, 50))
@settings(max_examples=50)
def test_every_recording_is_in_one_share_and_shares_are_alike_in_size(recordings: int, shares: int) -> None:
    parts = [BatchShard.of(recordings, place, shares, decisions=recordings) for place in range(shares)]
    assert [place for part in parts for place in range(part.first, part.first + part.size)] == list(range(recordings))
    assert max(part.size for part in parts) - min(part.size for part in parts) <= 1
    assert sum(part.weight(part.size) for part in parts) == pytest.approx(1.0)
    assert all(0 <= part.columns.start < part.columns.stop <= recordings for part in parts)


def test_a_batch_without_a_label_is_refused_though_a_share_without_one_is_not() -> None:
    learner = Learner(net_for("windowed", "each_step"), rule="windowed", loss="each_step", dt_ms=2.0)
    with pytest.raises(SpikingGammaError, match="no labelled step"):
        learner.share(torch.full((STEPS, BATCH), -1), LENGTHS, place=0, shares=2)
    with pytest.raises(SpikingGammaError, match="no labelled step"):
        learner.learn(torch.zeros(STEPS, BATCH, 4).double(), torch.full((STEPS, BATCH), -1), LENGTHS)


def test_a_rule_that_follows_the_weights_is_refused_for_a_share() -> None:
    spikes, labels = batch_for("running")
    learner = Learner(net_for("fptt", "running"), rule="fptt", loss="running", dt_ms=2.0, update="step")
    share = learner.share(labels, LENGTHS, place=0, shares=2)
    with pytest.raises(SpikingGammaError, match="`rule`: got fptt on a part of a batch"):
        learner.learn(spikes[:, share.columns], labels[share.columns], LENGTHS[share.columns], share=share)
