"""The rivals' losses: values by hand, the gradient that each states, and finite differences where it is the true one."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import cumulative_loss, spikemax_loss

BOTH = pytest.mark.parametrize("loss", [spikemax_loss, cumulative_loss])
TARGETS = torch.tensor([2, 0, 1])


def some(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def some_spikes() -> Tensor:
    """[T, B, C] = [12, 3, 4]; class 1 never speaks in recording 2, whose target it is."""
    spikes = (some(12, 3, 4) > 0.5).double()
    spikes[:, 2, 1] = 0.0
    return spikes


def test_spikemax_by_hand() -> None:
    # Counts 3, 1, 0, floored to 3, 1, 1: shares 3/5, 1/5, 1/5. Gradients (p - target) / c, at every step.
    spikes = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.float64).unsqueeze(1)
    for target, value, gradient in [
        (0, -math.log(3 / 5), [-2 / 15, 1 / 5, 1 / 5]),
        (1, -math.log(1 / 5), [1 / 5, -4 / 5, 1 / 5]),
        (2, -math.log(1 / 5), [1 / 5, 1 / 5, -4 / 5]),  # the silent class is told to speak
    ]:
        leaf = spikes.clone().requires_grad_()
        loss = spikemax_loss(leaf, torch.tensor([target]))
        assert loss.tolist() == pytest.approx([value])
        loss.sum().backward()
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad, torch.tensor(gradient, dtype=torch.float64).expand(4, 1, 3))


def test_spikemax_gradient_is_the_stated_one() -> None:
    spikes = some_spikes().requires_grad_()
    told = torch.tensor([0.5, -2.0, 3.0], dtype=torch.float64)
    (spikemax_loss(spikes, TARGETS) * told).sum().backward()
    assert spikes.grad is not None
    for b, target in enumerate(TARGETS.tolist()):
        counts = [max(float(spikes[:, b, n].detach().sum()), 1.0) for n in range(4)]
        for n, count in enumerate(counts):
            wanted = float(told[b]) * (count / sum(counts) - (n == target)) / count
            assert spikes.grad[:, b, n].tolist() == pytest.approx([wanted] * 12, rel=1e-12)


def test_spikemax_gradient_is_the_true_one_of_whole_counts() -> None:
    graded = (some(5, 3, 4).abs() + 0.3).requires_grad_()  # every count above 1
    assert torch.autograd.gradcheck(lambda s: spikemax_loss(s, TARGETS), [graded])


def test_cumulative_closed_forms() -> None:
    # No evidence: every step votes 1/C for each, and the loss is log C however long the recording.
    for steps in (1, 40):
        assert cumulative_loss(some(steps, 3, 4) * 0, TARGETS).tolist() == pytest.approx([math.log(4)] * 3)
    # Certainty: T whole votes for one class.
    sure = torch.zeros(6, 2, 4, dtype=torch.float64)
    sure[:, :, 1] = 1e3
    right, wrong = cumulative_loss(sure, torch.tensor([1, 3])).tolist()
    assert right == pytest.approx(math.log(1 + 3 * math.exp(-6)))
    assert wrong == pytest.approx(math.log(math.exp(6) + 3))


def test_cumulative_gradient_is_the_stated_one_and_the_true_one() -> None:
    membrane = (2 * some(7, 3, 4)).requires_grad_()
    cumulative_loss(membrane, TARGETS).sum().backward()
    assert membrane.grad is not None
    for b, target in enumerate(TARGETS.tolist()):
        votes = []
        for row in membrane[:, b].tolist():
            total = sum(math.exp(m) for m in row)
            votes.append([math.exp(m) / total for m in row])
        sums = [sum(vote[n] for vote in votes) for n in range(4)]
        total = sum(math.exp(z) for z in sums)
        error = [math.exp(z) / total - (n == target) for n, z in enumerate(sums)]
        for t, vote in enumerate(votes):
            shared = sum(e * p for e, p in zip(error, vote, strict=True))
            wanted = [p * (e - shared) for e, p in zip(error, vote, strict=True)]
            assert membrane.grad[t, b].tolist() == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert torch.autograd.gradcheck(lambda m: cumulative_loss(m, TARGETS), [membrane])


@BOTH
def test_steps_past_the_end_are_not_judged(loss: Callable[..., Tensor]) -> None:
    output = some_spikes().requires_grad_()
    lengths = torch.tensor([12, 5, 9])
    found = loss(output, TARGETS, lengths=lengths)
    found.sum().backward()
    assert output.grad is not None
    for b, length in enumerate(lengths.tolist()):
        alone = output[:length, b : b + 1].detach().clone().requires_grad_()
        wanted = loss(alone, TARGETS[b : b + 1])
        wanted.sum().backward()
        torch.testing.assert_close(found[b : b + 1], wanted)
        torch.testing.assert_close(output.grad[:length, b : b + 1], alone.grad)
        assert not output.grad[length:, b].any()


@BOTH
def test_what_cannot_be_judged_is_named(loss: Callable[..., Tensor]) -> None:
    output = some_spikes()
    for targets in (torch.tensor([0, 1, 4]), torch.tensor([0, -1, 2])):
        with pytest.raises(SpikingGammaError, match="`targets`"):
            loss(output, targets)
    for lengths in (torch.tensor([0, 3, 3]), torch.tensor([3, 3, 13])):
        with pytest.raises(SpikingGammaError, match="`lengths`"):
            loss(output, TARGETS, lengths=lengths)
