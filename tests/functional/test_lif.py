"""The LIF neuron: a trajectory computed by hand, closed forms of the filters, and the gradient spelt out."""

from __future__ import annotations

import math

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.functional import LIFParameters, LIFState, leaky_sequence, lif_sequence, lif_step

# e^{-dt/τ} = 1/2 for both: numbers that a hand can follow.
HALF = 1.0 / math.log(2.0)
BY_HAND = LIFParameters(tau_ms=HALF, synapse_tau_ms=HALF, threshold=1.0, surrogate="fast_sigmoid", dt_ms=1.0)


def zeros(batch: int, neurons: int) -> LIFState:
    return LIFState(*torch.zeros(2, batch, neurons, dtype=torch.float64).unbind(0))


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


def test_trajectory_pinned_by_hand() -> None:
    # u       4     0      0       0        0
    # i       4     2      1       1/2      1/4
    # v⁻      2     3/2    3/4     5/8      7/16       v⁻ = v/2 + i/2
    # s       1     1      0       0        0
    # v       1     1/2    3/4     5/8      7/16
    state = zeros(1, 1)
    seen = []
    for u in column(4, 0, 0, 0, 0).unbind(0):
        spikes, state = lif_step(BY_HAND, state, u)
        seen.append((float(spikes), float(state.current), float(state.membrane)))
    expected = [(1, 4, 1), (1, 2, 0.5), (0, 1, 0.75), (0, 0.5, 0.625), (0, 0.25, 0.4375)]
    assert seen == [pytest.approx(row) for row in expected]


def test_membrane_of_one_event_is_a_difference_of_exponentials() -> None:
    parameters = BY_HAND._replace(tau_ms=20.0, synapse_tau_ms=5.0, dt_ms=0.5)
    synapse, beta = parameters.decays()
    drive = torch.zeros(100, 1, 1, dtype=torch.float64)
    drive[0] = 1.0
    membrane, last = leaky_sequence(parameters, zeros(1, 1), drive)
    t = torch.arange(1, 101, dtype=torch.float64)
    expected = (1 - beta) * (beta**t - synapse**t) / (beta - synapse)
    torch.testing.assert_close(membrane.flatten(), expected)
    assert torch.equal(last.membrane, membrane[-1])


def test_without_a_synaptic_current_input_acts_in_its_own_step() -> None:
    parameters = BY_HAND._replace(synapse_tau_ms=0.0)
    membrane, _ = leaky_sequence(parameters, zeros(1, 1), column(1, 0, 0))
    torch.testing.assert_close(membrane, column(0.5, 0.25, 0.125))


def test_sequence_is_chunks_is_steps() -> None:
    generator = torch.Generator().manual_seed(0)
    drive = torch.rand(23, 3, 4, generator=generator, dtype=torch.float64) * 2 - 0.5
    whole, end = lif_sequence(BY_HAND, zeros(3, 4), drive)
    assert 0.1 < float(whole.mean()) < 0.9
    for chunk in (1, 7):
        state, parts = zeros(3, 4), []
        for part in drive.split(chunk):
            spikes, state = lif_sequence(BY_HAND, state, part)
            parts.append(spikes)
        assert torch.equal(torch.cat(parts), whole)
        assert all(torch.equal(a, b) for a, b in zip(state, end, strict=True))


@pytest.mark.parametrize(("surrogate", "bump"), [("fast_sigmoid", lambda x: (1 + 10 * abs(x)) ** -2), ("arctan", None)])
def test_gradient_over_two_steps_is_the_chain_rule_written_out(surrogate: str, bump: object) -> None:
    slope = bump if callable(bump) else lambda x: 1 / (1 + (math.pi * x) ** 2)
    drive = column(3.0, 0.4).requires_grad_()
    spikes, _ = lif_sequence(BY_HAND._replace(surrogate=surrogate), zeros(1, 1), drive)
    weight = column(0.7, -1.3)
    (spikes * weight).sum().backward()
    # v⁻(0) = u0/2 = 1.5, so s(0) = 1 and v(0) = 0.5. i(1) = u0/2 + u1, v⁻(1) = v(0)/2 + i(1)/2 = 1.2.
    # The reset passes no blame on: ∂v⁻(1)/∂u0 = 1/4 + 1/4, ∂v⁻(1)/∂u1 = 1/2, ∂v⁻(0)/∂u0 = 1/2.
    first, second = 0.7 * slope(0.5), -1.3 * slope(0.2)
    assert drive.grad is not None
    torch.testing.assert_close(drive.grad, column(0.5 * first + 0.5 * second, 0.5 * second))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tau_ms": 0.0}, "tau_ms"),
        ({"synapse_tau_ms": -1.0}, "synapse_tau_ms"),
        ({"threshold": math.nan}, "threshold"),
        ({"dt_ms": math.inf}, "dt_ms"),
        ({"surrogate": "boxcar"}, "surrogate"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        BY_HAND._replace(**change).validate()
