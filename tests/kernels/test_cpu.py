"""The compiled scans against the plain ones: every kernel, both precisions, sizes that are no multiple of a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from spikinggamma import kernels
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState

# (T, B, N, K): each value of T 1 2 63 257, B 1 3 17, N 1 5 128 130 300 and K 1 2 4 5 16 meets several of the others'.
SIZES = [
    (1, 1, 1, 1),
    (1, 17, 130, 5),
    (2, 3, 5, 2),
    (2, 1, 130, 16),
    (63, 17, 5, 5),
    (63, 3, 128, 1),
    (63, 1, 1, 16),
    (257, 3, 5, 16),
    (257, 1, 130, 2),
    (257, 17, 1, 5),
    (63, 3, 300, 4),
    (2, 1, 513, 8),
]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])


class Case(NamedTuple):
    drive: Tensor
    grad: Tensor
    grads: Tensor
    weight: Tensor
    bias: Tensor
    alpha: Tensor
    buckets: Tensor

    def some_at_rest(self) -> Tensor:
        """Buckets of which a sample in two holds nothing."""
        return torch.where(torch.arange(self.buckets.shape[1]).view(1, -1, 1) % 2 == 0, 0.0, self.buckets)

    def oldest(self) -> Tensor:
        """The drive of the first third of the steps."""
        return self.drive[: (len(self.drive) + 2) // 3]


def a_case(size: tuple[int, int, int, int], dtype: torch.dtype) -> Case:
    steps, batch, neurons, order = size
    generator = torch.Generator().manual_seed(sum(size))

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=dtype)

    alpha = torch.rand(order, generator=generator, dtype=dtype)
    alpha[order // 2] = 0.0  # a bucket as short as the step
    shape = (steps, batch, neurons)
    return Case(
        normal(*shape),
        normal(*shape),
        normal(steps, batch, order, neurons),
        normal(order, neurons),
        normal(neurons),
        alpha,
        normal(order, batch, neurons),
    )


SCANS: dict[str, Callable[[Case], Tensor | tuple[Tensor, ...]]] = {
    "signal_forward": lambda c: kernels.signal_forward(c.drive, c.weight, c.bias, c.alpha, c.buckets),
    "signal_adjoint": lambda c: kernels.signal_adjoint(c.grad, c.weight, c.alpha),
    "neuron_adjoint": lambda c: kernels.neuron_adjoint(c.grad, c.drive.flip(0), c.drive, c.weight, c.alpha, c.buckets),
    "neuron_adjoint, from rest": lambda c: kernels.neuron_adjoint(
        c.grad, c.drive.flip(0), c.drive, c.weight, c.alpha, c.some_at_rest()
    ),
    "neuron_adjoint, of a window": lambda c: kernels.neuron_adjoint(
        c.grad, c.drive.flip(0), c.oldest(), c.weight, c.alpha, c.buckets
    ),
    "signal_gradients": lambda c: kernels.signal_gradients(c.grad, c.drive, c.weight, c.alpha, c.buckets),
    "signal_gradients, from rest": lambda c: kernels.signal_gradients(
        c.grad, c.drive, c.weight, c.alpha, 0.0 * c.buckets
    ),
    "signal_gradients, of a window": lambda c: kernels.signal_gradients(
        c.grad, c.oldest(), c.weight, c.alpha, c.some_at_rest()
    ),
    "bucket_products": lambda c: kernels.bucket_products(c.grad, c.drive, c.alpha, c.buckets),
    "filter_forward": lambda c: kernels.filter_forward(c.drive, c.alpha, c.buckets),
    "filter_adjoint": lambda c: kernels.filter_adjoint(c.grads, c.alpha),
}


def both_ways(scan: Callable[[Case], Tensor | tuple[Tensor, ...]], case: Case) -> list[tuple[Tensor, Tensor]]:
    results = []
    for name in ("cpu", "reference"):
        with kernels.use(name):
            result = scan(case)
        results.append(result if isinstance(result, tuple) else (result,))
    return list(zip(*results, strict=True))


@every_size
@both_precisions
@pytest.mark.parametrize("scan", SCANS)
def test_compiled_equals_plain(scan: str, size: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    case = a_case(size, dtype)
    given = [part.clone() for part in case]
    for compiled, plain in both_ways(SCANS[scan], case):
        assert compiled.shape == plain.shape
        assert compiled.dtype == plain.dtype
        error = float((compiled - plain).norm() / plain.norm().clamp_min(1e-30))
        assert error <= TOLERANCE[dtype]
    assert all(torch.equal(part, before) for part, before in zip(case, given, strict=True)), "an argument was changed"


@every_size
@pytest.mark.parametrize("scan", ["signal", "filter"])
def test_adjoints_are_adjoint(scan: str, size: tuple[int, int, int, int]) -> None:
    """<blame, F(drive, buckets)> = <F*(blame), (drive, buckets)>, without a judge."""
    case = a_case(size, torch.float64)
    with kernels.use("cpu"):
        if scan == "signal":
            forward, _ = kernels.signal_forward(case.drive, case.weight, 0.0 * case.bias, case.alpha, case.buckets)
            drive_grad, carried = kernels.signal_adjoint(case.grad, case.weight, case.alpha)
            there = (case.grad * forward).sum()
        else:
            forward, _ = kernels.filter_forward(case.drive, case.alpha, case.buckets)
            grads, carried = kernels.filter_adjoint(case.grads, case.alpha)
            drive_grad = grads[:, :, 0]
            there = (case.grads * forward).sum()
    back = (drive_grad * case.drive).sum() + (carried * case.buckets).sum()
    scale = float(case.grad.norm() * case.drive.norm()) + float(case.grads.norm())
    assert float((there - back).abs()) <= 1e-12 * scale


@every_size
@both_precisions
@pytest.mark.parametrize("cap", [None, 1, 2], ids=["free", "binary", "two"])
def test_compiled_code_decides_as_the_plain_one(
    size: tuple[int, int, int, int], dtype: torch.dtype, cap: int | None
) -> None:
    steps, batch, neurons, _ = size
    code, decay_0, dt_ms = SigmaDelta(threshold=0.3, adaptation=0.4, adaptation_tau_ms=20.0, max_spikes=cap), 0.8, 2.0
    generator = torch.Generator().manual_seed(sum(size))
    signal = torch.randn(steps, batch, neurons, generator=generator, dtype=dtype).cumsum(0) * 0.3
    state = SigmaDeltaState(*torch.rand(2, batch, neurons, generator=generator, dtype=dtype))
    given = [part.clone() for part in state]
    with kernels.use("cpu"):
        sent, counts, after = kernels.code_forward(signal, decay_0, code, dt_ms, state)
    assert all(torch.equal(part, before) for part, before in zip(state, given, strict=True)), "the state was changed"
    # Along the compiled course, each step's decision is the reference's, but for signals on the edge of a decision.
    disputed = 0
    for x, s, n in zip(signal, sent, counts, strict=True):
        with kernels.use("reference"):
            wanted, wanted_counts, following = kernels.code_forward(x.unsqueeze(0), decay_0, code, dt_ms, state)
        height = 2.0 * (code.threshold + state.adaptation)
        place = ((x - decay_0 * state.estimate).clamp_min(0.0) / height + 0.5).double()
        other = n != wanted_counts[0]
        disputed += int(other.sum())
        assert bool(((place - place.round()).abs() < 10 * TOLERANCE[dtype])[other].all())
        torch.testing.assert_close(
            s[~other], wanted[0][~other], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], check_stride=False
        )
        rise = code.adaptation_decay(dt_ms) * (state.adaptation + code.adaptation * height / 2 * n)
        state = SigmaDeltaState(decay_0 * state.estimate + s, rise.to(dtype))
        torch.testing.assert_close(state.adaptation[~other], following.adaptation[~other])
    assert disputed <= (0 if dtype == torch.float64 else 1 + signal.numel() // 10_000)
    for one, other_part in zip(after, state, strict=True):
        torch.testing.assert_close(one, other_part, rtol=10 * TOLERANCE[dtype], atol=10 * TOLERANCE[dtype])


@every_size
@both_precisions
@pytest.mark.parametrize("counting", [True, False])
def test_a_neuron_is_its_signal_and_then_its_code(
    size: tuple[int, int, int, int], dtype: torch.dtype, counting: bool
) -> None:
    case = a_case(size, dtype)
    code, rest = SigmaDelta(0.3, 0.4, 20.0), torch.rand(2, *case.drive.shape[1:], dtype=dtype)
    with kernels.use("cpu"):
        inputs = (case.weight, case.bias, case.alpha)
        state = SpikingGammaState(case.buckets, *rest)
        x, sent, counts, after = kernels.neuron_forward(case.drive, *inputs, state, code, 2.0, counting=counting)
        signal, buckets = kernels.signal_forward(case.drive, *inputs, case.buckets)
        wanted, wanted_counts, told = kernels.code_forward(
            x, float(case.alpha[0]), code, 2.0, SigmaDeltaState(*rest), counting=counting
        )
    torch.testing.assert_close(x, signal, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    torch.testing.assert_close(after.buckets, buckets, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert all(map(torch.equal, (sent, counts, *after[1:]), (wanted, wanted_counts, *told)))


@both_precisions
def test_silence_settles_to_zero(dtype: torch.dtype) -> None:
    """No value is left so small that the processor slows down for it; forward, backward and in the code."""
    order, steps = 5, 1500
    alpha = torch.tensor([0.5, 0.9, 0.8, 0.7, 0.6], dtype=dtype)
    weight = torch.ones(order, 3, dtype=dtype)
    pulse = torch.zeros(steps, 2, 3, dtype=dtype)
    pulse[0] = 1.0
    last = pulse.flip(0)
    rest = torch.zeros(order, 2, 3, dtype=dtype)
    code, zeros = SigmaDelta(adaptation_tau_ms=5.0), SigmaDeltaState(rest[0], rest[0])
    with kernels.use("cpu"):
        traces, after = kernels.filter_forward(pulse, alpha, rest)
        signal, buckets = kernels.signal_forward(pulse, weight, weight[0] * 0.0, alpha, rest)
        r, carried = kernels.signal_adjoint(last, weight, alpha)
        g, _ = kernels.filter_adjoint(last.unsqueeze(2).expand(-1, -1, order, -1), alpha)
        _, _, told = kernels.code_forward(pulse, 0.5, code, 1.0, zeros)
    smallest = torch.finfo(dtype).tiny
    for values in (traces, signal, r, g, after, buckets, carried, *told):
        assert not bool(((values != 0) & (values.abs() < smallest)).any())
    for ended in (after, buckets, carried, *told, traces[-1], signal[-1], r[0], g[0]):
        assert not bool(ended.any())


def test_arguments_need_not_be_contiguous() -> None:
    case = a_case((63, 3, 5, 2), torch.float64)
    strided = case._replace(
        drive=case.drive.transpose(0, 2).contiguous().transpose(0, 2),
        buckets=case.buckets.transpose(0, 1).contiguous().transpose(0, 1),
        weight=case.weight.T.contiguous().T,
    )
    for scan in SCANS.values():
        with kernels.use("cpu"):
            plain, other = scan(case), scan(strided)
        for one, two in zip(plain, other, strict=True):
            assert torch.equal(one, two)


@both_precisions
def test_a_value_that_is_no_number_is_passed_on(dtype: torch.dtype) -> None:
    """Silence for an invalid number would hide it from whoever looks at the loss."""
    signal = torch.full((4, 1, 2), 0.5, dtype=dtype)
    signal[2, 0, 1] = float("nan")
    zeros = SigmaDeltaState(torch.zeros(1, 2, dtype=dtype), torch.zeros(1, 2, dtype=dtype))
    for name in ("cpu", "reference"):
        with kernels.use(name):
            sent, _, _ = kernels.code_forward(signal, 0.5, SigmaDelta(), 1.0, zeros)
            x, _ = kernels.signal_forward(
                signal, signal[:2, 0], signal[0, 0], signal[0, 0], torch.zeros(2, 1, 2, dtype=dtype)
            )
        assert bool(sent[2, 0, 1].isnan()), name
        assert bool(x[2, 0, 1].isnan()), name
        assert not bool(sent[:2].isnan().any())
