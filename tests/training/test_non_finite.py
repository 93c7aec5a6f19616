"""The first number that is not finite is named: from the input upwards, then a gradient from the read-out downwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spikinggamma.nn import GammaNet, SequenceNet, SurrogateNet, dense_net
from spikinggamma.training.non_finite import first_fault, has_finite_parameters, non_finite_error

Change = Callable[[GammaNet], None]


def spikes() -> Tensor:
    return torch.ones(6, 2, 3)


def net() -> GammaNet:
    made = dense_net((3, 8, 8, 2), tau_ms=(4.0, 8.0), generator=torch.Generator().manual_seed(0))
    made.calibrate(spikes(), dt_ms=2.0)
    return made


def large(layer: int, name: str) -> Change:
    def change(net: GammaNet) -> None:
        torch.nn.init.constant_(getattr(net.stack[layer], name), 3e38)

    return change


def not_a_number(layer: int, name: str, *, gradient: bool = False) -> Change:
    def change(net: GammaNet) -> None:
        parameter = getattr(net.stack[layer], name)
        if gradient:
            parameter.grad = torch.full_like(parameter, torch.nan)
        else:
            torch.nn.init.constant_(parameter, torch.nan)

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (not_a_number(1, "weight"), "parameter layers.1.weight"),
        (large(0, "weight"), "drive of layers.0"),
        (large(0, "bucket_weight"), "signal of layers.0"),
        (large(0, "bias"), "drive of layers.1"),
        (large(1, "bias"), "drive of layers.2"),
        (not_a_number(1, "bias", gradient=True), "gradient of layers.1.bias"),
        (lambda net: None, "none in the net: the loss itself"),
    ],
)
def test_the_first_fault(change: Change, fault: str) -> None:
    made = net()
    with torch.no_grad():
        change(made)
    assert first_fault(made, spikes(), 2.0) == fault
    assert has_finite_parameters(made) == (not fault.startswith("parameter"))


def test_of_two_gradients_the_one_nearer_the_loss_comes_first() -> None:
    made = net()
    for layer in (0, 1):
        not_a_number(layer, "weight", gradient=True)(made)
    assert first_fault(made, spikes(), 2.0) == "gradient of layers.1.weight"


@pytest.mark.parametrize("made", [net(), SurrogateNet((3, 8, 2))], ids=["spikinggamma", "surrogate"])
def test_an_input_comes_before_all_that_it_spoils(made: SequenceNet) -> None:
    bad = spikes()
    bad[2, 1, 0] = torch.inf
    assert first_fault(made, bad, 2.0) == "the input"


def test_logits_of_a_chain() -> None:
    made = SurrogateNet((3, 8, 2), readout_tau_ms=0.0)
    with torch.no_grad():
        made.weights[0].fill_(1.0)
        made.weights[1].fill_(3e38)
    assert first_fault(made, 20.0 * spikes(), 2.0) in ("drive of layers.1", "the logits")


def test_the_error_says_where_when_and_what_is_safe() -> None:
    made = net()
    with torch.no_grad():
        large(0, "weight")(made)
    error = non_finite_error("loss nan", made, spikes(), 2.0, when="epoch 3, batch 7", kept="Epoch 2 is kept.")
    for part in ("loss nan in epoch 3, batch 7", "drive of layers.0", "Epoch 2 is kept."):
        assert part in str(error)
