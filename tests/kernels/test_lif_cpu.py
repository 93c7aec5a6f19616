"""Compiled neurons: adjoints that are adjoint, silence that ends, and threads that do not show.

That they equal the functional neurons is proved through the wrappers, in `nn/test_scans`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    AlphaState,
    LIFParameters,
    LIFState,
    SRMAlphaParameters,
    SRMAlphaState,
    alpha_sequence,
)
from spikinggamma.kernels import threads as sharing

SIZES = [(1, 1, 1), (1, 17, 130), (2, 3, 5), (63, 1, 130), (63, 17, 1), (63, 17, 130)]
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])

LIF = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0)
ADAPTIVE = AdaptiveLIFParameters(LIF, 0.3, 25.0)
SRM = SRMAlphaParameters(5.0, 3.0, 1.5, 1.0, 0.7, 1.0, 1.0)
Forward = Callable[..., tuple[Tensor, Tensor, tuple[Tensor, ...]]]
SPIKING: dict[str, tuple[Forward, Any, Callable[..., Any], int]] = {
    "lif": (kernels.lif_forward, LIF, LIFState, 2),
    "adaptive_lif": (kernels.adaptive_lif_forward, ADAPTIVE, AdaptiveLIFState, 3),
    "srm_alpha": (kernels.srm_alpha_forward, SRM, SRMAlphaState, 4),
}


@pytest.fixture
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def some(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def inner(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> Tensor:
    return torch.stack([(a * b).sum() for a, b in zip(one, other, strict=True)]).sum()


def size_of(tensors: tuple[Tensor, ...]) -> float:
    return sum(float(tensor.norm()) for tensor in tensors)


@every_size
@pytest.mark.parametrize("synapse_tau_ms", [0.0, 5.0])
def test_the_leaky_adjoint_is_adjoint(size: tuple[int, int, int], synapse_tau_ms: float) -> None:
    """<blame, F(drive, state)> = <F*(blame), (drive, state)>, the states after and before included, without a judge."""
    parameters = LIF._replace(synapse_tau_ms=synapse_tau_ms)
    drive, state = some(*size, seed=0), LIFState(*some(2, *size[1:], seed=1))
    grad, after_blame = some(*size, seed=2), LIFState(*some(2, *size[1:], seed=3))
    membranes, after = kernels.leaky_forward(parameters, state, drive)
    drive_grad, before = kernels.leaky_adjoint(parameters, grad, after_blame)
    given, asked = (drive, *state), (grad, *after_blame)
    error = inner(asked, (membranes, *after)) - inner((drive_grad, *before), given)
    assert float(error.abs()) <= 1e-12 * size_of(given) * size_of(asked)


@every_size
def test_the_alpha_adjoint_is_adjoint(size: tuple[int, int, int]) -> None:
    drive, state = some(*size, seed=0), AlphaState(*some(2, *size[1:], seed=1))
    grad, after_blame = some(*size, seed=2), AlphaState(*some(2, *size[1:], seed=3))
    values, after = alpha_sequence(5.0, 1.0, state, drive)
    drive_grad, before = kernels.alpha_adjoint(5.0, 1.0, grad, after_blame)
    given, asked = (drive, *state), (grad, *after_blame)
    error = inner(asked, (values, *after)) - inner((drive_grad, *before), given)
    assert float(error.abs()) <= 1e-12 * size_of(given) * size_of(asked)


@pytest.mark.parametrize("name", SPIKING)
@both_precisions
def test_what_is_kept_says_when_it_spiked_and_may_be_left_out(name: str, dtype: torch.dtype) -> None:
    forward, parameters, state, parts = SPIKING[name]
    drive = 3.0 * some(63, 17, 130, seed=0, dtype=dtype)
    start = state(*torch.zeros(parts, 17, 130, dtype=dtype))
    spikes, excess, after = forward(parameters, start, drive)
    assert 0 < int(spikes.sum()) < spikes.numel()
    assert torch.equal(spikes, (excess >= 0).to(dtype))
    short, room, short_after = forward(parameters, start, drive, keep=False)
    assert len(room) == 1
    assert all(torch.equal(one, two) for one, two in zip((spikes, *after), (short, *short_after), strict=True))
    assert not any(part.any() for part in start), "the state was changed"


@both_precisions
def test_silence_settles_to_zero(dtype: torch.dtype) -> None:
    """No value is left so small that the processor slows down for it, forward and backward."""
    steps = 2500
    pulse = torch.zeros(steps, 2, 3, dtype=dtype)
    pulse[0] = 4.0
    last = pulse.flip(0)
    rest = list(torch.zeros(4, 2, 3, dtype=dtype))
    ended: list[Tensor] = []
    for forward, parameters, state, parts in SPIKING.values():
        spikes, _, after = forward(parameters, state(*rest[:parts]), pulse)
        ended += [spikes[-1], *after]
    membranes, after = kernels.leaky_forward(LIF, LIFState(*rest[:2]), pulse)
    ended += [membranes[-1], *after]
    adjoints: list[tuple[Tensor, tuple[Tensor, ...]]] = [
        kernels.leaky_adjoint(LIF, last, LIFState(*rest[:2])),
        kernels.adaptive_lif_adjoint(ADAPTIVE, last, torch.ones_like(last), AdaptiveLIFState(*rest[:3])),
        kernels.alpha_adjoint(5.0, 1.0, last, AlphaState(*rest[:2])),
    ]
    smallest = torch.finfo(dtype).tiny
    for grad, before in adjoints:
        ended += [grad[0], *before]
    for values in (membranes, *(grad for grad, _ in adjoints)):
        assert values.any()
        assert not bool(((values != 0) & (values.abs() < smallest)).any())
    assert not any(bool(values.any()) for values in ended)


@both_precisions
def test_a_value_that_is_no_number_is_passed_on(dtype: torch.dtype) -> None:
    drive = torch.ones(4, 1, 2, dtype=dtype)
    drive[1, 0, 1] = float("nan")
    rest = list(torch.zeros(4, 1, 2, dtype=dtype))
    for forward, parameters, state, parts in SPIKING.values():
        _, excess, _ = forward(parameters, state(*rest[:parts]), drive)
        assert bool(excess[2:, 0, 1].isnan().all())
        assert not bool(excess[:, 0, 0].isnan().any())
    membranes, _ = kernels.leaky_forward(LIF, LIFState(*rest[:2]), drive)
    result, _ = kernels.leaky_adjoint(LIF, drive, LIFState(*rest[:2]))
    assert bool(membranes[1:, 0, 1].isnan().all())
    assert bool(result[:2, 0, 1].isnan().all())


@pytest.mark.usefixtures("torch_threads")
def test_one_thread_and_three_give_the_same_numbers() -> None:
    size = (200, 17, 300)
    drive, grad = (some(*size, seed=seed, dtype=torch.float32) for seed in (0, 1))
    assert drive.numel() >= 3 * sharing.WORTH_A_THREAD
    states = list(some(4, *size[1:], seed=2, dtype=torch.float32))
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        found: list[Tensor] = []
        for forward, parameters, state, parts in SPIKING.values():
            spikes, excess, after = forward(parameters, state(*states[:parts]), drive)
            found += [spikes, excess, *after]
        result, before = kernels.leaky_adjoint(LIF, grad, LIFState(*states[:2]))
        adaptive, earlier = kernels.adaptive_lif_adjoint(ADAPTIVE, grad, drive, AdaptiveLIFState(*states[:3]))
        results.append([*found, result, *before, adaptive, *earlier])
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


def test_a_compiled_scan_is_for_one_type_and_by_choice() -> None:
    single, double = torch.zeros(2), torch.zeros(2, dtype=torch.float64)
    assert kernels.has_compiled(single)
    assert kernels.has_compiled(double, double)
    assert not kernels.has_compiled(single, double)
    assert not kernels.has_compiled(single.half())
    with kernels.use("reference"):
        assert not kernels.has_compiled(single)
