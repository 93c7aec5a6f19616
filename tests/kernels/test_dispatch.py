"""The choice of a backend, and that the number of threads does not show in the numbers."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import torch

from spikinggamma import SpikingGammaError, kernels
from spikinggamma.kernels import dispatch


@pytest.fixture
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def chosen(dtype: torch.dtype = torch.float32) -> bool:
    return dispatch._compiled(torch.zeros(1, dtype=dtype))


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
    message = r'`name`: got abacus; expected one of "auto", "cpu", "reference"'
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
def test_one_thread_and_two_give_the_same_numbers() -> None:
    torch.manual_seed(0)
    drive, blame, weight = torch.randn(40, 5, 300), torch.randn(40, 5, 300), torch.randn(3, 300)
    alpha, rest = torch.tensor([0.5, 0.7, 0.9]), torch.zeros(3, 5, 300)
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        x, after = kernels.signal_forward(drive, weight, weight[0], alpha, rest)
        products = kernels.bucket_products(blame, drive, alpha, rest)
        results.append((x, after, products, *kernels.signal_adjoint(blame, weight, alpha)))
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
