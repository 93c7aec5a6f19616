"""The balanced resonate-and-fire neuron: its oscillation in closed form, a trajectory by hand, and every gradient."""

from __future__ import annotations

import cmath
import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import BRFParameters, BRFState, brf_sequence, brf_step, divergence_boundary

DT_MS = 4.0
DELTA = 1e-3 * DT_MS


def parameters(omega: list[float], damping: list[float], **other: float) -> BRFParameters:
    own = (torch.tensor(omega, dtype=torch.float64), torch.tensor(damping, dtype=torch.float64))
    return BRFParameters(*own, 40.0, 30.0, 20.0, 1.0, "double_gaussian", DT_MS)._replace(**other)


def zeros(batch: int, neurons: int) -> BRFState:
    return BRFState(*torch.zeros(3, batch, neurons, dtype=torch.float64).unbind(0))


def membranes(p: BRFParameters, drive: Tensor) -> Tensor:
    state, found = zeros(*drive.shape[1:]), []
    for u in drive.unbind(0):
        _, state = brf_step(p, state, u)
        found.append(torch.complex(state.real, state.imaginary))
    return torch.stack(found)


def test_below_threshold_it_is_a_damped_oscillation() -> None:
    omega, damping = [0.0, 8.0, 50.0, 200.0], [0.0, 0.7, 3.0, 20.0]
    pulse = torch.zeros(200, 1, 4, dtype=torch.float64)
    pulse[0] = 5.0
    found = membranes(parameters(omega, damping), pulse)
    for cell, (w, b) in enumerate(zip(omega, damping, strict=True)):
        turn = cmath.sqrt(1.0 - (DELTA * w) ** 2) - DELTA * b + 1j * DELTA * w
        wanted = [DELTA * 20.0 * 5.0 * turn**n for n in range(200)]
        torch.testing.assert_close(found[:, 0, cell], torch.tensor(wanted, dtype=torch.complex128))


@pytest.mark.long
@pytest.mark.parametrize("dt_ms", [0.5, 4.0, 10.0])
def test_on_the_divergence_boundary_it_rings_for_ever_and_at_its_frequency_for_short_steps(dt_ms: float) -> None:
    pulse = torch.zeros(round(4000 / dt_ms), 1, 1, dtype=torch.float64)
    pulse[0] = 1.0
    ringing = membranes(parameters([12.0], [0.0], dt_ms=dt_ms), pulse).flatten()
    torch.testing.assert_close(ringing.abs(), ringing.abs()[:1].expand_as(ringing), rtol=1e-9, atol=0.0)
    # arcsin(δ ω) / δ is its frequency: ω for δ to zero.
    turned = (ringing[1:] / ringing[:-1]).angle() / (1e-3 * dt_ms)
    torch.testing.assert_close(turned, torch.full_like(turned, math.asin(12e-3 * dt_ms) / (1e-3 * dt_ms)))


def test_the_boundary_is_its_formula() -> None:
    omega = torch.linspace(0.0, 249.0, 50, dtype=torch.float64)
    wanted = (-1.0 + (1.0 - (DELTA * omega) ** 2).sqrt()) / DELTA
    torch.testing.assert_close(divergence_boundary(omega, DT_MS), wanted, rtol=1e-10, atol=1e-10)


def test_trajectory_pinned_by_hand() -> None:
    # dt = 10 ms, ω = 60: δ p = -0.2, δ ω = 0.6, and with b' = 20 growth is 0.6; δ κ = 0.1, γ = 1/2, δ g = 1.
    # D = 0.6 - 0.1 q          0.6    0.6     0.5
    # Re z = D Re - 0.6 Im + u  1.25   0.75    0.375 - 0.45 + 1.625 = 1.55
    # Im z = 0.6 Re + D Im      0      0.75    0.45 + 0.375 = 0.825
    # ϑ + q                     1      2       1.5
    # s                         1      0       1
    # q = q/2 + s               1      0.5     1.25
    p = parameters(
        [60.0], [20.0], dt_ms=10.0, refractory_tau_ms=10.0 / math.log(2.0), refractory_damping=10.0, gain=100.0
    )
    state, seen = zeros(1, 1), []
    for u in (1.25, 0.125, 1.6625):
        spikes, state = brf_step(p, state, torch.full((1, 1), u, dtype=torch.float64))
        seen.append((float(spikes), *(float(part) for part in state)))
    # After the first spike D is 0.5, and after the second step q is 1/2: D = 0.55.
    expected = [
        (1, 1.25, 0.0, 1.0),
        (0, 0.5 * 1.25 + 0.125, 0.75, 0.5),
        (1, 0.55 * 0.75 - 0.6 * 0.75 + 1.6625, 0.6 * 0.75 + 0.55 * 0.75, 1.25),
    ]
    assert seen == [pytest.approx(row) for row in expected]


