"""Losses of values, several labels and shares: their gradients against autograd, what is missing, and what they predict."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.learning import Learner, LossResult, make_loss
from spikinggamma.nn import SurrogateNet, dense_net

NAMES = ("values", "last_values", "multi_label", "soft_label")
LENGTHS = torch.tensor([9, 4, 7, 1])
NAN = float("nan")
TARGETS = {
    "values": [[0.5, NAN, -1.0], [2.0, 0.0, 1.0], [NAN, NAN, NAN], [0.0, 0.25, NAN]],
    "multi_label": [[1.0, NAN, 0.0], [0.0, 0.0, 0.0], [NAN, NAN, NAN], [1.0, 1.0, 0.5]],
    "soft_label": [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [NAN, NAN, NAN], [0.2, 0.3, 0.5]],
}
TARGETS["last_values"] = TARGETS["values"]
every_loss = pytest.mark.parametrize("name", NAMES)


def targets_of(name: str) -> Tensor:
    return torch.tensor(TARGETS[name], dtype=torch.float64)


def outputs() -> Tensor:
    return 2.0 * torch.randn(9, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def judged(name: str, logits: Tensor, targets: Tensor, chunk: int) -> tuple[Tensor, LossResult]:
    loss = make_loss(name, targets, LENGTHS, 2.0)
    parts = logits.split(chunk)
    starts = range(0, len(logits), chunk)
    if loss.replay:
        for part, start in zip(parts, starts, strict=True):
            loss.observe(part, start)
    gradient = []
    for part, start in zip(parts, starts, strict=True):
        if not loss.replay:
            loss.observe(part, start)
        gradient.append(loss.gradient(part, start))
    return torch.cat(gradient), loss.result()


@every_loss
@pytest.mark.parametrize("chunk", [9, 4, 1])
def test_loss_and_gradient_are_autograds(name: str, chunk: int) -> None:
    logits = outputs().requires_grad_()
    wanted = reference_loss(name, logits, targets_of(name), LENGTHS, 2.0)
    (gradient,) = torch.autograd.grad(wanted, logits)
    found, result = judged(name, logits.detach(), targets_of(name), chunk)
    torch.testing.assert_close(found, gradient, rtol=1e-12, atol=1e-15)
    assert result.loss == pytest.approx(float(wanted.detach()), rel=1e-12)
    assert result.count == 3
    assert not bool(found[:, 2].any())  # nothing is known of this recording
    assert not bool(found[torch.arange(9).unsqueeze(1) >= LENGTHS].any())


@given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_a_missing_value_weighs_nothing_whatever_it_would_be(missing: list[bool]) -> None:
    values = torch.arange(12.0, dtype=torch.float64).view(4, 3) / 4
    hidden = torch.where(torch.tensor(missing).view(4, 3), NAN, values)
    gradient, result = judged("values", outputs(), hidden, 9)
    full, _ = judged("values", outputs(), values, 9)
    known = ~hidden.isnan()
    share = max(int(known.any(1).sum()), 1) / 4
    torch.testing.assert_close(gradient, torch.where(known, full, 0.0) / share, rtol=1e-12, atol=1e-15)
    assert result.count == int(known.any(1).sum())


def test_values_by_step_may_be_missing() -> None:
    logits, wanted = outputs(), outputs() + 1.0
    wanted[2, 0, 1] = wanted[3, 1] = NAN
    loss = make_loss("each_step", wanted, LENGTHS, 2.0)
    loss.observe(logits, 0)
    gradient = loss.gradient(logits, 0)
    valid = torch.arange(9).unsqueeze(1) < LENGTHS
    known = ~wanted.isnan() & valid.unsqueeze(2)
    assert loss.count == int(known.any(2).sum()) == int(LENGTHS.sum()) - 1
    torch.testing.assert_close(gradient, torch.where(known, -1.0, 0.0).double() / loss.count, rtol=1e-12, atol=0.0)
    assert loss.result().loss == pytest.approx(0.5 * int(known.sum()) / loss.count, rel=1e-12)
    assert loss.result().correct is None


def test_what_is_right_belongs_to_the_kind_of_answer() -> None:
    logits = torch.tensor([[[3.0, -3.0, -3.0], [3.0, 3.0, -3.0]]], dtype=torch.float64)
    lengths = torch.ones(2, dtype=torch.int64)
    for name, targets, correct in (
        ("multi_label", [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 1),
        ("multi_label", [[1.0, 0.0, NAN], [1.0, NAN, 0.0]], 2),
        ("soft_label", [[0.6, 0.4, 0.0], [0.0, 0.0, 1.0]], 1),
        ("values", [[3.0, -3.0, -3.0], [3.0, 3.0, -3.0]], None),
    ):
        loss = make_loss(name, torch.tensor(targets, dtype=torch.float64), lengths, 1.0)
        loss.observe(logits, 0)
        assert loss.result().correct == correct


@pytest.mark.parametrize(
    ("name", "targets", "says"),
    [
        ("values", torch.tensor([0, 1, 1, 0]), r"int64 \[4\]; expected numbers \[4, C\]"),
        ("multi_label", torch.full((4, 3), 1.5), "1.5 to 1.5; expected numbers from 0 to 1"),
        ("soft_label", torch.full((4, 3), 0.5), "shares that sum to 1.5; expected shares that sum to 1"),
    ],
)
def test_targets_of_another_kind_are_refused(name: str, targets: Tensor, says: str) -> None:
    with pytest.raises(SpikingGammaError, match=says):
        make_loss(name, targets, LENGTHS, 1.0)


@every_loss
@pytest.mark.parametrize("kind", ["gamma", "lif"])
def test_a_net_learns_from_them_in_chunks_as_whole(name: str, kind: str) -> None:
    generator = torch.Generator().manual_seed(1)
    spikes = (torch.rand(9, 4, 5, generator=generator) < 0.4).float()
    targets = targets_of(name).float()
    grads = []
    for chunk in (None, 3):
        if kind == "gamma":
            net = dense_net((5, 6, 3), tau_ms=(4.0, 8.0), generator=torch.Generator().manual_seed(0))
            learner = Learner(net, rule="windowed", loss=name, dt_ms=2.0, chunk=chunk, tolerance=1e-9)
        else:
            net = SurrogateNet((5, 6, 3), generator=torch.Generator().manual_seed(0))
            learner = Learner(net, rule="bptt", loss=name, dt_ms=2.0)
        outcome = learner.learn(spikes, targets, LENGTHS)
        assert outcome.predictions.shape == (4, 3)
        grads.append(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
    assert bool(grads[0].isfinite().all())
    assert bool(grads[0].any())
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-4, atol=1e-6)
