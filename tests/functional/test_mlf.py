"""MLF: one level is a LIF that is reset to zero, levels tile the membrane, and their sum is what is said."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import MLFParameters, MLFState, find_surrogate, mlf_sequence, mlf_step

PUBLISHED = MLFParameters(1.0 / math.log(4.0), 3, 0.6, 1.0, "rectangle", 1.0)  # 1/4 a step


def zeros(levels: int) -> MLFState:
    return MLFState(torch.zeros(levels, 2, 3, dtype=torch.float64))


def drive(steps: int = 60) -> Tensor:
    return 1.5 * torch.randn(steps, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5


def lif(current: Tensor, threshold: float) -> Tensor:
    membrane, said = torch.zeros(2, 3, dtype=torch.float64), []
    for x in current.unbind(0):
        membrane = 0.25 * membrane + x
        said.append(find_surrogate("rectangle")(membrane - threshold))
        membrane = membrane * (1.0 - said[-1])
    return torch.stack(said)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_it_is_the_sum_of_lifs_with_rising_thresholds_in_value_and_gradient(levels: int) -> None:
    one, other = drive().requires_grad_(), drive().requires_grad_()
    found, _ = mlf_sequence(PUBLISHED._replace(levels=levels), zeros(levels), one)
    wanted = torch.stack([lif(other, 0.6 + level) for level in range(levels)]).sum(0)
    assert torch.equal(found, wanted)
    assert float(found.detach().max()) == levels
    weight = torch.randn(60, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (found * weight).sum().backward()
    (wanted * weight).sum().backward()
    assert one.grad is not None
    assert other.grad is not None
    torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_windows_of_the_surrogate_tile_the_membrane_without_gap(levels: int) -> None:
    x = torch.linspace(-1.0, 5.0, 6001, dtype=torch.float64).view(-1, 1).requires_grad_()
    said, _ = mlf_step(PUBLISHED._replace(levels=levels), MLFState(torch.zeros(levels, 6001, 1).double()), x)
    (gradient,) = torch.autograd.grad(said.sum(), x)
    inside = (x > 0.1 + 1e-9) & (x < 0.1 + levels - 1e-9)
    at_border = torch.isclose((x - 0.1) % 1.0, torch.zeros(1, dtype=torch.float64), atol=1e-9) | torch.isclose(
        (x - 0.1) % 1.0, torch.ones(1, dtype=torch.float64), atol=1e-9
    )
    assert torch.equal(gradient[~at_border] != 0.0, inside[~at_border])


def test_more_levels_leave_fewer_neurons_without_a_gradient() -> None:
    current, dormant = 3.0 * torch.rand(5, 2, 3000, generator=torch.Generator().manual_seed(0)), []
    for levels in (1, 2, 3):
        leaf = current.clone().requires_grad_()
        spikes, _ = mlf_sequence(PUBLISHED._replace(levels=levels), MLFState(torch.zeros(levels, 2, 3000)), leaf)
        (gradient,) = torch.autograd.grad(spikes.sum(), leaf)
        dormant.append(float((gradient == 0.0).float().mean()))
    assert dormant[0] > dormant[1] + 0.1 > dormant[2] + 0.2


@pytest.mark.parametrize("dt_ms", [0.25, 1.0])
def test_membranes_decay_in_ms(dt_ms: float) -> None:
    p = PUBLISHED._replace(tau_ms=3.0, dt_ms=dt_ms)
    state = MLFState(torch.full((3, 2, 3), 0.5, dtype=torch.float64))
    _, after = mlf_sequence(p, state, torch.zeros(round(6.0 / dt_ms), 2, 3, dtype=torch.float64))
    torch.testing.assert_close(after.membranes, torch.full((3, 2, 3), 0.5 * math.exp(-2.0), dtype=torch.float64))


@pytest.mark.parametrize(
    ("change", "named"),
    [({"levels": 0}, "levels"), ({"tau_ms": 0.0}, "tau_ms"), ({"level_step": math.nan}, "level_step")],
)
def test_values_out_of_range_are_named(change: dict[str, float], named: str) -> None:
    assert PUBLISHED.validate() is PUBLISHED
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        PUBLISHED._replace(**change).validate()
