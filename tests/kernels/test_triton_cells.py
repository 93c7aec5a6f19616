"""Neurons and delays by Triton against the functional ones: on a GPU where there is one, else in Triton's interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from spikinggamma import functional, kernels
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    DelayParameters,
    DelayState,
    LIFParameters,
    LIFState,
    SRMAlphaParameters,
    SRMAlphaState,
)
from spikinggamma.kernels import dispatch
from spikinggamma.nn.compiled import delays, neurons

pytest.importorskip("triton", reason="Triton is not installed")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# (T, B, N); the interpreter is slow. 3 x 130 is more than a program's cells.
SIZES = [(1, 1, 1), (2, 3, 5), (7, 3, 130), (23, 2, 4)]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])

LIF = LIFParameters(10.0, 5.0, 1.0, "arctan", 1.0)


class Neuron(NamedTuple):
    """Parameters, and the state by its parts."""

    parameters: Any
    state: Callable[..., Any]
    parts: int


NEURONS = {
    "leaky_sequence": Neuron(LIF, LIFState, 2),
    "lif_sequence": Neuron(LIF, LIFState, 2),
    "adaptive_lif_sequence": Neuron(AdaptiveLIFParameters(LIF, 0.3, 25.0), AdaptiveLIFState, 3),
    "srm_alpha_sequence": Neuron(SRMAlphaParameters(5.0, 3.0, 1.5, 1.0, 0.7, 1.0, 1.0), SRMAlphaState, 4),
}
every_neuron = pytest.mark.parametrize("name", NEURONS)


def normal(*shape: int, seed: int, dtype: torch.dtype) -> Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.to(DEVICE, dtype)


def neuron_answers(room: Any, name: str, size: tuple[int, int, int], dtype: torch.dtype, chunk: int) -> list[Tensor]:
    """Spikes or membranes, the state after, and the gradients of drive and state."""
    neuron = NEURONS[name]
    drive = (3.0 * normal(*size, seed=0, dtype=dtype) + 0.5).requires_grad_()
    state = [normal(*size[1:], seed=9 + part, dtype=dtype).abs().requires_grad_() for part in range(neuron.parts)]
    after, said = neuron.state(*state), []
    for part in drive.split(chunk):
        one, after = getattr(room, name)(neuron.parameters, after, part)
        said.append(one)
    whole = torch.cat(said)
    grads = [normal(*one.shape, seed=20 + place, dtype=dtype) for place, one in enumerate((whole, *after))]
    loss = sum((one * grad).sum() for one, grad in zip((whole, *after), grads, strict=True))
    return [whole, *after, *torch.autograd.grad(loss, [drive, *state])]  # type: ignore[arg-type]


def delay_answers(room: Any, name: str, size: tuple[int, int, int], dtype: torch.dtype, chunk: int) -> list[Tensor]:
    """What arrives, the past after, and the gradients of delays, past and spikes; D is longer or shorter than T."""
    steps, batch, size_n = size
    remembered = 9
    delay_ms = torch.linspace(0.0, remembered - 1.0, size_n, dtype=dtype) * 0.5
    delay_ms[::3] = (delay_ms[::3] / 0.5).floor() * 0.5
    leaves = [
        delay_ms.to(DEVICE).requires_grad_(),
        normal(remembered, batch, size_n, seed=1, dtype=dtype).requires_grad_(),
        normal(steps, batch, size_n, seed=2, dtype=dtype).requires_grad_(),
    ]
    parameters = DelayParameters(leaves[0], (remembered - 1) * 0.5, 0.5)
    state, arrived = DelayState(leaves[1]), []
    for part in leaves[2].split(chunk):
        one, state = getattr(room, name)(parameters, state, part)
        arrived.append(one)
    whole = torch.cat(arrived)
    loss = (whole * normal(*size, seed=3, dtype=dtype)).sum()
    loss = loss + (state.past * normal(*state.past.shape, seed=4, dtype=dtype)).sum()
    return [whole, state.past, *torch.autograd.grad(loss, leaves)]


def assert_equal(found: list[Tensor], wanted: list[Tensor], tolerance: float) -> None:
    for one, plain in zip(found, wanted, strict=True):
        assert one.shape == plain.shape
        assert one.dtype == plain.dtype
        assert float((one - plain).detach().norm()) <= tolerance * float(plain.detach().norm().clamp_min(1e-30))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the Triton kernels that were launched."""
    from spikinggamma.kernels import triton_cells

    launched, launch = [], triton_cells._launch

    def noted(kernel: Any, cells: int, *arguments: object, **constants: object) -> None:
        launched.append(kernel.__name__)
        launch(kernel, cells, *arguments, **constants)

    monkeypatch.setattr(triton_cells, "_launch", noted)
    return launched


