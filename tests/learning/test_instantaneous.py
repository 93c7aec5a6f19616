"""Instantaneous blame where its mathematics promises equality, and its bias where it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from reference_nets import CLASSES, DT_MS, NETS, cosine, gradients, prepared, relative_error
from spikinggamma.bench.loss_oracles import CLASS_LOSSES
from spikinggamma.learning import Learner
from spikinggamma.nn import GammaNet, dense_net

LENGTHS = torch.tensor([30, 21, 9])
TARGETS = torch.tensor([0, 2, 1])


def learnt(net: GammaNet, spikes: Tensor, rule: str, loss: str, lengths: Tensor = LENGTHS) -> dict[str, Tensor]:
    net.zero_grad()
    Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, chunk=16).learn(
        spikes, TARGETS, lengths, generator=torch.Generator().manual_seed(7)
    )
    return gradients(net)


def one_bucket() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=(4.0,))


def one_bucket_per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=(4.0,), synapse="synapse")


@pytest.mark.parametrize("make", [one_bucket, one_bucket_per_synapse])
def test_with_one_bucket_it_is_exact(make: Callable[[], GammaNet]) -> None:
    """A listener's only bucket is the sender's signal now: e(t) = v_0 δ(t) is the whole truth."""
    net, spikes = prepared(make, steps=30)
    for loss in CLASS_LOSSES:
        assert (
            relative_error(learnt(net, spikes, "instantaneous", loss), learnt(net, spikes, "through_time", loss))
            < 1e-10
        )


@pytest.mark.parametrize("kind", NETS)
def test_given_its_blame_a_layer_learns_exactly(kind: str) -> None:
    """The read-out's blame is the loss's own, so its gradient is autograd's, trained time constants included."""
    net, spikes = prepared(NETS[kind], steps=30)
    top = f"layers.{len(net.stack) - 1}."
    found, whole = (learnt(net, spikes, rule, "each_step") for rule in ("instantaneous", "through_time"))
    ours = {name: gradient for name, gradient in found.items() if name.startswith(top)}
    assert len(ours) >= 2
    assert relative_error(ours, {name: whole[name] for name in ours}) < 1e-10
    assert relative_error(found, whole) > 1e-3, "below the read-out it is an approximation"


def test_steady_blame_makes_it_exact_but_for_the_end() -> None:
    """Buckets have unit gain: blame that does not change in time falls on now as it would on the past.

    Under `sum` δ is constant, so without a rectifier only the last kernel's length of a recording differs, and the error
    falls as one over the duration.
    """
    durations, errors = (30, 60, 120), []
    for steps in durations:
        torch.manual_seed(0)
        net = dense_net((6, 7, CLASSES), tau_ms=(4.0, 4.0, 4.0), rectify=False).double()
        spikes = (torch.rand(steps, 3, 6) < 0.2).double()
        net.calibrate(spikes, dt_ms=DT_MS)
        lengths = torch.full((3,), steps)
        found, whole = (learnt(net, spikes, rule, "sum", lengths) for rule in ("instantaneous", "through_time"))
        errors.append(relative_error(found, whole) * steps)
    assert errors[0] > 0.1, "there is a difference"
    assert max(errors) < 2.0 * min(errors)


def test_it_is_biased_in_hidden_layers() -> None:
    net, spikes = prepared(NETS["dense"], steps=30)
    likeness = cosine(learnt(net, spikes, "instantaneous", "last"), learnt(net, spikes, "through_time", "last"))
    assert 0.3 < likeness < 0.999
