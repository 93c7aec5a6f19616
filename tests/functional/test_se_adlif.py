"""SE-adLIF: its linear dynamics in closed form, stability where plain Euler has none, a trajectory by hand, all gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    LIFParameters,
    LIFState,
    SEAdLIFParameters,
    SEAdLIFState,
    leaky_sequence,
    se_adlif_sequence,
    se_adlif_step,
)

HALF = 1.0 / math.log(2.0)  # of a decay of 1/2 a step


def parameters(
    tau_ms: float = 12.0, adaptation_tau_ms: float = 80.0, a: float = 0.7, b: float = 1.2, **other: float
) -> SEAdLIFParameters:
    own = (torch.tensor([value], dtype=torch.float64) for value in (tau_ms, adaptation_tau_ms, a, b))
    return SEAdLIFParameters(*own, 120.0, 1.0, "arctan", 1.0, 1.0)._replace(**other)


def zeros(batch: int = 1, neurons: int = 1) -> SEAdLIFState:
    return SEAdLIFState(*torch.zeros(2, batch, neurons, dtype=torch.float64).unbind(0))


def trajectory(p: SEAdLIFParameters, drive: Tensor) -> Tensor:
    state, found = zeros(*drive.shape[1:]), []
    for u in drive.unbind(0):
        _, state = se_adlif_step(p, state, u)
        found.append(torch.stack(tuple(state)))
    return torch.stack(found)


def dynamics(p: SEAdLIFParameters) -> tuple[Tensor, Tensor]:
    """The matrix of a step below threshold, z' = A z + c I, written out by inserting one equation into the other."""
    alpha, beta = math.exp(-p.dt_ms / float(p.tau_ms)), math.exp(-p.dt_ms / float(p.adaptation_tau_ms))
    pull = p.scale * (1.0 - beta) * float(p.a)
    matrix = [[alpha, alpha - 1.0], [pull * alpha, beta - pull * (1.0 - alpha)]]
    return torch.tensor(matrix, dtype=torch.float64), torch.tensor([1.0 - alpha, pull * (1.0 - alpha)]).double()


@pytest.mark.parametrize("dt_ms", [0.5, 1.0, 4.0])
def test_below_threshold_it_is_the_linear_system(dt_ms: float) -> None:
    p = parameters(dt_ms=dt_ms, threshold=1e9)
    matrix, drive = dynamics(p)
    pulse = torch.zeros(80, 1, 1, dtype=torch.float64)
    pulse[0] = 3.0
    found = trajectory(p, pulse)[:, :, 0, 0]
    wanted = torch.stack([torch.linalg.matrix_power(matrix, n) @ drive * 3.0 for n in range(80)])
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("a", [0.05, 0.3, 1.0])
def test_the_oscillation_is_stable_where_plain_euler_diverges(a: float) -> None:
    # The determinant is α β whatever a is: complex eigenvalues have the modulus of the decays, which is below 1.
    p = parameters(a=a)
    eigenvalues = torch.linalg.eigvals(dynamics(p)[0])
    assert bool((eigenvalues.imag != 0.0).all())
    wanted = math.sqrt(math.exp(-1.0 / 12.0) * math.exp(-1.0 / 80.0))
    torch.testing.assert_close(eigenvalues.abs(), torch.full((2,), wanted, dtype=torch.float64))
    alpha, beta = math.exp(-1.0 / 12.0), math.exp(-1.0 / 80.0)
    euler = torch.tensor([[alpha, alpha - 1.0], [120.0 * (1.0 - beta) * a, beta]])
    assert (float(torch.linalg.eigvals(euler).abs().max()) > 1.0) == (a > 0.6)


def test_its_frequency_is_that_of_the_continuous_equations_for_short_steps() -> None:
    # τ_u u' = -u - w and τ_w w' = -w + ρ a u: the imaginary part of the eigenvalues.
    slow, fast = 1.0 / 80.0, 1.0 / 12.0
    continuous = math.sqrt(120.0 * 0.7 * slow * fast - ((fast - slow) / 2.0) ** 2)
    errors = []
    for dt_ms in (1.0, 0.1, 0.01):
        angle = float(torch.linalg.eigvals(dynamics(parameters(dt_ms=dt_ms))[0]).angle().abs().max()) / dt_ms
        errors.append(abs(angle - continuous) / continuous)
    assert errors[2] < 1e-3
    assert errors[0] > errors[1] > errors[2]


