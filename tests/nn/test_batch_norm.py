"""Normalisation of sequences: the formulas, their statistics, and the running means of evaluation."""

from __future__ import annotations

import pytest
import torch

from spikinggamma.nn import BatchNorm, BatchNormThroughTime


def signal(shape: tuple[int, ...] = (4, 3, 5)) -> torch.Tensor:
    return 2.0 + 3.0 * torch.randn(9, 6, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(4,), (4, 7), (4, 3, 5)])
def test_over_time_and_batch_it_is_the_formula_scaled_to_the_threshold(shape: tuple[int, ...]) -> None:
    x = signal(shape)
    layer = BatchNorm(shape, scale=0.6).double()
    axes = tuple(axis for axis in range(x.ndim) if axis != 2)
    mean, variance = x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)
    wanted = 0.6 * (x - mean) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(layer(x, None, 1.0)[0], wanted)


def test_evaluation_uses_running_means_and_so_does_not_see_the_chunk() -> None:
    x, layer = signal(), BatchNorm((4, 3, 5), momentum=1.0).double()
    layer(x, None, 1.0)
    layer.eval()
    whole = layer(x, None, 1.0)[0]
    torch.testing.assert_close(torch.cat([layer(part, None, 1.0)[0] for part in x.split(2)]), whole)
    assert float(whole.mean().abs().detach()) < 1e-9


def test_each_step_has_statistics_of_its_own() -> None:
    x = signal() * torch.arange(1.0, 10.0, dtype=torch.float64).view(-1, 1, 1, 1, 1)
    layer = BatchNormThroughTime((4, 3, 5), steps=9, momentum=1.0).double()
    y, state = layer(x, layer.initial_state(6), 1.0)
    assert int(state) == 9
    torch.testing.assert_close(y.std((1, 3, 4), correction=0), torch.ones(9, 4, dtype=torch.float64), rtol=1e-4, atol=0)
    first, state = layer.eval()(x[:4], layer.initial_state(6), 1.0)
    rest, _ = layer(x[4:], state, 1.0)
    whole, _ = layer(x, layer.initial_state(6), 1.0)
    assert torch.equal(torch.cat([first, rest]), whole)
