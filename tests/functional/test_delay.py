"""Delays: where an impulse arrives, what a ramp loses, and the gradients, exact and stated."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    DelayParameters,
    DelayState,
    clamp_delays_,
    floored_delay_sequence,
    floored_delay_step,
    fractional_delay_sequence,
    fractional_delay_step,
)

Sequence = Callable[[DelayParameters, DelayState, Tensor], tuple[Tensor, DelayState]]
BOTH = pytest.mark.parametrize(
    "delay", [fractional_delay_sequence, floored_delay_sequence], ids=["fractional", "floored"]
)
DELAYS_MS = [0.0, 0.25, 1.0, 2.75, 3.0]  # at 0.5 ms a step and a bound of 3 ms: 0, ½, 2, 5½ and 6 steps


def axons(delays_ms: list[float] = DELAYS_MS, max_delay_ms: float = 3.0, dt_ms: float = 0.5) -> DelayParameters:
    return DelayParameters(torch.tensor(delays_ms, dtype=torch.float64), max_delay_ms, dt_ms).validate()


def nothing_said(parameters: DelayParameters, batch: int = 1) -> DelayState:
    shape = (parameters.remembered_steps(), batch, len(parameters.delay_ms))
    return DelayState(torch.zeros(shape, dtype=parameters.delay_ms.dtype))


def some(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_an_impulse_is_shared_by_the_two_steps_around_its_arrival() -> None:
    spikes = torch.zeros(10, 1, 5, dtype=torch.float64)
    spikes[1] = 2.0
    found, _ = fractional_delay_sequence(axons(), nothing_said(axons()), spikes)
    wanted = torch.zeros(10, 5, dtype=torch.float64)
    for neuron, (step, share) in enumerate([(0, 1.0), (0, 0.5), (2, 1.0), (5, 0.5), (6, 1.0)]):
        wanted[1 + step, neuron] += 2.0 * share
        wanted[2 + step, neuron] += 2.0 * (1.0 - share)
    torch.testing.assert_close(found.squeeze(1), wanted, rtol=0.0, atol=1e-12)


def test_a_floored_impulse_arrives_whole() -> None:
    spikes = torch.zeros(10, 1, 5, dtype=torch.float64)
    spikes[1] = 2.0
    found, _ = floored_delay_sequence(axons(), nothing_said(axons()), spikes)
    wanted = torch.zeros(10, 5, dtype=torch.float64)
    for neuron, step in enumerate([0, 0, 2, 5, 6]):
        wanted[1 + step, neuron] = 2.0
    assert torch.equal(found.squeeze(1), wanted)


@pytest.mark.parametrize("dt_ms", [0.25, 1.0, 2.0])
def test_a_ramp_loses_exactly_its_delay_at_any_step(dt_ms: float) -> None:
    # Interpolation is exact on straight lines: of s(t) = t, y(t) = t - delay, and ∂y/∂delay = -1.
    parameters = axons([0.0, 0.3, 1.7, 2.9, 4.0], 4.0, dt_ms)
    delay_ms = parameters.delay_ms.clone().requires_grad_()
    remembered, steps = parameters.remembered_steps(), 6
    time_ms = torch.arange(-remembered, steps, dtype=torch.float64) * dt_ms
    ramp = time_ms.view(-1, 1, 1).expand(-1, 1, 5)
    state = DelayState(ramp[:remembered])
    found, _ = fractional_delay_sequence(parameters._replace(delay_ms=delay_ms), state, ramp[remembered:])
    wanted = ramp[remembered:] - parameters.delay_ms
    torch.testing.assert_close(found.detach(), wanted, rtol=0.0, atol=1e-12)
    found.sum().backward()
    torch.testing.assert_close(delay_ms.grad, torch.full((5,), -6.0, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_whole_steps_are_whole_in_decimal_ms_too(dtype: torch.dtype) -> None:
    # Neither 0.1 nor 0.3 is a number of any computer, and 0.3 / 0.1 < 3 in doubles.
    delays = torch.tensor([0.1 * n for n in range(64)], dtype=dtype)
    parameters = DelayParameters(delays, 6.3, 0.1).validate()
    spikes = torch.zeros(64, 1, 64, dtype=dtype)
    spikes[0] = 1.0
    assert parameters.remembered_steps() == 64
    floored, _ = floored_delay_sequence(parameters, nothing_said(parameters), spikes)
    assert torch.equal(floored.squeeze(1), torch.eye(64, dtype=dtype))
    shared, _ = fractional_delay_sequence(parameters, nothing_said(parameters), spikes)
    torch.testing.assert_close(shared.squeeze(1), torch.eye(64, dtype=dtype), rtol=0.0, atol=1e-4)


def test_fractional_gradients_are_exact_between_whole_steps() -> None:
    parameters = axons([0.1, 0.7, 1.3, 2.8])

    def run(delay_ms: Tensor, past: Tensor, spikes: Tensor) -> tuple[Tensor, Tensor]:
        found, after = fractional_delay_sequence(parameters._replace(delay_ms=delay_ms), DelayState(past), spikes)
        return found, after.past

    leaves = [parameters.delay_ms, some(7, 2, 4, seed=0), some(9, 2, 4, seed=1)]
    assert torch.autograd.gradcheck(run, [leaf.clone().requires_grad_() for leaf in leaves])


def test_floored_input_gradient_is_exact() -> None:
    def run(past: Tensor, spikes: Tensor) -> tuple[Tensor, Tensor]:
        found, after = floored_delay_sequence(axons(), DelayState(past), spikes)
        return found, after.past

    leaves = [some(7, 2, 5, seed=0), some(9, 2, 5, seed=1)]
    assert torch.autograd.gradcheck(run, [leaf.requires_grad_() for leaf in leaves])


def test_floored_delay_is_told_the_finite_difference_of_its_output() -> None:
    parameters, past, spikes, grad = axons(), some(7, 2, 5, seed=0), some(9, 2, 5, seed=1), some(9, 2, 5, seed=2)
    delay_ms = parameters.delay_ms.clone().requires_grad_()
    found, _ = floored_delay_sequence(parameters._replace(delay_ms=delay_ms), DelayState(past), spikes)
    (found * grad).sum().backward()

    wanted = []
    for neuron, steps in enumerate([0, 0, 2, 5, 6]):
        total = 0.0
        for sample in range(2):
            said = [*past[:, sample, neuron].tolist(), *spikes[:, sample, neuron].tolist()]
            arrived = [said[7 + t - steps] for t in range(-1, 9)]  # y(-1), y(0), ... y(8)
            total += sum(
                float(grad[t, sample, neuron]) * -(arrived[t + 1] - arrived[t]) / parameters.dt_ms for t in range(9)
            )
        wanted.append(total)
    assert delay_ms.grad is not None
    assert delay_ms.grad.tolist() == pytest.approx(wanted, rel=1e-12)


def test_the_finite_difference_is_the_slope_of_interpolation_at_the_same_step() -> None:
    spikes, grad = some(9, 2, 5, seed=1), some(9, 2, 5, seed=2)
    told = []
    for delay in (floored_delay_sequence, fractional_delay_sequence):
        delay_ms = axons().delay_ms.clone().requires_grad_()
        found, _ = delay(axons()._replace(delay_ms=delay_ms), nothing_said(axons(), batch=2), spikes)
        (found * grad).sum().backward()
        told.append(delay_ms.grad)
    torch.testing.assert_close(told[0], told[1])


@BOTH
def test_chunks_and_steps_are_the_sequence_in_value_and_gradient(delay: Sequence) -> None:
    step = fractional_delay_step if delay is fractional_delay_sequence else floored_delay_step
    said, grad, results = some(20, 2, 5, seed=3), some(20, 2, 5, seed=4), []
    for chunk in (20, 7, 1):  # 7 steps are as long as the past, 20 longer, 1 shorter
        delay_ms, spikes = axons().delay_ms.clone().requires_grad_(), said.clone().requires_grad_()
        parameters = axons()._replace(delay_ms=delay_ms)
        state, parts = nothing_said(parameters, batch=2), []
        for part in spikes.split(chunk):
            if chunk == 1:
                arrived, state = step(parameters, state, part.squeeze(0))
                parts.append(arrived.unsqueeze(0))
            else:
                arrived, state = delay(parameters, state, part)
                parts.append(arrived)
        found = torch.cat(parts)
        (found * grad).sum().backward()
        results.append((found.detach(), state.past.detach(), delay_ms.grad, spikes.grad))
    for other in results[1:]:
        assert torch.equal(other[0], results[0][0])
        assert torch.equal(other[1], results[0][1])
        torch.testing.assert_close(other[2:], results[0][2:])


@BOTH
@pytest.mark.parametrize("steps", [1, 6, 500])
def test_the_state_holds_the_last_steps_and_no_more_memory(delay: Sequence, steps: int) -> None:
    spikes = some(steps, 2, 5, seed=3)
    _, after = delay(axons(), nothing_said(axons(), batch=2), spikes)
    assert after.past.shape == (7, 2, 5)
    assert after.past.untyped_storage().nbytes() == 7 * 2 * 5 * 8
    known = min(steps, 7)
    assert torch.equal(after.past[7 - known :], spikes[-known:])
    assert not after.past[: 7 - known].any()


@BOTH
def test_a_delay_is_found_by_its_gradient(delay: Sequence) -> None:
    # A bump, delayed by 3½ ms at 1 ms a step; the floored neuron can only learn that its delay is 3 and something.
    bump = torch.exp(-((torch.arange(30, dtype=torch.float64) - 10) ** 2) / 18).view(-1, 1, 1)
    wanted, _ = delay(axons([3.5], 8.0, 1.0), nothing_said(axons([3.5], 8.0, 1.0)), bump)
    delay_ms = torch.tensor([7.2], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([delay_ms], lr=0.1)
    for _ in range(150):
        parameters = DelayParameters(delay_ms, 8.0, 1.0)
        found, _ = delay(parameters, nothing_said(axons([0.0], 8.0, 1.0)), bump)
        optimiser.zero_grad()
        (found - wanted).square().sum().backward()
        optimiser.step()
        clamp_delays_(delay_ms, 8.0)
    if delay is fractional_delay_sequence:
        assert float(delay_ms.detach()) == pytest.approx(3.5, abs=1e-2)
    else:
        assert math.floor(float(delay_ms.detach())) == 3


def test_clamping_is_in_place_and_makes_delays_valid() -> None:
    delay_ms = torch.nn.Parameter(torch.tensor([-0.4, 0.0, 0.3, 6.1, 6.3, 99.0]))
    parameters = DelayParameters(delay_ms, 6.3, 0.1)
    with pytest.raises(SpikingGammaError, match=r"`delay_ms`: got -0.4 ms for neuron 0; expected .* 0 to 6.3 ms"):
        parameters.validate()
    assert clamp_delays_(delay_ms, 6.3) is delay_ms
    torch.testing.assert_close(delay_ms.detach(), torch.tensor([0.0, 0.0, 0.3, 6.1, 6.3, 6.3]))
    assert parameters.validate() is parameters
    assert delay_ms.requires_grad


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"dt_ms": 0.0}, "dt_ms"),
        ({"dt_ms": math.nan}, "dt_ms"),
        ({"max_delay_ms": -1.0}, "max_delay_ms"),
        ({"max_delay_ms": math.inf}, "max_delay_ms"),
        ({"max_delay_ms": 2.9}, "delay_ms"),
        ({"delay_ms": torch.tensor([0.0, math.nan])}, "delay_ms"),
        ({"delay_ms": torch.zeros(2, 2)}, "delay_ms"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        axons()._replace(**change).validate()


@BOTH
def test_a_state_of_another_step_or_batch_is_refused(delay: Sequence) -> None:
    spikes = torch.zeros(4, 2, 5, dtype=torch.float64)
    with pytest.raises(SpikingGammaError, match=r"`state`: got a past of shape \[7, 2, 5\]; expected \[4, 2, 5\]"):
        delay(axons(dt_ms=1.0), nothing_said(axons(), batch=2), spikes)
    with pytest.raises(SpikingGammaError, match=r"`state`: got a past of shape \[7, 3, 5\]; expected \[7, 2, 5\]"):
        delay(axons(), nothing_said(axons(), batch=3), spikes)


@BOTH
def test_without_room_for_delay_everything_arrives_at_once(delay: Sequence) -> None:
    spikes = some(6, 2, 3, seed=0)
    found, _ = delay(axons([0.0] * 3, 0.0), nothing_said(axons([0.0] * 3, 0.0), batch=2), spikes)
    assert torch.equal(found, spikes)
