"""A linear layer is its product, and its weights leave the size of a signal as it is."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.nn import make_chain
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


def test_weights_within_a_bound_stay_as_they_are_drawn() -> None:
    project = Linear(400, 300, torch.Generator().manual_seed(1), bound=0.2)
    weight = project.weight.detach()
    assert 0.199 < float(weight.abs().max()) <= 0.2
    assert float(weight.std()) == pytest.approx(0.2 / 3**0.5, rel=0.01)
    layers = [{"layer": "linear", "neurons": 8, "bound": 0.1}, {"layer": "lif"}, {"layer": "linear", "neurons": 2}]
    for bounded, scaled in ((0, 2), (2, 0)):
        changed = [dict(layer) for layer in layers]
        changed[0].pop("bound")
        changed[bounded]["bound"] = 5.0
        net = make_chain(changed, (3,), generator=torch.Generator().manual_seed(0))
        before = {name: one.detach().clone() for name, one in net.named_parameters()}
        factors = net.calibrate(torch.ones(20, 4, 3), dt_ms=1.0, signal_per_threshold=3.0)
        assert len(factors) == 1
        after = dict(net.named_parameters())
        assert torch.equal(after[f"stack.layers.{bounded}.weight"], before[f"stack.layers.{bounded}.weight"])
        scaled_by = after[f"stack.layers.{scaled}.weight"] / before[f"stack.layers.{scaled}.weight"]
        torch.testing.assert_close(scaled_by, torch.full_like(scaled_by, factors[0]))
