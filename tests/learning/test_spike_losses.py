"""Spikemax and votes, chunk by chunk: the functional losses with their gradients, and what they are in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reference_surrogates import DT_MS
from spikinggamma import SpikingGammaError
from spikinggamma.functional import cumulative_loss, spikemax_loss
from spikinggamma.learning import LossResult, make_loss

LENGTHS = torch.tensor([15, 9, 1, 15])
TARGETS = torch.tensor([0, 2, 1, 1])
OF_EACH = {"spikemax": spikemax_loss, "cumulative": cumulative_loss}


def outputs(name: str) -> Tensor:
    """Spikes, or membranes, [15, 4, 3]."""
    generator = torch.Generator().manual_seed(0)
    if name == "spikemax":
        return (torch.rand(15, 4, 3, generator=generator) < 0.4).double()
    return 2.0 * torch.randn(15, 4, 3, generator=generator, dtype=torch.float64)


def judged(
    name: str, said: Tensor, targets: Tensor, lengths: Tensor, chunk: int | None = None
) -> tuple[Tensor, LossResult]:
    evaluator = make_loss(name, targets, lengths, DT_MS)
    assert evaluator.replay
    parts, start = said.split(chunk or len(said)), 0
    for part in parts:
        evaluator.observe(part, start)
        start += len(part)
    grad, start = [], 0
    for part in parts:
        grad.append(evaluator.gradient(part, start))
        start += len(part)
    return torch.cat(grad), evaluator.result()


@pytest.mark.parametrize("name", OF_EACH)
@pytest.mark.parametrize("chunk", [None, 4, 1])
def test_it_is_the_functional_loss_with_its_gradient(name: str, chunk: int | None) -> None:
    said = outputs(name).requires_grad_()
    wanted = OF_EACH[name](said, TARGETS, lengths=LENGTHS)
    (gradient,) = torch.autograd.grad(wanted.mean(), said)
    grad, result = judged(name, said.detach(), TARGETS, LENGTHS, chunk)
    torch.testing.assert_close(grad, gradient, rtol=1e-12, atol=1e-15)
    assert result.loss == pytest.approx(float(wanted.detach().mean()), rel=1e-12)
    assert not bool(grad[torch.arange(15).unsqueeze(1) >= LENGTHS].any())
    assert result.count == 4


@pytest.mark.parametrize("name", OF_EACH)
def test_what_comes_after_the_end_of_a_recording_changes_nothing(name: str) -> None:
    said = outputs(name)
    beyond = (torch.arange(15).unsqueeze(1) >= LENGTHS).unsqueeze(2)
    one = judged(name, said, TARGETS, LENGTHS, 4)
    other = judged(name, torch.where(beyond, 1.0, said), TARGETS, LENGTHS, 4)
    assert torch.equal(one[0], other[0])
    assert one[1].loss == other[1].loss
    assert torch.equal(one[1].predictions, other[1].predictions)


def test_a_silent_class_is_told_to_speak_and_others_as_ever() -> None:
    # Class 0 spoke three times, class 1 once, class 2 never; with the floor, p = (3, 1, 1) / 5.
    said = torch.zeros(4, 1, 3, dtype=torch.float64)
    said[:3, 0, 0] = 1.0
    said[1, 0, 1] = 1.0
    grad, result = judged("spikemax", said, torch.tensor([2]), torch.tensor([4]))
    assert result.loss == pytest.approx(math.log(5.0))
    expected = torch.tensor([0.6 / 3.0, 0.2, (0.2 - 1.0) / 1.0], dtype=torch.float64)
    torch.testing.assert_close(grad, expected.expand(4, 1, 3))
    assert result.predictions.tolist() == [0]
    assert result.correct == 0


def test_nobody_speaks_and_the_right_class_is_told_to() -> None:
    grad, result = judged("spikemax", torch.zeros(4, 1, 4, dtype=torch.float64), torch.tensor([1]), torch.tensor([4]))
    assert result.loss == pytest.approx(math.log(4.0))
    torch.testing.assert_close(grad[0, 0], torch.tensor([0.25, -0.75, 0.25, 0.25], dtype=torch.float64))


def test_the_most_spikes_and_the_most_votes_win() -> None:
    said, lengths = outputs("spikemax"), torch.full((4,), 15)
    assert torch.equal(judged("spikemax", said, TARGETS, lengths)[1].predictions, said.sum(0).argmax(1))
    said = outputs("cumulative")
    votes = torch.stack([torch.stack([m.exp() / m.exp().sum() for m in steps]) for steps in said]).sum(0)
    assert torch.equal(judged("cumulative", said, TARGETS, lengths)[1].predictions, votes.argmax(1))


def test_equal_membranes_vote_for_nobody() -> None:
    grad, result = judged("cumulative", torch.zeros(6, 1, 4), torch.tensor([3]), torch.tensor([6]))
    assert result.loss == pytest.approx(math.log(4.0))
    # p (e_n - Σ e_j p_j) with p = 1/4 and e = (1, 1, 1, -3) / 4, whose mean is 0.
    torch.testing.assert_close(grad[2, 0], torch.tensor([1.0, 1.0, 1.0, -3.0]) / 16.0)


@pytest.mark.parametrize("name", OF_EACH)
def test_what_cannot_be_judged_is_named(name: str) -> None:
    said = outputs(name)
    evaluator = make_loss(name, TARGETS, LENGTHS, DT_MS)
    for call in (lambda: evaluator.gradient(said, 0), evaluator.result):
        with pytest.raises(SpikingGammaError, match="`logits`: got none observed"):
            call()
    for wrong in (torch.tensor([0, 1, 2, 3]), torch.tensor([0.0, 1.0, 2.0, 1.0])):
        with pytest.raises(SpikingGammaError, match="`targets`"):
            judged(name, said, wrong, LENGTHS)
