"""Every layer whose speed is compared computes gradients of its input and weights, and equal neurons equal ones."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.bench.speed_competitors import BUCKETS_MS, SUBJECTS, installed
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import Dense, Timescales

HERE = [name for name, subject in SUBJECTS.items() if installed(subject.package)]
OURS = [name for name in ("lif", "lif_loop") if name in HERE]


@pytest.mark.parametrize("name", HERE)
def test_a_step_leaves_both_gradients(name: str) -> None:
    torch.manual_seed(0)
    weight = torch.randn(20, 20)
    spikes = (torch.rand(30, 2, 20) < 0.3).float()
    found = SUBJECTS[name].make(weight)(spikes, torch.randn_like(spikes))
    assert found.shape == spikes.shape
    assert found.abs().sum() > 0


def test_the_two_lifs_have_one_gradient() -> None:
    torch.manual_seed(0)
    weight, grad = torch.randn(20, 20, dtype=torch.float64), torch.randn(30, 2, 20, dtype=torch.float64)
    spikes = (torch.rand(30, 2, 20) < 0.3).double()
    torch.testing.assert_close(*(SUBJECTS[name].make(weight)(spikes, grad) for name in OURS))


def test_the_step_of_our_layer_is_that_of_autograd() -> None:
    """The path that `train` runs has the gradients of the module."""
    torch.manual_seed(0)
    weight, grad = torch.randn(20, 20, dtype=torch.float64), torch.randn(30, 2, 20, dtype=torch.float64)
    spikes = (torch.rand(30, 2, 20) < 0.3).double().requires_grad_()
    torch.manual_seed(1)
    layer = Dense((20,), 20, Timescales(BUCKETS_MS), code=SigmaDelta()).to(weight)
    layer.weight = torch.nn.Parameter(weight)
    torch.autograd.backward(layer(spikes, layer.initial_state(2), 1.0)[0], grad)
    torch.manual_seed(1)
    torch.testing.assert_close(SUBJECTS["spikinggamma"].make(weight)(spikes.detach(), grad), spikes.grad)
