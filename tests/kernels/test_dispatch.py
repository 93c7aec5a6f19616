"""The choice of a backend, and that the number of threads does not show in the numbers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from spikinggamma import SpikingGammaError, kernels
from spikinggamma.kernels import dispatch
from spikinggamma.kernels import threads as sharing


@pytest.fixture
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def chosen(dtype: torch.dtype = torch.float32) -> bool:
    return dispatch.is_compiled(torch.zeros(1, dtype=dtype))


def test_a_backend_is_forced_inside_a_block_only() -> None:
    assert chosen()
    with kernels.use("reference"):
        assert not chosen()
        with kernels.use("cpu"):
            assert chosen()
        assert not chosen()
    with pytest.raises(ZeroDivisionError), kernels.use("reference"):
        _ = 1 / 0
    assert chosen()


def test_an_unknown_backend_is_an_error_that_lists_the_known() -> None:
    message = r'`name`: got abacus; expected one of "auto", "cpu", "triton", "reference"'
    with pytest.raises(SpikingGammaError, match=message), kernels.use("abacus"):
        pass


def test_element_types_without_a_compiled_form_go_the_plain_way() -> None:
    assert not chosen(torch.float16)
    drive = torch.rand(5, 2, 3).to(torch.bfloat16)
    x, _ = kernels.signal_forward(drive, drive[0, :, :], drive[0, 0], drive[0, 0, :2], torch.zeros(2, 2, 3).to(drive))
    assert x.dtype == torch.bfloat16


def test_the_choice_is_logged_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_announced", set())
    with caplog.at_level(logging.INFO, logger="spikinggamma"):
        for _ in range(3):
            assert chosen()
    assert [record.getMessage() for record in caplog.records] == ["scans over time: compiled for the processor"]


@pytest.mark.usefixtures("torch_threads")
def test_one_thread_and_three_give_the_same_numbers() -> None:
    torch.manual_seed(0)
    drive, grad, weight = torch.randn(400, 5, 300), torch.randn(400, 5, 300), torch.randn(3, 300)
    alpha, rest = torch.tensor([0.5, 0.7, 0.9]), torch.zeros(3, 5, 300)
    assert drive.numel() * len(alpha) >= 3 * sharing.WORTH_A_THREAD
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        x, after = kernels.signal_forward(drive, weight, weight[0], alpha, rest)
        products = kernels.bucket_products(grad, drive, alpha, rest)
        traces, _ = kernels.filter_forward(drive, alpha, rest)
        results.append((x, after, products, traces, *kernels.signal_adjoint(grad, weight, alpha)))
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("own", [400, 150], ids=["whole", "window"])
@pytest.mark.parametrize("at_rest", [True, False], ids=["from rest", "going on"])
def test_the_backward_pass_of_a_layer_does_not_depend_on_threads(own: int, at_rest: bool, dtype: torch.dtype) -> None:
    """Each thread sums its own part of the batch, so sums over samples are taken in another order."""
    torch.manual_seed(0)
    drive, grad, signal = torch.randn(3, 400, 5, 300, dtype=dtype)
    weight, buckets = torch.randn(3, 300, dtype=dtype), torch.randn(3, 5, 300, dtype=dtype)
    alpha = torch.tensor([0.5, 0.7, 0.9], dtype=dtype)
    inputs = (drive[:own], weight, alpha, 0.0 * buckets if at_rest else buckets)
    results = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        results.append((*kernels.neuron_adjoint(grad, signal, *inputs), *kernels.signal_gradients(grad, *inputs)))
    tolerance = 1e-5 if dtype == torch.float32 else 1e-13
    for place, (one, two) in enumerate(zip(*results, strict=True)):
        if place % 3 == 0:
            assert torch.equal(one, two), "the gradient on the drive is summed in one order"
        else:
            assert float((one - two).norm() / one.norm()) < tolerance


@pytest.mark.usefixtures("torch_threads")
def test_shares_cover_the_work_once_and_short_work_stays_on_one_thread() -> None:
    torch.set_num_threads(4)
    calls: list[tuple[int, int, str]] = []
    sharing.run_shared(lambda share, shares, name: calls.append((share, shares, name)), 4 * sharing.WORTH_A_THREAD, "a")
    assert sorted(calls) == [(share, 4, "a") for share in range(4)]
    calls.clear()
    sharing.run_shared(lambda share, shares, name: calls.append((share, shares, name)), 50, "b")
    assert calls == [(0, 1, "b")]


@pytest.mark.usefixtures("torch_threads")
@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_any_share_reaches_the_caller(failing: int) -> None:
    torch.set_num_threads(2)

    def kernel(share: int, shares: int) -> None:
        if share == failing:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sharing.run_shared(kernel, 2 * sharing.WORTH_A_THREAD)


@pytest.mark.usefixtures("torch_threads")
def test_many_threads_at_once_may_call_a_kernel() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    drives = torch.randn(6, 200, 2, 200)
    weight, alpha, rest = torch.randn(4, 200), torch.full((4,), 0.9), torch.zeros(4, 2, 200)

    def scan(drive: torch.Tensor) -> torch.Tensor:
        torch.set_num_threads(2)
        return kernels.signal_forward(drive, weight, weight[0], alpha, rest)[0]

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(scan, drives))
    assert all(torch.equal(one, scan(drive)) for one, drive in zip(together, drives, strict=True))
