"""A linear layer is its product, and its weights leave the size of a signal as it is."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.nn.layers.linear import Linear


def test_it_is_the_product() -> None:
    project = Linear(7, 5, torch.Generator().manual_seed(0)).double()
    spikes = torch.randn(11, 3, 7, dtype=torch.float64)
    torch.testing.assert_close(project(spikes, None, 1.0)[0], spikes @ project.weight.T)


def test_the_drive_is_as_large_as_what_drives() -> None:
    project = Linear(400, 300, torch.Generator().manual_seed(1))
    drive = project(torch.ones(1, 1, 400), None, 1.0)[0].detach()
    assert float(drive.std()) == pytest.approx(1.0, rel=0.15)
    again = Linear(400, 300, torch.Generator().manual_seed(1))
    assert torch.equal(project.weight, again.weight)
