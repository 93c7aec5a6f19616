"""Integrators with learnt time constants: the fixed ones by another road, cut anywhere, with exact gradients."""

from __future__ import annotations

import math

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.nn import Integrator, LearntIntegrator, make_layer, parameter_kinds


def drive(steps: int = 150) -> torch.Tensor:
    return torch.randn(steps, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("chunk", [150, 64, 7, 1])
def test_it_is_the_integrator_of_each_outputs_time_constant(chunk: int) -> None:
    layer = LearntIntegrator((3,), tau_ms=20.0).double()
    layer.tau_ms.data = torch.tensor([5.0, -20.0, 300.0], dtype=torch.float64)  # a sign is of no effect
    state, found = layer.initial_state(2), []
    for part in drive().split(chunk):
        membrane, state = layer(part, state, 4.0)
        found.append(membrane)
    for output, tau_ms in enumerate((5.0, 20.0, 300.0)):
        fixed = Integrator((1,), tau_ms=tau_ms).double()
        wanted, _ = fixed(drive()[:, :, output : output + 1], fixed.initial_state(2), 4.0)
        torch.testing.assert_close(torch.cat(found)[:, :, output : output + 1], wanted)


@pytest.mark.long
def test_gradients_are_those_of_finite_differences() -> None:
    layer = LearntIntegrator((3,), tau_ms=20.0).double()

    def run(tau_ms: torch.Tensor, x: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        state = type(layer.initial_state(2))(before)
        result = torch.func.functional_call(layer, {"tau_ms": tau_ms}, (x, state, 4.0))
        return result[0]  # type: ignore[no-any-return]

    tau_ms = torch.tensor([5.0, -20.0, 300.0], dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(run, (tau_ms, drive(70).requires_grad_(), drive(1)[0].requires_grad_()))


def test_a_time_constant_of_nothing_passes_the_drive_on() -> None:
    layer = LearntIntegrator((3,), tau_ms=20.0).double()
    layer.tau_ms.data.zero_()
    membrane, _ = layer(drive(), layer.initial_state(2), 4.0)
    torch.testing.assert_close(membrane, drive())
    membrane.sum().backward()
    assert layer.tau_ms.grad is not None
    assert bool(torch.isfinite(layer.tau_ms.grad).all())


def test_it_begins_as_its_options_say_and_is_no_weight() -> None:
    options = {"layer": "learnt_integrator", "tau_ms": 80.0, "spread_ms": 4.0}
    layer = make_layer(options, (4000,), torch.Generator().manual_seed(0))
    assert isinstance(layer, LearntIntegrator)
    assert float(layer.tau_ms.detach().mean()) == pytest.approx(80.0, abs=4 * 4.0 / math.sqrt(4000))
    assert float(layer.tau_ms.detach().std()) == pytest.approx(4.0, rel=0.05)
    assert parameter_kinds(layer) == {"tau_ms": "time_constant"}
    with pytest.raises(SpikingGammaError, match="tau_ms"):
        make_layer(options | {"tau_ms": 0.0}, (4,))
