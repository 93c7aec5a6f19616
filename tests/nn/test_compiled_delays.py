"""The compiled delays against the functional ones: arrivals, states and every gradient, whole and in chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError, functional, kernels
from spikinggamma.functional import DelayParameters, DelayState
from spikinggamma.nn.compiled import delays as scans

# (T, B, N, D): 17 x 130 is more than a block; a past of one step, shorter and longer than the sequence.
SIZES = [
    (1, 1, 1, 1),
    (1, 17, 130, 7),
    (2, 3, 5, 2),
    (2, 1, 130, 40),
    (63, 17, 5, 1),
    (63, 3, 130, 64),
    (63, 17, 130, 7),
    (63, 1, 1, 80),
]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
both_kinds = pytest.mark.parametrize("name", ["fractional_delay_sequence", "floored_delay_sequence"])
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
DT_MS = 0.5


def a_case(size: tuple[int, int, int, int], dtype: torch.dtype) -> dict[str, Tensor]:
    """Delays of which the first two are the bounds, and a third of the others are whole."""
    steps, batch, neurons, remembered = size
    generator = torch.Generator().manual_seed(sum(size))

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    delays = torch.rand(neurons, generator=generator, dtype=torch.float64) * (remembered - 1)
    delays[::3] = delays[::3].floor()
    delays[:2] = torch.tensor([remembered - 1.0, 0.0], dtype=torch.float64)[:neurons]
    case = {
        "delay_ms": delays * DT_MS,
        "past": normal(remembered, batch, neurons),
        "spikes": normal(steps, batch, neurons),
        "blame": normal(steps, batch, neurons),
        "past_blame": normal(remembered, batch, neurons),
    }
    return {name: tensor.to(dtype) for name, tensor in case.items()}


def answers(room: Any, name: str, case: dict[str, Tensor], chunk: int = 1000) -> list[Tensor]:
    """What arrives, the state after, and the gradients in the delays, the past and the spikes."""
    leaves = [case[leaf].clone().requires_grad_() for leaf in ("delay_ms", "past", "spikes")]
    delay_ms, past, spikes = leaves
    parameters = DelayParameters(delay_ms, (len(past) - 1) * DT_MS, DT_MS).validate()
    state, arrived = DelayState(past), []
    for part in spikes.split(chunk):
        one, state = getattr(room, name)(parameters, state, part)
        arrived.append(one)
    whole = torch.cat(arrived)
    loss = (whole * case["blame"]).sum() + (state.past * case["past_blame"]).sum()
    return [whole, state.past, *torch.autograd.grad(loss, leaves)]


def assert_equal(found: list[Tensor], wanted: list[Tensor], tolerance: float) -> None:
    for one, plain in zip(found, wanted, strict=True):
        assert one.shape == plain.shape
        assert one.dtype == plain.dtype
        error = float((one - plain).detach().norm() / plain.detach().norm().clamp_min(1e-30))
        assert error <= tolerance


@both_kinds
@both_precisions
@pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
def test_compiled_equals_functional(name: str, size: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    case = a_case(size, dtype)
    assert_equal(answers(scans, name, case), answers(functional, name, case), TOLERANCE[dtype])


@both_kinds
@pytest.mark.parametrize("chunk", [1, 20, 62])
def test_chunks_are_the_whole_in_values_and_gradients(name: str, chunk: int) -> None:
    case = a_case((63, 3, 130, 30), torch.float64)
    assert_equal(answers(scans, name, case, chunk), answers(scans, name, case), 1e-12)


def test_the_fractional_gradient_is_that_of_finite_differences() -> None:
    case = a_case((9, 2, 6, 5), torch.float64)
    case["delay_ms"] = torch.tensor([0.1, 0.3, 0.7, 1.2, 1.4, 1.9], dtype=torch.float64)

    def run(delay_ms: Tensor, past: Tensor, spikes: Tensor) -> tuple[Tensor, Tensor]:
        found, after = scans.fractional_delay_sequence(DelayParameters(delay_ms, 2.0, DT_MS), DelayState(past), spikes)
        return found, after.past

    assert torch.autograd.gradcheck(run, [case[leaf].requires_grad_() for leaf in ("delay_ms", "past", "spikes")])


@both_kinds
def test_only_what_is_asked_for_is_told(name: str) -> None:
    case = a_case((9, 2, 6, 5), torch.float64)
    everything = dict(zip(("delay_ms", "past", "spikes"), answers(scans, name, case)[2:], strict=True))
    for asked, wanted in everything.items():
        given = {leaf: case[leaf].clone().requires_grad_(leaf == asked) for leaf in everything}
        parameters = DelayParameters(given["delay_ms"], 2.0, DT_MS)
        found, after = getattr(scans, name)(parameters, DelayState(given["past"]), given["spikes"])
        loss = (found * case["blame"]).sum() + (after.past * case["past_blame"]).sum()
        torch.testing.assert_close(torch.autograd.grad(loss, given[asked])[0], wanted)


@both_kinds
@pytest.mark.parametrize("learned", [False, True])
def test_without_gradients_there_is_no_graph_and_the_state_owns_its_memory(name: str, learned: bool) -> None:
    case = a_case((63, 3, 5, 7), torch.float32)
    parameters = DelayParameters(case["delay_ms"].requires_grad_(learned), 3.0, DT_MS)
    with torch.no_grad():
        found, after = getattr(scans, name)(parameters, DelayState(case["past"]), case["spikes"])
    assert not found.requires_grad
    assert not after.past.requires_grad
    assert after.past.untyped_storage().nbytes() == 7 * 3 * 5 * 4
    assert torch.equal(after.past, case["spikes"][-7:])


@both_kinds
def test_the_functional_form_is_the_fallback(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_case((9, 2, 6, 5), torch.float64)
    sequence: Callable[..., Any] = getattr(scans, name)
    parameters, state = DelayParameters(case["delay_ms"], 2.0, DT_MS), DelayState(case["past"])
    plain, _ = getattr(functional, name)(parameters, state, case["spikes"])
    with pytest.raises(SpikingGammaError, match="`state`"):
        sequence(parameters, DelayState(case["past"][1:]), case["spikes"])
    monkeypatch.setattr(functional, name, lambda *_: (plain + 1.0, state))  # to tell it from the compiled one
    torch.testing.assert_close(sequence(parameters, state, case["spikes"])[0], plain)
    with kernels.use("reference"):
        assert torch.equal(sequence(parameters, state, case["spikes"])[0], plain + 1.0)
    assert torch.equal(sequence(parameters, state, case["spikes"].float())[0], plain + 1.0)


@both_kinds
def test_a_delay_that_is_no_number_reads_nothing_and_is_passed_on(name: str) -> None:
    case = a_case((9, 2, 6, 5), torch.float64)
    case["delay_ms"][2] = float("nan")
    found, _ = getattr(scans, name)(
        DelayParameters(case["delay_ms"], 2.0, DT_MS), DelayState(case["past"]), case["spikes"]
    )
    assert bool(found[:, :, 2].isnan().all())
    assert int(found.isnan().sum()) == 9 * 2
