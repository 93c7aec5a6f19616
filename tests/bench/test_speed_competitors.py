"""Every layer whose speed is compared computes gradients of its input and weights, and equal neurons equal ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spikinggamma.bench.speed_competitors import SUBJECTS, installed

HERE = [name for name in SUBJECTS if installed(name)]
OURS = [name for name in ("lif", "lif_loop") if name in HERE]


@pytest.mark.parametrize("name", HERE)
def test_a_step_leaves_both_gradients(name: str) -> None:
    torch.manual_seed(0)
    weight = torch.randn(20, 20)
    spikes = (torch.rand(30, 2, 20) < 0.3).float().requires_grad_()
    sent: Tensor = SUBJECTS[name].make(weight)(spikes)
    assert sent.shape == spikes.shape
    torch.autograd.backward(sent, torch.randn_like(sent))
    assert spikes.grad is not None
    assert spikes.grad.abs().sum() > 0


def test_the_two_lifs_have_one_gradient() -> None:
    torch.manual_seed(0)
    weight, grad = torch.randn(20, 20, dtype=torch.float64), torch.randn(30, 2, 20, dtype=torch.float64)
    found = []
    for name in OURS:
        spikes = (torch.rand(30, 2, 20, generator=torch.Generator().manual_seed(1)) < 0.3).double().requires_grad_()
        torch.autograd.backward(SUBJECTS[name].make(weight)(spikes), grad)
        found.append(spikes.grad)
    assert found[0] is not None
    torch.testing.assert_close(found[0], found[1])
