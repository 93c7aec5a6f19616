"""The scans for a GPU against the plain ones: on a GPU where there is one, else in Triton's interpreter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState

pytest.importorskip("triton", reason="Triton is not installed")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# (T, B, N, K); the interpreter is slow.
SIZES = [(1, 1, 1, 1), (2, 3, 5, 2), (9, 2, 130, 4), (5, 17, 1, 16), (12, 1, 33, 8), (40, 3, 5, 12)]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])


class Case:
    """Random numbers of a size, on the device."""

    def __init__(self, size: tuple[int, int, int, int], dtype: torch.dtype) -> None:
        self.steps, self.batch, self.neurons, self.order = size
        self.generator = torch.Generator().manual_seed(sum(size))
        self.dtype = dtype
        shape = (self.steps, self.batch, self.neurons)
        self.drive, self.grad, self.signal = (self.normal(*shape) for _ in range(3))
        self.grads = self.normal(self.steps, self.batch, self.order, self.neurons)
        self.weight, self.bias = self.normal(self.order, self.neurons), self.normal(self.neurons)
        self.buckets = self.normal(self.order, self.batch, self.neurons)
        alpha = torch.rand(self.order, generator=self.generator, dtype=dtype)
        alpha[self.order // 2] = 0.0  # a bucket as short as the step
        self.alpha = alpha.to(DEVICE)

    def oldest(self) -> Tensor:
        """The drive of the first third of the steps."""
        return self.drive[: (self.steps + 2) // 3]

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=self.dtype).to(DEVICE)


SCANS: dict[str, Callable[[Case], tuple[Tensor, ...]]] = {
    "signal_forward": lambda c: kernels.signal_forward(c.drive, c.weight, c.bias, c.alpha, c.buckets),
    "signal_adjoint": lambda c: kernels.signal_adjoint(c.grad, c.weight, c.alpha),
    "neuron_adjoint": lambda c: kernels.neuron_adjoint(c.grad, c.signal, c.drive, c.weight, c.alpha, c.buckets),
    "neuron_adjoint, of a window": lambda c: kernels.neuron_adjoint(
        c.grad, c.signal, c.oldest(), c.weight, c.alpha, c.buckets
    ),
    "signal_gradients": lambda c: kernels.signal_gradients(c.grad, c.drive, c.weight, c.alpha, c.buckets),
    "signal_gradients, from rest": lambda c: kernels.signal_gradients(
        c.grad, c.drive, c.weight, c.alpha, 0.0 * c.buckets
    ),
    "signal_gradients, of a window": lambda c: kernels.signal_gradients(
        c.grad, c.oldest(), c.weight, c.alpha, c.buckets
    ),
    "bucket_products": lambda c: (kernels.bucket_products(c.grad, c.drive, c.alpha, c.buckets),),
    "filter_forward": lambda c: kernels.filter_forward(c.drive, c.alpha, c.buckets),
    "filter_adjoint": lambda c: kernels.filter_adjoint(c.grads, c.alpha),
}


@pytest.mark.long
@pytest.mark.parametrize("scan", SCANS)
@every_size
@both_precisions
def test_triton_equals_plain(scan: str, size: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    case = Case(size, dtype)
    with kernels.use("triton"):
        found = SCANS[scan](case)
    with kernels.use("reference"):
        wanted = SCANS[scan](case)
    for one, two in zip(found, wanted, strict=True):
        assert one.dtype == dtype
        assert float((one - two).norm() / two.norm().clamp(min=1e-30)) <= TOLERANCE[dtype]


@pytest.mark.long
@every_size
@pytest.mark.parametrize("adaptation", [0.0, 0.1])
@pytest.mark.parametrize("max_spikes", [None, 2])
def test_the_code_decides_as_the_plain_one(
    size: tuple[int, int, int, int], adaptation: float, max_spikes: int | None
) -> None:
    case = Case(size, torch.float64)
    code = SigmaDelta(adaptation=adaptation, max_spikes=max_spikes)
    state = SigmaDeltaState(case.normal(*case.signal.shape[1:]).abs(), case.normal(*case.signal.shape[1:]).abs())
    results = []
    for name in ("triton", "reference"):
        with kernels.use(name):
            sent, counts, after = kernels.code_forward(3.0 * case.signal, 0.6, code, 1.0, state)
        results.append((sent, counts, *after))
    for one, two in zip(*results, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)
    with kernels.use("triton"):
        sent, counts, _ = kernels.code_forward(3.0 * case.signal, 0.6, code, 1.0, state, counting=False)
    assert counts.numel() == 0
    assert torch.equal(sent, results[0][0])


@pytest.mark.long
@every_size
def test_a_neuron_is_its_signal_and_then_its_code(size: tuple[int, int, int, int]) -> None:
    case = Case(size, torch.float64)
    code, rest = SigmaDelta(), case.normal(2, *case.signal.shape[1:]).abs()
    with kernels.use("triton"):
        inputs = (case.weight, case.bias, case.alpha)
        found = kernels.neuron_forward(case.drive, *inputs, SpikingGammaState(case.buckets, *rest), code, 1.0)
        signal, buckets = kernels.signal_forward(case.drive, *inputs, case.buckets)
        sent, counts, after = kernels.code_forward(signal, float(case.alpha[0]), code, 1.0, SigmaDeltaState(*rest))
    for one, two in zip((*found[:3], *found[3]), (signal, sent, counts, buckets, *after), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.long
def test_what_comes_in_is_left_as_it_was() -> None:
    case = Case((4, 2, 5, 3), torch.float64)
    before = [part.clone() for part in (case.drive, case.buckets, case.alpha, case.grad)]
    with kernels.use("triton"):
        for scan in SCANS.values():
            scan(case)
    assert all(map(torch.equal, before, (case.drive, case.buckets, case.alpha, case.grad)))
