"""SLAYER's neuron: sampled kernels equal the closed form, and spikes and gradients are sums over past events."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    AlphaState,
    SRMAlphaParameters,
    SRMAlphaState,
    alpha_sequence,
    srm_alpha_sequence,
    srm_alpha_step,
)

# The two settings of Yu, Sun and Goodman (2025): synthetic tasks, speech.
SYNTHETIC = SRMAlphaParameters(1.0, 1.0, 2.0, threshold=1.0, surrogate_width=1.0, surrogate_scale=1.0, dt_ms=1.0)
SPEECH = SRMAlphaParameters(1.0, 2.0, 2.0, threshold=10.0, surrogate_width=0.1, surrogate_scale=0.1, dt_ms=1.0)
SLOW = SRMAlphaParameters(7.0, 3.0, 2.0, threshold=1.0, surrogate_width=0.5, surrogate_scale=0.7, dt_ms=0.5)
SETTINGS = pytest.mark.parametrize("parameters", [SYNTHETIC, SPEECH, SLOW], ids=["synthetic", "speech", "slow"])


def epsilon(tau_ms: float, time_ms: float) -> float:
    return time_ms / tau_ms * math.exp(1 - time_ms / tau_ms)


def zeros(batch: int, neurons: int) -> SRMAlphaState:
    return SRMAlphaState(*torch.zeros(4, batch, neurons, dtype=torch.float64).unbind(0))


def silent() -> AlphaState:
    return AlphaState(*torch.zeros(2, 1, dtype=torch.float64).unbind(0))


def some_drive(parameters: SRMAlphaParameters, steps: int = 50, batch: int = 2, neurons: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(steps, batch, neurons, generator=generator, dtype=torch.float64)
    return parameters.threshold * (0.15 + 0.5 * noise)


@pytest.mark.parametrize("tau_ms", [0.3, 1.0, 2.0, 50.0])
@pytest.mark.parametrize("dt_ms", [0.1, 1.0, 4.0])
def test_sampled_kernel_is_the_alpha_function_at_every_grid_time(tau_ms: float, dt_ms: float) -> None:
    spike = torch.zeros(200, 1, dtype=torch.float64)
    spike[0] = 1.0
    found, _ = alpha_sequence(tau_ms, dt_ms, silent(), spike)
    wanted = torch.tensor([epsilon(tau_ms, n * dt_ms) for n in range(200)], dtype=torch.float64)
    # Below 1e-307 the numbers of a double lose their digits.
    torch.testing.assert_close(found.flatten(), wanted, rtol=1e-11, atol=1e-300)


def test_kernel_peaks_at_one_after_its_time_constant() -> None:
    spike = torch.eye(40, dtype=torch.float64)[:, :1]
    found, _ = alpha_sequence(10.0, 1.0, silent(), spike)
    assert float(found[0]) == 0.0
    assert int(found.argmax()) == 10
    assert float(found.max()) == pytest.approx(1.0, rel=1e-14)


def test_alpha_sum_differentiates_as_finite_differences_do() -> None:
    generator = torch.Generator().manual_seed(0)
    drive, trace, value = torch.randn(3, 6, 2, generator=generator, dtype=torch.float64).unbind(0)
    leaves = [drive.requires_grad_(), trace[0].clone().requires_grad_(), value[0].clone().requires_grad_()]

    def run(u: Tensor, p: Tensor, a: Tensor) -> tuple[Tensor, ...]:
        values, after = alpha_sequence(3.0, 0.7, AlphaState(p, a), u)
        return values, *after

    assert torch.autograd.gradcheck(run, leaves)


def test_trajectory_pinned_by_hand() -> None:
    # All times 1 step, ϑ = 1, c_r = 2; drive 1.2 at t = 0.
    # a(t) = 1.2 t e^{1-t}: 0, 1.2, 2.4/e, 3.6/e². The spike at 1 brings r(t) = (t-1) e^{2-t}: 0, 0, 1, 2/e.
    state, seen = zeros(1, 1), []
    for u in (1.2, 0.0, 0.0, 0.0):
        spikes, state = srm_alpha_step(SYNTHETIC, state, torch.tensor([[u]], dtype=torch.float64))
        seen.append((float(spikes), float(state.synapse), float(state.refractory)))
    e = math.e
    expected = [(0, 0, 0), (1, 1.2, 0), (0, 2.4 / e, 1), (0, 3.6 / e**2, 2 / e)]
    assert seen == [pytest.approx(row) for row in expected]


def by_events(parameters: SRMAlphaParameters, drive: list[float]) -> tuple[list[float], list[float]]:
    """Spikes and membranes of one neuron, each a sum of closed-form kernels over all past events."""
    tau_ms, refractory_tau_ms, refractory_scale, theta, _, _, dt_ms = parameters
    spikes: list[float] = []
    membranes = []
    for t in range(len(drive)):
        m = sum(u * epsilon(tau_ms, (t - at) * dt_ms) for at, u in enumerate(drive[: t + 1]))
        m -= (
            refractory_scale
            * theta
            * sum(s * epsilon(refractory_tau_ms, (t - at) * dt_ms) for at, s in enumerate(spikes))
        )
        spikes.append(float(m >= theta))
        membranes.append(m)
    return spikes, membranes


@SETTINGS
def test_spikes_are_those_of_sums_over_past_events(parameters: SRMAlphaParameters) -> None:
    drive = some_drive(parameters)
    found, end = srm_alpha_sequence(parameters, zeros(2, 3), drive)
    assert 0.02 < float(found.mean()) < 0.7
    for b in range(2):
        for n in range(3):
            spikes, membranes = by_events(parameters, drive[:, b, n].tolist())
            assert found[:, b, n].tolist() == spikes
            last = end.synapse[b, n] - parameters.refractory_scale * parameters.threshold * end.refractory[b, n]
            assert float(last) == pytest.approx(membranes[-1], rel=1e-9, abs=1e-9)


@SETTINGS
def test_gradient_is_slayers_correlation_of_blame_with_the_kernel(parameters: SRMAlphaParameters) -> None:
    # ∂ℓ/∂u(t') = Σ_{t >= t'} c(t) ρ(m(t)) ε(t - t'),  ρ(m) = c_ρ / (τ_ρ ϑ) exp(-|m - ϑ| / (τ_ρ ϑ))
    drive = some_drive(parameters, batch=1, neurons=1).requires_grad_()
    spikes, _ = srm_alpha_sequence(parameters, zeros(1, 1), drive)
    grad = torch.randn(50, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    (spikes.flatten() * grad).sum().backward()

    said, membranes = by_events(parameters, drive.detach().flatten().tolist())
    assert sum(said) > 1
    width = parameters.surrogate_width * parameters.threshold
    rho = [parameters.surrogate_scale / width * math.exp(-abs(m - parameters.threshold) / width) for m in membranes]
    told = [c * r for c, r in zip(grad.tolist(), rho, strict=True)]
    wanted = [
        sum(told[t] * epsilon(parameters.tau_ms, (t - at) * parameters.dt_ms) for t in range(at, 50))
        for at in range(50)
    ]
    assert drive.grad is not None
    torch.testing.assert_close(drive.grad.flatten(), torch.tensor(wanted, dtype=torch.float64), rtol=1e-9, atol=1e-12)


def test_splitting_every_step_in_two_changes_no_membrane() -> None:
    # Sub-threshold, as spikes may fall between the coarse steps: drive at even fine steps only.
    coarse = some_drive(SLOW).abs()
    fine = torch.zeros(100, 2, 3, dtype=torch.float64)
    fine[::2] = coarse
    high = SLOW._replace(threshold=1e6)
    seen = []
    for parameters, drive in ((high, coarse[:-1]), (high._replace(dt_ms=SLOW.dt_ms / 2), fine[:-3])):
        spikes, end = srm_alpha_sequence(parameters, zeros(2, 3), drive)
        assert not spikes.any()
        seen.append(end.synapse)
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-11, atol=0.0)


@pytest.mark.parametrize("named", SRMAlphaParameters._fields)
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_values_out_of_range_are_named(named: str, value: float) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        SPEECH._replace(**{named: value}).validate()


def test_refractoriness_may_be_off_and_nothing_else() -> None:
    assert SPEECH._replace(refractory_scale=0.0).validate().refractory_scale == 0.0
    for named in set(SPEECH._fields) - {"refractory_scale"}:
        with pytest.raises(SpikingGammaError, match=f"`{named}`"):
            SPEECH._replace(**{named: 0.0}).validate()
