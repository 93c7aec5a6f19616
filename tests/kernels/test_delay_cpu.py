"""Compiled delays: their definition step by step, adjoints that are adjoint, and threads that do not show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.kernels import threads as sharing

# (T, B, N, D): 17 x 130 cells are more than a block.
SIZES = [(1, 1, 1, 1), (1, 17, 130, 3), (2, 3, 5, 4), (63, 17, 1, 9), (63, 3, 5, 70), (63, 17, 130, 5)]
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])


@pytest.fixture
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Case(NamedTuple):
    past: Tensor
    spikes: Tensor
    grad: Tensor
    whole: Tensor
    fraction: Tensor


def a_case(size: tuple[int, int, int, int], dtype: torch.dtype = torch.float64) -> Case:
    steps, batch, neurons, remembered = size
    generator = torch.Generator().manual_seed(sum(size))

    def normal(length: int) -> Tensor:
        return torch.randn(length, batch, neurons, generator=generator, dtype=dtype)

    whole = torch.randint(0, remembered, (neurons,), generator=generator)
    whole[0] = remembered - 1
    fraction = torch.rand(neurons, generator=generator, dtype=dtype)
    return Case(normal(remembered), normal(steps), normal(steps), whole, fraction)


@every_size
def test_each_neuron_reads_its_own_past(size: tuple[int, int, int, int]) -> None:
    case = a_case(size)
    history = torch.cat([case.past, case.spikes])
    found = kernels.delay_forward(case.past, case.spikes, case.whole, case.fraction)
    products = kernels.delay_products(case.past, case.spikes, case.grad, case.whole)
    for neuron, (n, phi) in enumerate(zip(case.whole.tolist(), case.fraction.tolist(), strict=True)):
        start = len(case.past) - n
        near, far = (history[at : at + size[0], :, neuron] for at in (start, start - 1))
        torch.testing.assert_close(found[:, :, neuron], (1 - phi) * near + phi * far, rtol=1e-12, atol=1e-12)
        wanted = (case.grad[:, :, neuron] * (far - near)).sum()
        torch.testing.assert_close(products[neuron], wanted, rtol=1e-11, atol=1e-11)


@every_size
def test_adjoints_are_adjoint(size: tuple[int, int, int, int]) -> None:
    """<blame, F(past, spikes)> = <F*(blame), (past, spikes)>, without a judge."""
    case = a_case(size)
    arrived = kernels.delay_forward(case.past, case.spikes, case.whole, case.fraction)
    past, spikes = kernels.delay_adjoint(case.grad, case.whole, case.fraction, len(case.past))
    there = (case.grad * arrived).sum()
    back = (past * case.past).sum() + (spikes * case.spikes).sum()
    scale = float(case.grad.norm() * (case.spikes.norm() + case.past.norm()))
    assert float((there - back).abs()) <= 1e-12 * scale


@pytest.mark.usefixtures("torch_threads")
def test_one_thread_and_three_give_the_same_numbers() -> None:
    case = a_case((200, 17, 130, 20), torch.float32)
    assert case.spikes.numel() >= 3 * sharing.WORTH_A_THREAD
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        arrived = kernels.delay_forward(case.past, case.spikes, case.whole, case.fraction)
        products = kernels.delay_products(case.past, case.spikes, case.grad, case.whole)
        results.append((arrived, products, *kernels.delay_adjoint(case.grad, case.whole, case.fraction, 20)))
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
