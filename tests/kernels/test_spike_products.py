"""Products that touch only spikes against dense ones: values, gradients, every width, and when which is taken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.kernels import spike_products
from spikinggamma.nn.spike_linear import spike_linear

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-13}


@pytest.fixture
def only_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events at any density: a dense product would hide an error of theirs."""
    monkeypatch.setattr(spike_products, "CROSSOVER", 1.0)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def some_spikes(rows: int, senders: int, density: float, dtype: torch.dtype, seed: int = 0) -> Tensor:
    """Spikes of any sign and size, as SpikingGamma neurons send them."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, senders, generator=generator, dtype=dtype)
    return values * (torch.rand(rows, senders, generator=generator) < density)


def error(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).double().norm() / wanted.double().norm().clamp(min=1e-300))


@pytest.mark.long
@pytest.mark.usefixtures("only_events", "threads")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@given(
    st.integers(0, 60),
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    st.integers(1, 3),
)
@settings(max_examples=40)
def test_events_give_what_matrices_give(
    dtype: torch.dtype, rows: int, senders: int, neurons: int, density: float, n_threads: int
) -> None:
    torch.set_num_threads(n_threads)
    spikes = some_spikes(rows, senders, density, dtype)
    weight, grad = torch.randn(neurons, senders, dtype=dtype), torch.randn(rows, neurons, dtype=dtype)
    assert (
        error(kernels.spike_linear(spikes, weight, kernels.spike_events(spikes)), spikes @ weight.T) <= TOLERANCE[dtype]
    )
    gradient = kernels.spike_outer(grad, spikes, kernels.spike_events(spikes))
    assert gradient.shape == weight.shape
    assert error(gradient, grad.T @ spikes) <= TOLERANCE[dtype]


@pytest.mark.usefixtures("only_events")
@pytest.mark.parametrize("laid_out", [lambda x: x.T.contiguous().T, lambda x: x.repeat(1, 2)[:, ::2] * 1.0])
def test_views_are_read_as_they_look(laid_out: object) -> None:
    assert callable(laid_out)
    spikes, weight = some_spikes(40, 30, 0.2, torch.float64), torch.randn(20, 30, dtype=torch.float64)
    grad = torch.randn(40, 20, dtype=torch.float64)
    views = [laid_out(one) for one in (spikes, weight, grad)]
    assert (
        error(kernels.spike_linear(views[0], views[1], kernels.spike_events(views[0])), views[0] @ views[1].T) < 1e-13
    )
    assert error(kernels.spike_outer(views[2], views[0], kernels.spike_events(views[0])), views[2].T @ views[0]) < 1e-13


@pytest.mark.usefixtures("only_events")
def test_gradients_by_finite_differences() -> None:
    spikes = some_spikes(12, 9, 0.4, torch.float64).view(4, 3, 9).requires_grad_()
    weight = torch.randn(5, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(spike_linear, (spikes, weight))


@pytest.mark.usefixtures("only_events", "threads")
def test_threads_do_not_show_in_the_numbers() -> None:
    spikes, weight = some_spikes(600, 200, 0.1, torch.float32), torch.randn(300, 200)
    grad = torch.randn(600, 300)
    results = []
    for n_threads in (1, 3):
        torch.set_num_threads(n_threads)
        events = kernels.spike_events(spikes)
        products = kernels.spike_linear(spikes, weight, events), kernels.spike_outer(grad, spikes, events)
        results.append(products)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


def test_events_where_spikes_are_few_and_none_where_they_are_many_or_not_compiled() -> None:
    few, many = some_spikes(10, 1000, 0.5 * spike_products.CROSSOVER, torch.float32), torch.ones(10, 1000)
    events = kernels.spike_events(few)
    assert events is not None
    for line, begin, end in zip(few, events.begins.tolist(), events.ends.tolist(), strict=True):
        assert torch.equal(events.columns[begin:end].long(), line.nonzero().flatten())
        assert torch.equal(events.values[begin:end], line[line != 0])
    assert kernels.spike_events(many) is None
    assert kernels.spike_events(few.half()) is None
    with kernels.use("reference"):
        assert kernels.spike_events(few) is None
    assert kernels.spike_events(few[:0]) is None
    uneven = torch.zeros(400, 1000)
    uneven[:21] = 1.0  # few rows, but more than are worth it
    assert kernels.spike_events(uneven) is None
    uneven[15:] = 0.0
    assert kernels.spike_events(uneven) is not None
