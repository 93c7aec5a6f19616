"""Axons delay each sender by its own time, hand on what is under way, and keep their delays in bounds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import DelayState
from spikinggamma.nn import DELAY_KINDS, AxonalDelays

MAX_MS = 9.0


def axons(kind: str) -> AxonalDelays:
    generator = torch.Generator().manual_seed(0)
    return AxonalDelays(4, kind=kind, max_delay_ms=MAX_MS, initial_delay_ms=MAX_MS, generator=generator).double()


def spikes(steps: int = 20) -> Tensor:
    return (torch.rand(steps, 2, 4, generator=torch.Generator().manual_seed(1)) < 0.3).double()


@pytest.mark.parametrize("dt_ms", [0.5, 2.0, 20.0])
@pytest.mark.parametrize("kind", ["fractional", "floored"])
def test_each_sender_arrives_by_its_own_time(kind: str, dt_ms: float) -> None:
    made, said = axons(kind), spikes(40)
    assert made.delay_ms is not None
    arrived = made(said, None, dt_ms)[0].detach()
    for index, delay in enumerate((made.delay_ms.detach() / dt_ms).tolist()):
        whole, part = int(delay), delay - int(delay) if kind == "fractional" else 0.0
        for t in range(40):
            near, far = (said[t - n, :, index] if t >= n else torch.zeros(2).double() for n in (whole, whole + 1))
            torch.testing.assert_close(arrived[t, :, index], (1.0 - part) * near + part * far)


@settings(max_examples=10, derandomize=True)
@given(places=st.sets(st.integers(1, 19)), dt_ms=st.sampled_from([1.0, 2.0, 3.3]))
@pytest.mark.parametrize("kind", DELAY_KINDS)
def test_chunks_equal_the_whole(kind: str, places: set[int], dt_ms: float) -> None:
    made, outcomes = axons(kind), []
    grad = torch.randn(20, 2, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for cuts in ([], sorted(places)):
        said, parts = spikes().requires_grad_(), []
        state: DelayState | None = None
        for part in said.tensor_split(cuts):
            arrived, state = made(part, state, dt_ms)
            parts.append(arrived)
        leaves = [said, *made.parameters()]
        gradients = torch.autograd.grad((torch.cat(parts) * grad).sum(), leaves)
        outcomes.append([torch.cat(parts).detach(), *gradients])
    for one, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["fractional", "floored"])
def test_delays_begin_evenly_from_zero_to_what_was_asked_for(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = AxonalDelays(4000, kind=kind, max_delay_ms=MAX_MS, initial_delay_ms=6.0, generator=generator).delay_ms
    assert drawn is not None
    delays = drawn.detach().double().sort().values / 6.0
    # Kolmogorov and Smirnov's distance to the even distribution, at one in a million: 2.69 / sqrt(n).
    assert float((delays - (torch.arange(4000).double() + 0.5) / 4000).abs().max()) < 2.69 / 4000**0.5


@pytest.mark.parametrize("kind", ["fractional", "floored"])
def test_a_step_too_far_is_put_back_into_bounds(kind: str) -> None:
    made = axons(kind)
    assert made.delay_ms is not None
    optimiser = torch.optim.SGD(made.parameters(), lr=1.0)
    made.delay_ms.grad = torch.tensor([50.0, -50.0, 0.5, 0.0], dtype=torch.float64)
    before = made.delay_ms.detach().clone()
    optimiser.step()
    with pytest.raises(SpikingGammaError, match=r"`delay_ms`.*clamp_delays_"):
        made(spikes(), None, 2.0)
    made.constrain_()
    expected = torch.stack([before[0] * 0.0, before[1] * 0.0 + MAX_MS, (before[2] - 0.5).clamp_min(0.0), before[3]])
    assert torch.equal(made.delay_ms.detach(), expected)
    made(spikes(), None, 2.0)


def test_bad_input_is_named() -> None:
    with pytest.raises(SpikingGammaError, match=r"^`kind`.*fractional, floored"):
        AxonalDelays(3, kind="synaptic", max_delay_ms=1.0, initial_delay_ms=1.0)
    for wrong in (-1.0, float("inf"), float("nan")):
        with pytest.raises(SpikingGammaError, match=r"^`max_delay_ms`"):
            AxonalDelays(3, max_delay_ms=wrong, initial_delay_ms=0.0)
    for wrong in (-1.0, 2.0, float("nan")):
        with pytest.raises(SpikingGammaError, match=r"^`initial_delay_ms`"):
            AxonalDelays(3, max_delay_ms=1.0, initial_delay_ms=wrong)
    made = axons("fractional")
    with pytest.raises(SpikingGammaError, match=r"^`dt_ms`"):
        made(spikes(), None, 0.0)
    _, state = made(spikes(), None, 2.0)
    with pytest.raises(SpikingGammaError, match=r"^`state`"):
        made(spikes(), state, 1.0)