def test_trajectory_pinned_by_hand() -> None:
    # α = β = 1/2; ρ = 2, a = 1, b = 1/4: p = 1, j = 1/4.
    # I   4        0                   0
    # û   2        0/2 - 1/8 = -1/8    -1/16 + 1/32 = -1/32      û = u/2 + (I - w)/2
    # s   1        0                   0
    # u   0        -1/8                -1/32
    # w   1/4      1/8 - 1/8 = 0       0 - 1/32                  w = w/2 + u + s/4
    p = parameters(HALF, HALF, 1.0, 0.25, scale=2.0)
    state, seen = zeros(), []
    for u in (4.0, 0.0, 0.0):
        spikes, state = se_adlif_step(p, state, torch.full((1, 1), u, dtype=torch.float64))
        seen.append((float(spikes), float(state.membrane), float(state.adaptation)))
    wanted = [(1, 0, 0.25), (0, -0.125, 0.0), (0, -0.0625, -0.0625)]
    assert seen == [pytest.approx(row) for row in wanted]


def test_what_a_spike_adds_does_not_depend_on_the_step() -> None:
    # At once in the reset, so that w alone is left: ρ (1 - β₁) b.
    added = []
    for dt_ms in (0.5, 2.0):
        p = parameters(a=0.0, dt_ms=dt_ms, reference_ms=4.0)
        spikes, state = se_adlif_step(p, zeros(), torch.full((1, 1), 1e6, dtype=torch.float64))
        assert float(spikes) == 1.0
        added.append(float(state.adaptation))
    assert added == pytest.approx([120.0 * (1.0 - math.exp(-4.0 / 80.0)) * 1.2] * 2)


def test_without_adaptation_it_is_a_leaky_integrator_below_threshold() -> None:
    drive = torch.randn(40, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = parameters(a=0.0, b=0.0, threshold=1e9)
    zero = torch.zeros(2, 3, dtype=torch.float64)
    wanted, _ = leaky_sequence(LIFParameters(12.0, 0.0, 1.0, "arctan", 1.0), LIFState(zero, zero), drive)
    torch.testing.assert_close(trajectory(p, drive)[:, 0], wanted)


@pytest.mark.long
def test_smooth_parts_have_the_gradient_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    drive = torch.randn(10, 2, 3, generator=generator, dtype=torch.float64)
    start = torch.randn(2, 2, 3, generator=generator, dtype=torch.float64)
    own = torch.tensor([[5.0, 12.0, 40.0], [60.0, 90.0, 200.0], [0.1, 0.5, 1.0], [0.2, 1.0, 2.0]]).double()

    def last(given: Tensor, u: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        # The surrogate is zero this far from the threshold, so what is left is smooth.
        p = SEAdLIFParameters(*given, 30.0, 1e6, "rectangle", 1.0, 2.0)
        return tuple(se_adlif_sequence(p, SEAdLIFState(*before), u)[1])

    assert torch.autograd.gradcheck(last, tuple(one.requires_grad_() for one in (own, drive, start)))


def test_gradients_through_spikes_are_those_of_forward_traces() -> None:
    # ∂(u, w)/∂ω for the drive ω x(t), carried forward by the product rule; the reset passes no gradient, s does by ψ.
    generator = torch.Generator().manual_seed(3)
    x = (torch.rand(60, generator=generator) < 0.6).double()
    c = torch.randn(60, generator=generator, dtype=torch.float64)
    p, omega = parameters(scale=20.0), torch.tensor(30.0, dtype=torch.float64, requires_grad=True)
    spikes, _ = se_adlif_sequence(p, zeros(), (omega * x).view(-1, 1, 1))
    (spikes.flatten() * c).sum().backward()
    alpha, beta = math.exp(-1.0 / 12.0), math.exp(-1.0 / 80.0)
    pull, jump = 20.0 * (1.0 - beta) * 0.7, 20.0 * (1.0 - beta) * 1.2
    u = w = trace_u = trace_w = wanted = 0.0
    for x_t, c_t, s_t in zip(x.tolist(), c.tolist(), spikes.flatten().tolist(), strict=True):
        u, trace_u = alpha * u + (1 - alpha) * (30.0 * x_t - w), alpha * trace_u + (1 - alpha) * (x_t - trace_w)
        assert float(u >= 1.0) == s_t
        eligibility = trace_u / (1.0 + (math.pi * (u - 1.0)) ** 2)
        wanted += c_t * eligibility
        u, trace_u = u * (1 - s_t), trace_u * (1 - s_t)
        w, trace_w = beta * w + pull * u + jump * s_t, beta * trace_w + pull * trace_u + jump * eligibility
    assert 4 < int(spikes.sum()) < 50
    assert omega.grad is not None
    assert float(omega.grad) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scale": 0.0}, "scale"),
        ({"threshold": -1.0}, "threshold"),
        ({"reference_ms": 0.0}, "reference_ms"),
        ({"tau_ms": torch.tensor([0.0])}, "tau_ms"),
        ({"adaptation_tau_ms": torch.tensor([math.inf])}, "adaptation_tau_ms"),
        ({"a": torch.tensor([math.nan])}, "a"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    kept = parameters()
    assert kept.validate() is kept
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        kept._replace(**change).validate()