@pytest.mark.long
def test_smooth_parts_have_the_gradient_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    drive = 0.2 * torch.randn(12, 2, 3, generator=generator, dtype=torch.float64)
    start = torch.rand(3, 2, 3, generator=generator, dtype=torch.float64)

    def last(omega: Tensor, damping: Tensor, u: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        p = parameters([1.0], [1.0], threshold=1e6)._replace(omega=omega, damping=damping)
        return tuple(brf_sequence(p, BRFState(*before), u)[1])

    own = (torch.tensor([5.0, 40.0, 120.0], dtype=torch.float64), torch.tensor([0.1, 3.0, 9.0], dtype=torch.float64))
    # The surrogate is zero this far from the threshold, so what is left is smooth.
    inputs = tuple(one.requires_grad_() for one in (*own, drive, start))
    assert torch.autograd.gradcheck(last, inputs)


def test_a_spike_passes_its_gradient_through_the_refractoriness() -> None:
    # ∂(Re z, Im z, q)/∂w carried forward in time for one neuron and ℓ = Σ c(t) s(t), by the product rule.
    generator = torch.Generator().manual_seed(3)
    x = (torch.rand(60, generator=generator) < 0.5).double()
    c = torch.randn(60, generator=generator, dtype=torch.float64)
    p = parameters([30.0], [2.0])
    w = torch.tensor(9.0, dtype=torch.float64, requires_grad=True)
    spikes, _ = brf_sequence(p, zeros(1, 1), (w * x).view(-1, 1, 1))
    (spikes.flatten() * c).sum().backward()
    growth, turn = math.sqrt(1 - (DELTA * 30.0) ** 2) - DELTA * 2.0, DELTA * 30.0
    damp, decay, gain = DELTA * 30.0, math.exp(-DT_MS / 40.0), DELTA * 20.0
    z, dz, q, dq, wanted, count = 0j, 0j, 0.0, 0.0, 0.0, 0
    for x_t, c_t, s_t in zip(x.tolist(), c.tolist(), spikes.flatten().tolist(), strict=True):
        factor = growth - damp * q + 1j * turn
        z, dz = factor * z + gain * 9.0 * x_t, factor * dz - damp * dq * z + gain * x_t
        margin = z.real - q - 1.0
        bump = 0.5 * (1.15 * normal(margin, 0.5) - 0.3 * normal(margin, 3.0))
        eligibility = bump * (dz.real - dq)
        assert float(margin >= 0) == s_t
        wanted += c_t * eligibility
        q, dq, count = decay * q + s_t, decay * dq + eligibility, count + int(s_t)
    assert 4 < count < 50
    assert w.grad is not None
    assert float(w.grad) == pytest.approx(wanted, rel=1e-10)


def normal(x: float, sigma: float) -> float:
    return math.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"refractory_tau_ms": 0.0}, "refractory_tau_ms"),
        ({"refractory_damping": -1.0}, "refractory_damping"),
        ({"gain": math.nan}, "gain"),
        ({"threshold": 0.0}, "threshold"),
        ({"omega": torch.tensor([250.0])}, "omega"),
        ({"damping": torch.tensor([-0.1])}, "damping"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    kept = parameters([9.0], [1.0])
    assert kept.validate() is kept
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        kept._replace(**change).validate()
