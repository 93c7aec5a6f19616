"""Factored rules of convolutional chains: BPTT where they promise it, chunks equal to the whole, and refusals by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from reference_chains import DT_MS, by_autograd, learnt, spikes_for
from reference_nets import relative_error
from spikinggamma import SpikingGammaError
from spikinggamma.learning import Learner
from spikinggamma.nn import Chain, make_chain

LIF = {"layer": "lif", "tau_ms": 9.0, "synapse_tau_ms": 5.0}
HEAD = [{"layer": "pool2d"}, {"layer": "flatten"}, {"layer": "linear", "neurons": 3}, {"layer": "bias"}]


def convolutional(*hidden: dict[str, Any], head: list[dict[str, Any]] = HEAD) -> Chain:
    first = {"layer": "conv2d", "channels": 3, "bias": True}
    net = make_chain([first, *hidden, *head], (2, 4, 4), generator=torch.Generator().manual_seed(4)).double()
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim == 4:
                parameter.mul_(3.0)
    return net


@pytest.mark.long
@pytest.mark.parametrize("rule", ["ottt", "dtrtrl"])
def test_one_hidden_layer_is_bptt(rule: str) -> None:
    spikes = spikes_for((2, 4, 4))
    for hidden in ((LIF,), ({"layer": "pool2d"}, LIF), ({"layer": "bias"}, LIF)):
        net = convolutional(*hidden, head=HEAD[0 if hidden[0]["layer"] != "pool2d" else 1 :])
        wanted = by_autograd(net, spikes, "each_step", price=0.2)
        assert all(bool(gradient.any()) for gradient in wanted.values())
        for chunk in (1, 7, None):
            assert relative_error(learnt(net, spikes, rule, "each_step", chunk=chunk, price=0.2), wanted) < 1e-10


@pytest.mark.long
@pytest.mark.parametrize("rule", ["truncated", "ottt", "es_d_rtrl"])
def test_chunks_equal_the_whole(rule: str) -> None:
    pooled = {"layer": "pool2d", "kind": "max"}
    net = convolutional(LIF, {"layer": "conv2d", "channels": 4}, LIF, head=[pooled, *HEAD[1:]])
    whole = learnt(net, spikes_for((2, 4, 4)), rule, "sum")
    assert all(bool(gradient.any()) for gradient in whole.values())
    for chunk in (1, 7):
        assert relative_error(learnt(net, spikes_for((2, 4, 4)), rule, "sum", chunk=chunk), whole) < 1e-10


REFUSED: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "a trace for each synapse": (
        "dtrtrl",
        [{**LIF, "layer": "adaptive_lif"}],
        r"dtrtrl for layer 0 \(Conv2d\); .*`linear`",
    ),
    "a filter for each synapse": ("eprop", [LIF, *HEAD[:3], {"layer": "integrator"}], r"eprop for layer 0 \(Conv2d\)"),
    "a nonlinear layer": ("ottt", [{"layer": "pool2d", "kind": "max"}, LIF], r"layer 1 is MaxPool2d; .*linear layers"),
    "a norm": ("ottt", [{"layer": "tdbn"}, LIF], r"layer 1 is BatchNorm; .*layers in a row"),
    "dropout by step": ("ottt", [{"layer": "dropout"}, LIF], r"layer 1 is Dropout; .*no dropout by step"),
    "a block": ("ottt", [{"layer": "residual", "branch": (LIF,)}], r"layer 1 is Residual; .*layers in a row"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_layer_that_a_rule_cannot_follow_is_named(case: str) -> None:
    rule, layers, message = REFUSED[case]
    net = convolutional(*layers, head=[] if layers[-1]["layer"] == "integrator" else HEAD[1:])
    with pytest.raises(SpikingGammaError, match=rf"`rule`: got .*{message}"):
        Learner(net, rule=rule, loss="sum", dt_ms=DT_MS)
