"""The read-outs: a leaky integrator by its closed forms, and a bias for each channel."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import LIFParameters, LIFState, leaky_sequence
from spikinggamma.nn import Bias, Integrator, make_layer

DT_MS = 2.0
KINDS = {"membrane": (9.0, 0.0), "synapse": (9.0, 4.0), "memoryless": (0.0, 0.0)}
every_kind = pytest.mark.parametrize("name", KINDS)


def made(name: str, shape: tuple[int, ...] = (3,)) -> tuple[Integrator, Tensor]:
    tau_ms, synapse_tau_ms = KINDS[name]
    drive = torch.randn(12, 2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Integrator(shape, tau_ms=tau_ms, synapse_tau_ms=synapse_tau_ms).double(), drive


def kernel(name: str, steps: int) -> Tensor:
    """κ(t), what is left of a drive of 1 after t steps: (1 - β) Σ_j β^{t-j} a^j."""
    tau_ms, synapse_tau_ms = KINDS[name]
    if tau_ms == 0.0:
        return torch.eye(1, steps, dtype=torch.float64)[0]
    beta = math.exp(-DT_MS / tau_ms)
    a = math.exp(-DT_MS / synapse_tau_ms) if synapse_tau_ms else 0.0
    time = torch.arange(1, steps + 1, dtype=torch.float64)
    return (1.0 - beta) * (beta**time - a**time) / (beta - a)


@every_kind
@pytest.mark.parametrize("shape", [(3,), (2, 3, 2)], ids=["one_axis", "pictures"])
def test_it_is_the_convolution_with_its_kernel(name: str, shape: tuple[int, ...]) -> None:
    layer, drive = made(name, shape)
    found, _ = layer(drive, layer.initial_state(2), DT_MS)
    kappa = kernel(name, 12)
    for step in range(12):
        wanted = sum(kappa[step - then] * drive[then] for then in range(step + 1))
        torch.testing.assert_close(found[step], wanted, rtol=1e-12, atol=1e-13)


@every_kind
def test_its_gradient_is_the_kernel_backwards(name: str) -> None:
    layer, drive = made(name)
    told = torch.randn_like(drive)
    drive.requires_grad_()
    (grad,) = torch.autograd.grad(layer(drive, layer.initial_state(2), DT_MS)[0], drive, told)
    kappa = kernel(name, 12)
    for step in range(12):
        wanted = sum(kappa[later - step] * told[later] for later in range(step, 12))
        torch.testing.assert_close(grad[step], wanted, rtol=1e-12, atol=1e-13)


def test_a_constant_drive_is_approached_exponentially() -> None:
    layer = Integrator((1,), tau_ms=9.0).double()
    found, _ = layer(torch.ones(40, 1, 1).double(), layer.initial_state(1), DT_MS)
    time = DT_MS * torch.arange(1, 41, dtype=torch.float64)
    torch.testing.assert_close(found.flatten(), 1.0 - torch.exp(-time / 9.0), rtol=1e-12, atol=0.0)


@every_kind
def test_chunks_and_steps_are_the_whole_with_their_gradients(name: str) -> None:
    layer, drive = made(name)
    drive.requires_grad_()
    whole, last = layer(drive, layer.initial_state(2), DT_MS)
    told = torch.randn_like(whole)
    (wanted,) = torch.autograd.grad(whole, drive, told)
    for chunk in (1, 5):
        state, parts = layer.initial_state(2), []
        for part in drive.split(chunk):
            membranes, state = layer(part, state, DT_MS)
            parts.append(membranes)
        found = torch.cat(parts)
        torch.testing.assert_close(found, whole, rtol=1e-12, atol=1e-13)
        for one, other in zip(state, last, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)
        (grad,) = torch.autograd.grad(found, drive, told)
        torch.testing.assert_close(grad, wanted, rtol=1e-12, atol=1e-13)


def test_it_is_the_functional_integrator() -> None:
    layer, drive = made("synapse")
    zero = torch.zeros_like(drive[0])
    wanted, _ = leaky_sequence(LIFParameters(9.0, 4.0, 1.0, "arctan", DT_MS), LIFState(zero, zero), drive)
    torch.testing.assert_close(layer(drive, layer.initial_state(2), DT_MS)[0], wanted, rtol=1e-12, atol=1e-13)


def test_a_state_of_another_batch_is_named() -> None:
    layer, drive = made("synapse")
    with pytest.raises(SpikingGammaError, match="`state`: got integrators of shape"):
        layer(drive, layer.initial_state(5), DT_MS)


@pytest.mark.parametrize("name", ["tau_ms", "synapse_tau_ms"])
@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_a_time_constant_that_is_none_is_named(name: str, value: float) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{name}`: got {value}"):
        Integrator((3,), **{"tau_ms": 9.0, name: value})


def test_a_bias_is_one_for_each_channel() -> None:
    layer, x = make_layer({"layer": "bias"}, (2, 3, 4)), torch.randn(5, 2, 2, 3, 4)
    assert isinstance(layer, Bias)
    assert torch.equal(layer(x, None, DT_MS)[0], x)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([1.0, -2.0]))
    y, _ = layer(x, None, DT_MS)
    torch.testing.assert_close(y[:, :, 0], x[:, :, 0] + 1.0)
    torch.testing.assert_close(y[:, :, 1], x[:, :, 1] - 2.0)
    y.sum().backward()
    assert torch.equal(layer.bias.grad, torch.full((2,), 5.0 * 2 * 12))
