"""Eligibility traces: exact for one hidden layer, closer to the truth than instantaneous blame below it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from reference_nets import CLASSES, DT_MS, NETS, cosine, gradients, prepared, relative_error
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import CLASS_LOSSES
from spikinggamma.learning import Learner
from spikinggamma.nn import GammaNet, dense_net

STEPS = 15
LENGTHS = torch.tensor([15, 11, 4])
TARGETS = torch.tensor([0, 2, 1])


def learnt(
    net: GammaNet, spikes: Tensor, loss: str, chunk: int | None = None, rule: str = "traced"
) -> dict[str, Tensor]:
    net.zero_grad()
    Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=chunk).learn(
        spikes, TARGETS, LENGTHS, generator=torch.Generator().manual_seed(7)
    )
    return gradients(net)


def shallow() -> GammaNet:
    return dense_net((6, 7, CLASSES), tau_ms=(4.0, 5.0, 7.0))


def shallow_per_synapse() -> GammaNet:
    return dense_net((6, 7, CLASSES), tau_ms=(4.0, 5.0, 7.0), synapse="synapse")


def shallow_dropped_out() -> GammaNet:
    return dense_net((6, 9, CLASSES), tau_ms=(4.0, 5.0, 7.0), dropout=0.4)


@pytest.mark.parametrize("make", [shallow, shallow_per_synapse, shallow_dropped_out])
@pytest.mark.parametrize("loss", CLASS_LOSSES)
def test_exact_for_one_hidden_layer(make: Callable[[], GammaNet], loss: str) -> None:
    net, spikes = prepared(make, steps=STEPS)
    whole = learnt(net, spikes, loss, rule="through_time")
    # One step at a time the whole sum over time is carried by the traces; in one chunk, by the adjoint.
    for chunk in (1, 9) if loss == "each_step" else (7,):
        assert relative_error(learnt(net, spikes, loss, chunk), whole) < 1e-10


@pytest.mark.parametrize("kind", ["dense", "per_synapse"])
def test_below_that_nearer_than_instantaneous(kind: str) -> None:
    net, spikes = prepared(NETS[kind], steps=STEPS)
    whole, traced, now = (learnt(net, spikes, "last", 6, rule) for rule in ("through_time", "traced", "instantaneous"))
    assert cosine(now, whole) < cosine(traced, whole) < 1.0 - 1e-6
    own = {name: gradient for name, gradient in whole.items() if not name.startswith("layers.0.")}
    assert relative_error({name: traced[name] for name in own}, own) < 1e-10


@pytest.mark.parametrize("kind", ["trained_tau", "trained_tau_per_synapse"])
def test_trained_time_constants_are_refused(kind: str) -> None:
    with pytest.raises(SpikingGammaError, match=r"`train_tau`.*rule `traced`.*`windowed`"):
        Learner(NETS[kind](), rule="traced", loss="sum", dt_ms=DT_MS)


def test_shared_kernels_are_refused() -> None:
    with pytest.raises(SpikingGammaError, match=r"`rule`: got 'traced' on a convolutional layer"):
        Learner(NETS["convolutional"](), rule="traced", loss="sum", dt_ms=DT_MS)
