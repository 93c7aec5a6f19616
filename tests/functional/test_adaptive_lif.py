"""The adaptive LIF neuron: a trajectory computed by hand, closed forms of the threshold, and e-prop's traces."""

from __future__ import annotations

import math

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    LIFParameters,
    LIFState,
    adaptive_lif_sequence,
    adaptive_lif_step,
    lif_sequence,
)

# e^{-dt/τ} = 1/2 for all three: numbers that a hand can follow.
HALF = 1.0 / math.log(2.0)
LIF = LIFParameters(tau_ms=HALF, synapse_tau_ms=HALF, threshold=1.0, surrogate="fast_sigmoid", dt_ms=1.0)
BY_HAND = AdaptiveLIFParameters(LIF, adaptation=0.5, adaptation_tau_ms=HALF)


def zeros(batch: int, neurons: int) -> AdaptiveLIFState:
    return AdaptiveLIFState(*torch.zeros(3, batch, neurons, dtype=torch.float64).unbind(0))


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


def test_trajectory_pinned_by_hand() -> None:
    # u       8     0      0       0        0
    # i       8     4      2       1        1/2
    # v⁻      4     7/2    9/4     9/8      13/16      v⁻ = v/2 + i/2
    # A       1     3/2    7/4     15/8     23/16      A = 1 + a/2
    # s       1     1      1       0        0          at 9/8 a LIF would have spiked
    # v       3     5/2    5/4     9/8      13/16
    # a(t+1)  1     3/2    7/4     7/8      7/16       a(t+1) = a(t)/2 + s
    state, seen = zeros(1, 1), []
    for u in column(8, 0, 0, 0, 0).unbind(0):
        spikes, state = adaptive_lif_step(BY_HAND, state, u)
        seen.append((float(spikes), *(float(part) for part in state)))
    expected = [(1, 8, 3, 1), (1, 4, 2.5, 1.5), (1, 2, 1.25, 1.75), (0, 1, 1.125, 0.875), (0, 0.5, 0.8125, 0.4375)]
    assert seen == [pytest.approx(row) for row in expected]


def test_a_neuron_that_never_rests_adapts_as_a_geometric_series() -> None:
    parameters = AdaptiveLIFParameters(LIF, adaptation=0.1, adaptation_tau_ms=30.0)
    rho, state = math.exp(-1.0 / 30.0), zeros(1, 1)
    for t, u in enumerate(column(*[100.0] * 60).unbind(0), start=1):
        spikes, state = adaptive_lif_step(parameters, state, u)
        assert float(spikes) == 1.0
        assert float(state.adaptation) == pytest.approx((1 - rho**t) / (1 - rho), rel=1e-12)


@pytest.mark.parametrize("dt_ms", [0.25, 1.0, 4.0])
def test_adaptation_is_forgotten_in_ms_not_in_steps(dt_ms: float) -> None:
    parameters = BY_HAND._replace(lif=LIF._replace(dt_ms=dt_ms), adaptation_tau_ms=50.0)
    state = zeros(1, 1)._replace(adaptation=torch.ones(1, 1, dtype=torch.float64))
    _, after = adaptive_lif_sequence(parameters, state, torch.zeros(round(20 / dt_ms), 1, 1, dtype=torch.float64))
    assert float(after.adaptation) == pytest.approx(math.exp(-20 / 50), rel=1e-12)


def test_without_adaptation_it_is_a_lif_in_value_and_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    drive = torch.rand(30, 2, 5, generator=generator, dtype=torch.float64) * 3 - 0.5
    weight = torch.randn(30, 2, 5, generator=generator, dtype=torch.float64)
    mine, other = drive.clone().requires_grad_(), drive.clone().requires_grad_()
    found, _ = adaptive_lif_sequence(BY_HAND._replace(adaptation=0.0), zeros(2, 5), mine)
    wanted, _ = lif_sequence(LIF, LIFState(*zeros(2, 5)[:2]), other)
    assert 0.1 < float(wanted.detach().mean()) < 0.9
    assert torch.equal(found, wanted)
    (found * weight).sum().backward()
    (wanted * weight).sum().backward()
    assert mine.grad is not None
    torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.parametrize("surrogate", ["fast_sigmoid", "arctan", "exponential"])
def test_gradient_is_that_of_eprops_forward_traces(surrogate: str) -> None:
    # Drive u(t) = w x(t), one neuron, ℓ = Σ c(t) s(t). Bellec et al. (2020) carry ∂(v⁻, a)/∂w forward in time:
    #   ε_i(t) = κ ε_i(t-1) + x(t),   ε_v(t) = β ε_v(t-1) + (1-β) ε_i(t),   e(t) = ψ(t) (ε_v(t) - β_a ε_a(t)),
    #   ε_a(t+1) = ρ ε_a(t) + e(t),   ∂ℓ/∂w = Σ c(t) e(t).
    bump = {
        "fast_sigmoid": lambda x: (1 + 10 * abs(x)) ** -2,
        "arctan": lambda x: 1 / (1 + (math.pi * x) ** 2),
        "exponential": lambda x: math.exp(-abs(x)),
    }[surrogate]
    generator = torch.Generator().manual_seed(3)
    x = (torch.rand(60, generator=generator) < 0.4).double()
    c = torch.randn(60, generator=generator, dtype=torch.float64)
    beta_a, theta, w0 = 0.4, 1.0, 2.5
    kappa, beta, rho = math.exp(-1 / 4), math.exp(-1 / 10), math.exp(-1 / 40)

    lif = LIFParameters(tau_ms=10.0, synapse_tau_ms=4.0, threshold=theta, surrogate=surrogate, dt_ms=1.0)
    w = torch.tensor(w0, dtype=torch.float64, requires_grad=True)
    spikes, _ = adaptive_lif_sequence(AdaptiveLIFParameters(lif, beta_a, 40.0), zeros(1, 1), (w * x).view(-1, 1, 1))
    (spikes.flatten() * c).sum().backward()

    i = v = a = trace_i = trace_v = trace_a = wanted = 0.0
    count = 0
    for x_t, c_t, s_t in zip(x.tolist(), c.tolist(), spikes.flatten().tolist(), strict=True):
        i, trace_i = kappa * i + w0 * x_t, kappa * trace_i + x_t
        v, trace_v = beta * v + (1 - beta) * i, beta * trace_v + (1 - beta) * trace_i
        margin = v - (theta + beta_a * a)
        spike = float(margin >= 0)
        assert spike == s_t
        eligibility = bump(margin) * (trace_v - beta_a * trace_a)
        wanted += c_t * eligibility
        v, a, trace_a, count = v - theta * spike, rho * a + spike, rho * trace_a + eligibility, count + int(spike)
    assert 4 < count < 30
    assert w.grad is not None
    assert float(w.grad) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"adaptation": -0.1}, "adaptation"),
        ({"adaptation": math.nan}, "adaptation"),
        ({"adaptation_tau_ms": 0.0}, "adaptation_tau_ms"),
        ({"adaptation_tau_ms": math.inf}, "adaptation_tau_ms"),
        ({"lif": LIF._replace(threshold=0.0)}, "threshold"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    assert BY_HAND.validate() is BY_HAND
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        BY_HAND._replace(**change).validate()
