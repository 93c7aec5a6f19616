"""Every rule and loss: sequence = chunks = steps, and nothing of the padding is learnt."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from reference_nets import CLASSES, DT_MS, NETS, gradients, prepared, relative_error
from rules_by_net import GAMMA_RULES
from spikinggamma.bench.loss_oracles import CLASS_LOSSES
from spikinggamma.learning import Learner, Outcome
from spikinggamma.nn import GammaNet, dense_net

STEPS = 12
LENGTHS = torch.tensor([12, 9, 4])
TARGETS = torch.tensor([0, 2, 1])


def one_alpha() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=(5.0, 5.0, 5.0))


def one_alpha_per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=(5.0, 5.0, 5.0), synapse="synapse")


def learnt(
    net: GammaNet, spikes: Tensor, rule: str, loss: str, *, chunk: int | None = None, lengths: Tensor = LENGTHS
) -> tuple[dict[str, Tensor], Outcome]:
    net.zero_grad()
    learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=chunk)
    outcome = learner.learn(spikes, TARGETS, lengths, generator=torch.Generator().manual_seed(7))
    return gradients(net), outcome


def same(one: Outcome, other: Outcome) -> bool:
    return (
        one.loss == pytest.approx(other.loss, rel=1e-12)
        and torch.equal(one.spikes, other.spikes)
        and torch.equal(one.neuron_steps, other.neuron_steps)
        and (one.correct, one.count) == (other.correct, other.count)
    )


# `traced` refuses shared kernels and trained time constants, `shifted` any mixture of time constants.
CASES: list[tuple[str, Callable[[], GammaNet]]] = [
    (rule, make)
    for rule in GAMMA_RULES
    for make in ((one_alpha, one_alpha_per_synapse) if rule == "shifted" else NETS.values())
    if rule != "traced" or make.__name__ not in ("convolutional", "trained_tau", "trained_tau_per_synapse")
]


@pytest.mark.parametrize(("rule", "make"), CASES, ids=[f"{rule}-{make.__name__}" for rule, make in CASES])
def test_sequence_is_its_chunks_and_its_steps(rule: str, make: Callable[[], GammaNet]) -> None:
    net, spikes = prepared(make, steps=STEPS)
    for loss, chunk in (("each_step", 1), ("sum", 5)):
        whole, outcome = learnt(net, spikes, rule, loss)
        assert all(bool(gradient.any()) for gradient in whole.values())
        parts, again = learnt(net, spikes, rule, loss, chunk=chunk)
        assert relative_error(parts, whole) < 1e-10
        assert same(outcome, again)


@pytest.mark.parametrize("loss", CLASS_LOSSES)
@pytest.mark.parametrize("rule", GAMMA_RULES)
def test_padding_is_not_learnt_from(rule: str, loss: str) -> None:
    net, spikes = prepared(one_alpha, steps=STEPS)
    wanted, outcome = learnt(net, spikes, rule, loss)
    padded = torch.cat([spikes, torch.zeros_like(spikes[:9])])
    beyond = (torch.arange(len(padded)).unsqueeze(1) >= LENGTHS).view(*padded.shape[:2], 1)
    padded = torch.where(beyond, torch.tensor(3.0, dtype=torch.float64), padded)
    found, again = learnt(net, padded, rule, loss, chunk=10)
    assert relative_error(found, wanted) < 1e-10
    assert same(outcome, again)


@pytest.mark.parametrize("rule", GAMMA_RULES)
def test_gradients_add_up_over_batches(rule: str) -> None:
    net, spikes = prepared(one_alpha, steps=STEPS)
    once, _ = learnt(net, spikes, rule, "sum")
    learner = Learner(net, rule=rule, loss="sum", dt_ms=DT_MS)
    learner.learn(spikes, TARGETS, LENGTHS)
    assert relative_error(gradients(net), {name: 2.0 * g for name, g in once.items()}) < 1e-12


@pytest.mark.parametrize("rule", GAMMA_RULES)
def test_frozen_parameters_get_no_gradient_and_change_nothing_else(rule: str) -> None:
    net, spikes = prepared(one_alpha, steps=STEPS)
    free, _ = learnt(net, spikes, rule, "sum")
    frozen = {name: p for name, p in net.named_parameters() if name.endswith(("1.weight", "0.bucket_weight"))}
    for parameter in frozen.values():
        parameter.requires_grad_(False)
        parameter.grad = None
    found, _ = learnt(net, spikes, rule, "sum")
    assert all(parameter.grad is None for parameter in frozen.values())
    rest = [name for name in free if name not in frozen]
    assert relative_error({name: found[name] for name in rest}, {name: free[name] for name in rest}) < 1e-12
