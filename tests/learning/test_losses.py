"""Losses and their blame against the same losses differentiated by autograd, whole and in chunks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import CLASS_LOSSES, reference_loss
from spikinggamma.learning import LossResult, make_loss

DT_MS = 20.0  # fifteen steps are the horizon of `running`
LENGTHS = torch.tensor([23, 5, 14, 1])
every_loss = pytest.mark.parametrize("name", CLASS_LOSSES)


def a_recording(steps: int = 23, batch: int = 4, classes: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2.0 * torch.randn(steps, batch, classes, generator=generator, dtype=torch.float64)


def judged(
    name: str, logits: Tensor, targets: Tensor, lengths: Tensor, chunk: int | None = None
) -> tuple[Tensor, LossResult]:
    """Blame at every step and the verdict, fed as a learner would."""
    evaluator = make_loss(name, targets, lengths, DT_MS)
    parts = logits.split(chunk or len(logits))
    starts = [sum(len(part) for part in parts[:index]) for index in range(len(parts))]
    if evaluator.replay:
        for part, start in zip(parts, starts, strict=True):
            evaluator.observe(part, start)
    grad = []
    for part, start in zip(parts, starts, strict=True):
        if not evaluator.replay:
            evaluator.observe(part, start)
        grad.append(evaluator.gradient(part, start))
    return torch.cat(grad), evaluator.result()


@every_loss
@pytest.mark.parametrize("chunk", [None, 7, 1])
def test_value_and_blame_are_autograds(name: str, chunk: int | None) -> None:
    logits, targets = a_recording().requires_grad_(), torch.tensor([0, 2, 1, 1])
    wanted = reference_loss(name, logits, targets, LENGTHS, DT_MS)
    (gradient,) = torch.autograd.grad(wanted, logits)
    grad, result = judged(name, logits.detach(), targets, LENGTHS, chunk)
    torch.testing.assert_close(grad, gradient, rtol=1e-12, atol=1e-15)
    assert result.loss == pytest.approx(float(wanted.detach()), rel=1e-12)
    assert not bool(grad[torch.arange(23).unsqueeze(1) >= LENGTHS].any())


def test_running_is_its_definition() -> None:
    logits, targets = a_recording(), torch.tensor([0, 2, 1, 1])
    total = 0.0
    for b, length in enumerate(LENGTHS.tolist()):
        omega = [min(1.0, (t + 1) * DT_MS / 300.0) ** 2 for t in range(length)]
        losses = [-float(logits[: t + 1, b].mean(0).log_softmax(0)[targets[b]]) for t in range(length)]
        total += sum(w * ell for w, ell in zip(omega, losses, strict=True)) / sum(omega)
    grad, result = judged("running", logits, targets, LENGTHS)
    assert result.loss == pytest.approx(total / 4, rel=1e-12)
    mean = logits[:6, 0].mean(0)
    delta = (mean.softmax(0) - torch.tensor([1.0, 0.0, 0.0])) * (6 / 15) ** 2
    norm = sum(min(1.0, (t + 1) / 15) ** 2 for t in range(23)) * 4
    torch.testing.assert_close(grad[5, 0], delta / norm, rtol=1e-12, atol=0.0)


def test_each_step_ignores_steps_without_a_label() -> None:
    logits = a_recording().requires_grad_()
    targets = torch.randint(-1, 3, (23, 4), generator=torch.Generator().manual_seed(1))
    labelled = (targets >= 0) & (torch.arange(23).unsqueeze(1) < LENGTHS)
    wanted = reference_loss("each_step", logits, targets, LENGTHS, DT_MS)
    (gradient,) = torch.autograd.grad(wanted, logits)
    for chunk in (None, 4):
        grad, result = judged("each_step", logits.detach(), targets, LENGTHS, chunk)
        torch.testing.assert_close(grad, gradient, rtol=1e-12, atol=1e-15)
        assert result.loss == pytest.approx(float(wanted.detach()), rel=1e-12)
        assert result.count == int(labelled.sum())
        assert result.correct == int(((logits.argmax(2) == targets) & labelled).sum())
        assert torch.equal(result.predictions, logits.argmax(2))


def test_each_step_of_real_values_is_half_the_squared_error() -> None:
    logits = a_recording().requires_grad_()
    targets = torch.randn(23, 4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    wanted = reference_loss("each_step", logits, targets, LENGTHS, DT_MS)
    (gradient,) = torch.autograd.grad(wanted, logits)
    for chunk in (None, 4):
        grad, result = judged("each_step", logits.detach(), targets, LENGTHS, chunk)
        torch.testing.assert_close(grad, gradient, rtol=1e-12, atol=1e-15)
        assert result.loss == pytest.approx(float(wanted.detach()), rel=1e-12)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(
    st.sampled_from(sorted(CLASS_LOSSES)),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 5),
    st.integers(1, 5),
)
def test_padding_is_in_no_loss_and_in_no_blame(name: str, lengths: list[int], padding: int, chunk: int) -> None:
    known, batch = torch.tensor(lengths), len(lengths)
    targets = torch.arange(batch) % 3
    logits = a_recording(max(lengths), batch)
    grad, result = judged(name, logits, targets, known)
    longer = torch.cat([logits, torch.zeros(padding, batch, 3, dtype=torch.float64)])
    longer = longer + 9.0 * (torch.arange(len(longer)).view(-1, 1, 1) >= known.unsqueeze(1)) * torch.arange(3)
    padded_blame, padded = judged(name, longer, targets, known, chunk)
    torch.testing.assert_close(padded_blame[: len(grad)], grad, rtol=1e-12, atol=1e-15)
    assert not bool(padded_blame[len(grad) :].any())
    assert padded.loss == pytest.approx(result.loss, rel=1e-12)
    assert (padded.correct, padded.count) == (result.correct, result.count)


@pytest.mark.parametrize("name", ["sum", "last", "running"])
def test_a_decision_is_what_the_evidence_says(name: str) -> None:
    logits = a_recording()
    evidence = {
        "sum": torch.stack([logits[: int(n), b].sum(0) for b, n in enumerate(LENGTHS)]),
        "running": torch.stack([logits[: int(n), b].sum(0) for b, n in enumerate(LENGTHS)]),
        "last": torch.stack([logits[int(n) - 1, b] for b, n in enumerate(LENGTHS)]),
    }[name]
    targets = evidence.argmax(1)
    targets[1] = (targets[1] + 1) % 3
    _, result = judged(name, logits, targets, LENGTHS, 6)
    assert torch.equal(result.predictions, evidence.argmax(1))
    assert (result.correct, result.count) == (3, 4)


@pytest.mark.parametrize("name", ["sum", "last", "running", "each_step"])
@pytest.mark.parametrize("wrong", [torch.tensor([0, 1, 3, 0]), torch.tensor([0, -1, 1, 0])], ids=["above", "below"])
def test_classes_that_the_net_does_not_have_are_an_error(name: str, wrong: Tensor) -> None:
    with pytest.raises(SpikingGammaError, match="`targets`"):
        judged(name, a_recording(), wrong, LENGTHS)


@pytest.mark.parametrize("name", ["sum", "last", "running"])
@pytest.mark.parametrize("wrong", [torch.zeros(4), torch.zeros(23, 4, dtype=torch.int64)], ids=["real", "per step"])
def test_one_decision_needs_one_class(name: str, wrong: Tensor) -> None:
    with pytest.raises(SpikingGammaError, match=r"`targets`.*one class per recording"):
        judged(name, a_recording(), wrong, LENGTHS)


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(4),
        torch.zeros(23, 4),
        torch.zeros(23, 4, 3, 1),
        torch.zeros(9, 4, dtype=torch.int64),
        torch.zeros(23, 4, 2, dtype=torch.float64),
        torch.zeros(9, 4, 3, dtype=torch.float64),
        torch.full((23, 4), 3),
        torch.zeros(23, 3, dtype=torch.int64),
    ],
    ids=["reals", "real steps", "axes", "short", "fewer values", "short values", "class", "batch"],
)
def test_targets_of_each_step_that_do_not_fit_are_an_error(wrong: Tensor) -> None:
    with pytest.raises(SpikingGammaError, match="`targets`"):
        judged("each_step", a_recording(), wrong, LENGTHS)


def test_an_unknown_loss_and_blame_without_evidence_are_errors() -> None:
    with pytest.raises(SpikingGammaError, match="`loss`: got 'hinge'; expected one of cumulative, each_step, last"):
        make_loss("hinge", torch.tensor([0]), torch.tensor([1]), DT_MS)
    for name in ("sum", "last", "running"):
        evaluator = make_loss(name, torch.tensor([0]), torch.tensor([1]), DT_MS)
        with pytest.raises(SpikingGammaError, match="`logits`"):
            evaluator.gradient(torch.zeros(1, 1, 2), 0)
        with pytest.raises(SpikingGammaError, match="`logits`"):
            evaluator.result()
