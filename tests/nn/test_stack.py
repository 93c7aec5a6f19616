"""Layers around a branch: what reaches what, and when; chunks and steps are the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.nn import Feedback, Layer, Lift, Linear, Recurrent, Residual, Stack, TemporalSkip, make_neuron
from spikinggamma.nn.state import tensors_of

DT_MS = 2.0


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lif(size: int) -> Layer:
    return make_neuron("lif", (size,), {"tau_ms": 8.0, "synapse_tau_ms": 3.0, "threshold": 0.4})


def branch(inputs: int = 4, outputs: int = 4) -> Stack:
    return Stack([Linear(inputs, outputs, random(0)), lif(outputs)], (inputs,))


def identity(size: int = 4) -> Stack:
    return Stack([], (size,))


def projection(inputs: int, outputs: int) -> Stack:
    return Stack([Linear(inputs, outputs, random(1))], (inputs,))


LAYERS: dict[str, Callable[[], Layer]] = {
    "stack": branch,
    "residual": lambda: Residual(branch(), identity()),
    "residual with a shortcut": lambda: Residual(branch(4, 6), projection(4, 6)),
    "skip": lambda: TemporalSkip(branch(), identity(), delay_ms=7.0),
    "skip at once": lambda: TemporalSkip(branch(), identity(), delay_ms=0.0),
    "skip beside": lambda: TemporalSkip(branch(4, 3), projection(4, 2), delay_ms=5.0, combine="concatenate"),
    "feedback": lambda: Feedback(branch(), identity(), (4,), delay_ms=6.0),
    "feedback beside": lambda: Feedback(branch(6, 5), projection(5, 2), (4,), delay_ms=3.0, combine="concatenate"),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def made(name: str) -> Layer:
    return LAYERS[name]().double()


def inputs(steps: int = 24) -> Tensor:
    return torch.randn(steps, 3, 4, generator=random(2), dtype=torch.float64)


def run(layer: Layer, x: Tensor, chunk: int) -> Tensor:
    state, parts = layer.initial_state(x.shape[1]), []
    for part in x.split(chunk):
        y, state = layer(part, state, DT_MS)
        parts.append(y)
    return torch.cat(parts)


@every_layer
def test_chunks_and_steps_are_the_whole_with_their_gradients(name: str) -> None:
    layer, outcomes = made(name), []
    for chunk in (24, 7, 1):
        leaf = inputs().requires_grad_()
        y = run(layer, leaf, chunk)
        grad = torch.randn(y.shape, generator=random(3), dtype=torch.float64)
        outcomes.append([y.detach(), *torch.autograd.grad((y * grad).sum(), [leaf, *layer.parameters()])])
    assert outcomes[0][0].shape[2:] == layer.out_shape
    for other in outcomes[1:]:
        for one, another in zip(outcomes[0], other, strict=True):
            torch.testing.assert_close(one, another, rtol=1e-9, atol=1e-11)


@every_layer
def test_the_future_does_not_change_the_past(name: str) -> None:
    layer, x = made(name), inputs()
    other = x.clone()
    other[13:] += 1.0
    assert torch.equal(run(layer, x, 24)[:13], run(layer, other, 24)[:13])


def test_a_silent_branch_leaves_the_identity() -> None:
    layer = made("residual")
    assert isinstance(layer, Residual)
    torch.nn.init.zeros_(next(layer.branch.parameters()))
    assert torch.equal(run(layer, inputs(), 24), inputs())


@pytest.mark.parametrize("delay_ms", [0.0, 2.0, 6.0])
def test_a_skip_arrives_after_its_delay(delay_ms: float) -> None:
    layer = TemporalSkip(branch(), identity(), delay_ms=delay_ms, combine="concatenate").double()
    x = torch.zeros(12, 1, 4, dtype=torch.float64)
    x[3] = 1.0
    skipped = run(layer, x, 12)[:, 0, 4:]
    steps = round(delay_ms / DT_MS)
    assert skipped.any(1).nonzero().flatten().tolist() == [3 + steps]


def test_a_skip_whose_share_is_one_is_the_plain_branch() -> None:
    layer = made("skip")
    assert isinstance(layer, TemporalSkip)
    assert layer.mix is not None
    torch.nn.init.constant_(layer.mix, 1e3)  # α = σ(a) = 1
    torch.testing.assert_close(run(layer, inputs(), 24), run(layer.branch, inputs(), 24), rtol=0, atol=1e-12)


def test_feedback_of_a_step_is_a_recurrence() -> None:
    neuron = make_neuron("lif", (4,), {"tau_ms": 8.0, "synapse_tau_ms": 3.0, "threshold": 0.4})
    recurrent = Recurrent(neuron, random(5)).double()
    weights = Linear(4, 4, random(6)).double()
    # u = W (α x + (1 - α) P s(t-1)) with α = ½: W x / 2, and R = W P / 2.
    back = Linear(4, 4).double()
    with torch.no_grad():
        back.weight.copy_(torch.linalg.solve(weights.weight, 2.0 * recurrent.recurrent_weight))
    around = Feedback(Stack([weights, neuron], (4,)), Stack([back], (4,)), (4,), delay_ms=DT_MS).double()
    x = 3.0 * inputs()
    wanted, _ = recurrent(0.5 * weights(x, None, DT_MS)[0], recurrent.initial_state(3), DT_MS)
    assert torch.equal(run(around, x, 24), wanted)
    assert wanted.any()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Residual(branch(4, 6), identity()), "residual"),
        (lambda: TemporalSkip(branch(4, 6), identity(), delay_ms=1.0), "skip"),
        (lambda: TemporalSkip(branch(), identity(), delay_ms=-1.0), "delay_ms"),
        (lambda: Feedback(branch(), identity(), (4,), delay_ms=0.0), "delay_ms"),
        (lambda: Feedback(branch(5, 4), identity(), (4,), delay_ms=1.0), "branch"),
        (lambda: TemporalSkip(branch(), identity(), delay_ms=1.0, combine="multiply"), "combine"),
        (lambda: Stack([torch.nn.Linear(2, 2)], (2,)), "layers"),
        (lambda: Lift(torch.nn.Conv2d(2, 4, 3), (3, 8, 8)), "in_shape"),
    ],
)
def test_what_does_not_fit_is_named(make: Callable[[], Any], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"^`{named}`"):
        make()


def test_a_state_of_another_step_is_named() -> None:
    layer = made("skip")
    _, state = layer(inputs(), layer.initial_state(3), DT_MS)
    with pytest.raises(SpikingGammaError, match=r"^`state`.*the time step that made it"):
        layer(inputs(), state, 1.0)


@every_layer
def test_states_are_trees_of_tensors(name: str) -> None:
    layer = made(name)
    _, state = layer(inputs(), layer.initial_state(3), DT_MS)
    assert all(part.dtype == torch.float64 for part in tensors_of(state))