@every_neuron
@every_size
@both_precisions
def test_neurons_equal_the_functional_ones(
    name: str, size: tuple[int, int, int], dtype: torch.dtype, calls: list[str]
) -> None:
    wanted = neuron_answers(functional, name, size, dtype, chunk=1000)
    with kernels.use("triton"):
        found = neuron_answers(neurons, name, size, dtype, chunk=1000)
    assert len(calls) >= 2
    if name != "leaky_sequence":
        assert torch.equal(found[0], wanted[0])
    assert_equal(found, wanted, TOLERANCE[dtype])


@pytest.mark.long
@pytest.mark.parametrize("name", ["fractional_delay_sequence", "floored_delay_sequence"])
@every_size
@both_precisions
def test_delays_equal_the_functional_ones(
    name: str, size: tuple[int, int, int], dtype: torch.dtype, calls: list[str]
) -> None:
    wanted = delay_answers(functional, name, size, dtype, chunk=1000)
    with kernels.use("triton"):
        found = delay_answers(delays, name, size, dtype, chunk=1000)
    assert calls == ["delay_forward", "delay_products", "delay_adjoint"]
    assert_equal(found, wanted, TOLERANCE[dtype])


@pytest.mark.long
@pytest.mark.parametrize("chunk", [1, 7])
def test_chunks_are_the_whole(chunk: int, calls: list[str]) -> None:
    size, dtype = (23, 2, 4), torch.float64
    with kernels.use("triton"):
        for name in NEURONS:
            assert_equal(*(neuron_answers(neurons, name, size, dtype, part) for part in (chunk, 1000)), 1e-12)
        name = "fractional_delay_sequence"
        assert_equal(*(delay_answers(delays, name, size, dtype, part) for part in (chunk, 1000)), 1e-12)
    assert calls


@every_neuron
def test_without_gradients_nothing_is_kept_and_inputs_stay(name: str, calls: list[str]) -> None:
    neuron = NEURONS[name]
    drive = normal(5, 2, 3, seed=0, dtype=torch.float32)
    state = neuron.state(*(normal(2, 3, seed=1, dtype=torch.float32) for _ in range(neuron.parts)))
    before = [one.clone() for one in (drive, *state)]
    with kernels.use("triton"):
        found, after = getattr(neurons, name)(neuron.parameters, state, drive)
    assert len(calls) == 1
    assert all(map(torch.equal, before, (drive, *state)))
    assert not any(one.requires_grad for one in (found, *after))


def test_a_scan_without_a_triton_form_is_for_the_processor_alone() -> None:
    like = torch.zeros(2)
    with kernels.use("triton"):
        assert kernels.has_scan(like)
        assert not kernels.has_compiled(like)
    with kernels.use("reference"):
        assert not kernels.has_scan(like)
    assert kernels.has_scan(like, like)
    assert not kernels.has_scan(like, like.double())


def test_the_first_tensor_decides_who_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    twin = types.SimpleNamespace(scan=lambda scale, signal: ("triton", scale))
    monkeypatch.setattr(dispatch.importlib, "import_module", lambda name: twin)

    @dispatch.with_triton("twin")
    def scan(scale: float, signal: Tensor) -> tuple[str, float]:
        return "cpu", scale

    assert scan(2.0, torch.zeros(1)) == ("cpu", 2.0)
    with kernels.use("triton"):
        assert scan(2.0, torch.zeros(1)) == ("triton", 2.0)
