"""A step forward; backward, exactly the bump that the docstring states."""

from __future__ import annotations

import math

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    SURROGATES,
    arctan,
    exponential,
    fast_sigmoid,
    find_surrogate,
    surrogate_slope,
)

X = torch.linspace(-3.0, 3.0, 61, dtype=torch.float64)  # holds 0 itself


@pytest.mark.parametrize("name", SURROGATES)
def test_forward_is_a_step_that_includes_the_threshold(name: str) -> None:
    assert torch.equal(find_surrogate(name)(X), (X >= 0).double())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # of torch itself
@pytest.mark.parametrize("name", SURROGATES)
def test_forward_mode_finds_the_derivative_of_backward_mode(name: str) -> None:
    spike = find_surrogate(name)
    _, tangent = torch.func.jvp(spike, (X,), (torch.ones_like(X),))
    assert torch.equal(tangent, spike.derivative(X))


# Of the double Gaussian c (1 + h - 2 h), as both have an area of 1.
@pytest.mark.parametrize(
    ("name", "area"), [("triangle", 0.3 * 1.0), ("rectangle", 1.0), ("double_gaussian", 0.5 * 0.85)]
)
def test_bumps_have_the_area_of_their_formula(name: str, area: float) -> None:
    x = torch.linspace(-20.0, 20.0, 4_000_001, dtype=torch.float64)
    assert float(torch.trapezoid(surrogate_slope(name, x), x)) == pytest.approx(area, rel=1e-4)


def test_the_double_gaussian_is_negative_far_from_the_threshold_and_has_its_height_at_it() -> None:
    found = surrogate_slope("double_gaussian", torch.tensor([0.0, 2.0], dtype=torch.float64), width=0.5)
    unit = 1.0 / math.sqrt(2.0 * math.pi)
    assert float(found[0]) == pytest.approx(0.5 * unit * (1.15 / 0.5 - 0.3 / 3.0))
    assert float(found[1]) == pytest.approx(
        0.5 * unit * (1.15 / 0.5 * math.exp(-8.0) - 0.3 / 3.0 * math.exp(-0.5 * (2.0 / 3.0) ** 2))
    )
    assert float(found[1]) < 0.0


def test_an_option_that_is_unknown_or_out_of_range_is_refused_by_its_name() -> None:
    with pytest.raises(SpikingGammaError, match=r"`surrogate\.slop`.*Did you mean `slope`"):
        find_surrogate("arctan", slop=2.0)
    with pytest.raises(SpikingGammaError, match=r"`surrogate\.slope`.*above 0"):
        find_surrogate("arctan", slope=-2.0)


@pytest.mark.parametrize("slope", [1.0, 10.0, 100.0])
def test_fast_sigmoid_has_its_closed_form_for_a_derivative(slope: float) -> None:
    x = X.clone().requires_grad_()
    grad = torch.arange(61.0, dtype=torch.float64)
    fast_sigmoid(x, slope=slope).backward(grad)
    assert x.grad is not None
    torch.testing.assert_close(x.grad, grad / (1 + slope * X.abs()) ** 2)


@pytest.mark.parametrize("slope", [1.0, 2.0, 8.0])
def test_arctan_is_the_derivative_of_a_scaled_arc_tangent(slope: float) -> None:
    x = X.clone().requires_grad_()
    arctan(x, slope=slope).sum().backward()
    # atan(π/2 β x)/π + ½ rises from 0 to 1 as a distribution function; autograd differentiates it.
    smooth = X.clone().requires_grad_()
    (torch.atan(math.pi / 2 * slope * smooth) / math.pi + 0.5).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, smooth.grad)


@pytest.mark.parametrize(("width", "threshold", "scale"), [(1.0, 1.0, 1.0), (0.1, 10.0, 0.1), (0.5, 2.0, 3.0)])
def test_exponential_is_slayers_bump(width: float, threshold: float, scale: float) -> None:
    x = X.clone().requires_grad_()
    grad = torch.arange(61.0, dtype=torch.float64)
    exponential(x, slope=1 / (width * threshold), scale=scale).backward(grad)
    expected = [scale / (width * threshold) * math.exp(-abs(at) / (width * threshold)) for at in X.tolist()]
    assert x.grad is not None
    torch.testing.assert_close(x.grad, grad * torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("slope", [0.5, 1.0, 8.0])
def test_exponential_has_the_area_that_its_scale_says(slope: float) -> None:
    # From the threshold upwards the integral is c (1 - e^{-β x}), and the bump is symmetric: 2 c in all.
    x = torch.linspace(-60.0, 60.0, 240_001, dtype=torch.float64, requires_grad=True)
    exponential(x, slope=slope, scale=0.3).sum().backward()
    assert x.grad is not None
    assert float(torch.trapezoid(x.grad, x.detach())) == pytest.approx(0.6, rel=1e-5)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SpikingGammaError, match="arctan, double_gaussian, exponential, fast_sigmoid"):
        find_surrogate("boxcar")


@pytest.mark.parametrize("name", SURROGATES)
@pytest.mark.parametrize("factor", [1.0, 3.0], ids=["usual", "other"])
def test_the_slope_by_name_is_what_autograd_finds(name: str, factor: float) -> None:
    usual = dict(find_surrogate(name))
    shape = {key: factor * value for key, value in usual.items()}
    x = X.clone().requires_grad_()
    find_surrogate(name, **shape)(x).sum().backward()
    assert x.grad is not None
    assert torch.equal(surrogate_slope(name, X, **shape), x.grad)


def test_the_slope_of_an_unknown_name_is_refused() -> None:
    with pytest.raises(SpikingGammaError, match="arctan, double_gaussian, exponential, fast_sigmoid"):
        surrogate_slope("boxcar", X)
