"""Shifted blame: exact where no gate moves, at constant memory and strictly causal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from reference_nets import CLASSES, DT_MS, cosine, gradients, prepared, relative_error
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import CLASS_LOSSES
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner
from spikinggamma.nn import Conv2d, Dense, GammaNet, PerSynapse, Timescales, dense_net

STEPS = 15
LENGTHS = torch.tensor([15, 11, 4])
TARGETS = torch.tensor([0, 2, 1])
TAU_MS = (5.0, 5.0, 5.0)


def learnt(
    net: GammaNet, spikes: Tensor, loss: str, chunk: int | None = None, rule: str = "shifted"
) -> dict[str, Tensor]:
    net.zero_grad()
    Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=chunk).learn(
        spikes, TARGETS, LENGTHS, generator=torch.Generator().manual_seed(7)
    )
    return gradients(net)


def linear() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, rectify=False)


def linear_per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, rectify=False, synapse="synapse")


def linear_dropped_out() -> GammaNet:
    return dense_net((6, 9, 9, CLASSES), tau_ms=TAU_MS, rectify=False, dropout=0.3)


def linear_mixture() -> GammaNet:
    """Three kinds of layers, with chains of different lengths."""
    code = SigmaDelta(adaptation=0.3)
    return GammaNet(
        [
            Conv2d((1, 3, 2), 4, 3, Timescales((5.0,) * 2), code=code, padding=1, rectify=False),
            PerSynapse((24,), 5, Timescales((5.0,) * 4), code=code, rectify=False),
            Dense((5,), CLASSES, Timescales(TAU_MS), code=None, readout=True),
        ]
    )


@pytest.mark.long
@pytest.mark.parametrize("make", [linear, linear_per_synapse, linear_dropped_out, linear_mixture])
def test_exact_without_rectification(make: Callable[[], GammaNet]) -> None:
    net, spikes = prepared(make, steps=STEPS)
    for loss in CLASS_LOSSES:
        whole = learnt(net, spikes, loss, rule="through_time")
        for chunk in (1, 9) if loss == "each_step" else (7,):
            assert relative_error(learnt(net, spikes, loss, chunk), whole) < 1e-10


def test_exact_while_every_gate_is_open() -> None:
    net, spikes = prepared(lambda: dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS), steps=STEPS)
    with torch.no_grad():
        for layer, high in zip(net.hidden, (10.0, 500.0), strict=True):
            layer.bias.fill_(high)
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    assert all(bool((layer.signal > 0).all()) for layer in activations.layers[:-1])
    for loss in CLASS_LOSSES:
        whole = learnt(net, spikes, loss, rule="through_time")
        assert relative_error(learnt(net, spikes, loss, 7), whole) < 1e-10


def test_nearer_than_instantaneous_where_gates_move() -> None:
    net, spikes = prepared(lambda: dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS), steps=STEPS)
    whole, shifted, now = (
        learnt(net, spikes, "last", 6, rule) for rule in ("through_time", "shifted", "instantaneous")
    )
    assert cosine(now, whole) < cosine(shifted, whole) < 1.0 - 1e-6


@pytest.mark.parametrize(
    "net",
    [
        dense_net((3, 4, 2), tau_ms=(5.0, 6.0)),
        dense_net((3, 4, 2), tau_ms=(5.0, 5.0), train_tau=True),
    ],
    ids=["mixed", "trained"],
)
def test_time_constants_that_differ_are_refused(net: GammaNet) -> None:
    with pytest.raises(SpikingGammaError, match=r"`tau_ms`: got \[5.0.*one fixed time constant.*`windowed`"):
        Learner(net, rule="shifted", loss="sum", dt_ms=DT_MS)
