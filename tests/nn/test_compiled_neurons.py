"""The compiled neurons against the functional ones: spikes, states and every gradient, whole and in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from spikinggamma import functional, kernels
from spikinggamma.functional import (
    SURROGATES,
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    LIFParameters,
    LIFState,
    SRMAlphaParameters,
    SRMAlphaState,
)
from spikinggamma.nn.compiled import neurons as scans

# (T, B, N): each value of T 1 2 63, B 1 3 17 and N 1 5 130 meets several of the others'; 17 x 130 is more than a block.
SIZES = [
    (1, 1, 1),
    (1, 17, 130),
    (2, 3, 5),
    (2, 1, 130),
    (2, 17, 1),
    (63, 17, 5),
    (63, 3, 130),
    (63, 17, 130),
    (63, 1, 1),
]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
both_precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])


class Neuron(NamedTuple):
    """A function of both rooms, its parameters for a surrogate, synapse and threshold, and its state."""

    name: str
    parameters: Callable[[str, float, float], Any]
    state: Callable[..., tuple[Tensor, ...]]
    parts: int


def lif(surrogate: str, synapse_tau_ms: float, threshold: float) -> LIFParameters:
    return LIFParameters(10.0, synapse_tau_ms, threshold, surrogate, 1.0)


def adaptive_lif(surrogate: str, synapse_tau_ms: float, threshold: float) -> AdaptiveLIFParameters:
    return AdaptiveLIFParameters(lif(surrogate, synapse_tau_ms, threshold), 0.3, 25.0)


def srm_alpha(surrogate: str, synapse_tau_ms: float, threshold: float) -> SRMAlphaParameters:
    scale = 0.5 + list(SURROGATES).index(surrogate)  # it has one bump, of any height
    return SRMAlphaParameters(2.0 + synapse_tau_ms, 3.0, 1.5, threshold, 0.7, scale, 1.0)


NEURONS = [
    Neuron("leaky_sequence", lif, LIFState, 2),
    Neuron("lif_sequence", lif, LIFState, 2),
    Neuron("adaptive_lif_sequence", adaptive_lif, AdaptiveLIFState, 3),
    Neuron("srm_alpha_sequence", srm_alpha, SRMAlphaState, 4),
]
every_neuron = pytest.mark.parametrize("neuron", NEURONS, ids=[neuron.name for neuron in NEURONS])


class Case(NamedTuple):
    drive: Tensor
    state: tuple[Tensor, ...]
    grad: Tensor
    state_blames: tuple[Tensor, ...]


@lru_cache
def exact_case(neuron: Neuron, size: tuple[int, int, int], synapse_tau_ms: float) -> Case:
    """Random input and blame; cells with a decision so near the threshold that a rounding turns it get no input."""
    generator = torch.Generator().manual_seed(sum(size))
    drive = 3.0 * torch.randn(size, generator=generator, dtype=torch.float64) + 0.5
    state = torch.rand(neuron.parts, *size[1:], generator=generator, dtype=torch.float64)
    grad = torch.randn(size, generator=generator, dtype=torch.float64)
    state_blames = torch.randn(neuron.parts, *size[1:], generator=generator, dtype=torch.float64)
    if neuron.name != "leaky_sequence":
        sequence = getattr(functional, neuron.name)
        low, high = (
            sequence(neuron.parameters("arctan", synapse_tau_ms, threshold), neuron.state(*state), drive)[0]
            for threshold in (1.0 - 1e-4, 1.0 + 1e-4)
        )
        edge = (low != high).any(0)
        drive[:, edge] = 0.0
        state[:, edge] = 0.0
        assert size[0] * size[1] * size[2] < 100 or edge.double().mean() < 0.1
    return Case(drive, tuple(state), grad, tuple(state_blames))


def a_case(neuron: Neuron, size: tuple[int, int, int], dtype: torch.dtype, synapse_tau_ms: float = 5.0) -> Case:
    drive, state, grad, state_blames = exact_case(neuron, size, synapse_tau_ms)

    def fresh(parts: Iterable[Tensor]) -> tuple[Tensor, ...]:
        return tuple(part.to(dtype, copy=True) for part in parts)

    return Case(*fresh([drive]), fresh(state), *fresh([grad]), fresh(state_blames))


def answers(sequence: Any, neuron: Neuron, parameters: Any, case: Case, chunk: int = 1000) -> dict[str, Tensor]:
    """Output, state after, and the gradients in the drive and the state before."""
    drive = case.drive.clone().requires_grad_()
    state = [part.clone().requires_grad_() for part in case.state]
    outputs, after = [], neuron.state(*state)
    for part in drive.split(chunk):
        output, after = sequence(parameters, after, part)
        outputs.append(output)
    loss = (torch.cat(outputs) * case.grad).sum()
    loss = loss + sum((one * b).sum() for one, b in zip(after, case.state_blames, strict=True))
    gradients = torch.autograd.grad(loss, [drive, *state])
    assert type(after) is neuron.state
    found = {"output": torch.cat(outputs), **after._asdict(), "drive": gradients[0]}  # type: ignore[attr-defined]
    return found | {f"{name} before": g for name, g in zip(after._fields, gradients[1:], strict=True)}  # type: ignore[attr-defined]


def assert_equal(found: dict[str, Tensor], wanted: dict[str, Tensor], tolerance: float) -> None:
    for name, plain in wanted.items():
        assert found[name].shape == plain.shape
        assert found[name].dtype == plain.dtype
        error = float((found[name] - plain).detach().norm() / plain.detach().norm().clamp_min(1e-30))
        assert error <= tolerance, name


@every_neuron
@every_size
@both_precisions
@pytest.mark.parametrize("synapse_tau_ms", [0.0, 5.0])
@pytest.mark.parametrize("surrogate", SURROGATES)
def test_compiled_equals_functional(
    neuron: Neuron, size: tuple[int, int, int], dtype: torch.dtype, synapse_tau_ms: float, surrogate: str
) -> None:
    case = a_case(neuron, size, dtype, synapse_tau_ms)
    given = [part.clone() for part in (case.drive, *case.state)]
    parameters = neuron.parameters(surrogate, synapse_tau_ms, 1.0)
    found = answers(getattr(scans, neuron.name), neuron, parameters, case)
    wanted = answers(getattr(functional, neuron.name), neuron, parameters, case)
    assert_equal(found, wanted, TOLERANCE[dtype])
    if neuron.name != "leaky_sequence":
        assert torch.equal(found["output"], wanted["output"])
        if size[0] == 63:
            assert wanted["output"].any()
    for part, before in zip((case.drive, *case.state), given, strict=True):
        assert torch.equal(part, before), "an argument was changed"


@every_neuron
@pytest.mark.parametrize("chunk", [1, 20, 62])
def test_chunks_are_the_whole_in_values_and_gradients(neuron: Neuron, chunk: int) -> None:
    case = a_case(neuron, (63, 3, 130), torch.float64)
    parameters, sequence = neuron.parameters("arctan", 5.0, 1.0), getattr(scans, neuron.name)
    whole = answers(sequence, neuron, parameters, case)
    assert_equal(answers(sequence, neuron, parameters, case, chunk), whole, 1e-12)


@every_neuron
@pytest.mark.parametrize("part", [0, 1])
def test_blame_on_the_state_alone_is_told(neuron: Neuron, part: int) -> None:
    case, parameters = a_case(neuron, (63, 3, 5), torch.float64), neuron.parameters("arctan", 5.0, 1.0)
    gradients = []
    for room in (scans, functional):
        drive = case.drive.clone().requires_grad_()
        _, after = getattr(room, neuron.name)(parameters, neuron.state(*case.state), drive)
        gradients += torch.autograd.grad((after[part] * case.state_blames[part]).sum(), drive)
    assert gradients[1].any()
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-10, atol=1e-12)


@every_neuron
def test_layout_in_memory_does_not_matter(neuron: Neuron) -> None:
    case, parameters = a_case(neuron, (63, 3, 5), torch.float64), neuron.parameters("arctan", 5.0, 1.0)
    strided = Case(
        case.drive.transpose(0, 2).contiguous().transpose(0, 2),
        tuple(part.T.contiguous().T for part in case.state),
        torch.ones(1, 1, 1, dtype=torch.float64).expand(case.grad.shape),
        tuple(part.T.contiguous().T for part in case.state_blames),
    )
    sequence = getattr(scans, neuron.name)
    plain = answers(sequence, neuron, parameters, case._replace(grad=torch.ones_like(case.grad)))
    assert_equal(answers(sequence, neuron, parameters, strided), plain, 0.0)


@every_neuron
def test_nothing_is_kept_without_gradients(neuron: Neuron) -> None:
    case, parameters = a_case(neuron, (63, 17, 130), torch.float32), neuron.parameters("arctan", 5.0, 1.0)
    sequence, state = getattr(scans, neuron.name), neuron.state(*case.state)
    drive = case.drive.clone().requires_grad_()
    learning, _ = sequence(parameters, state, drive)
    assert learning.requires_grad
    with torch.no_grad():
        silent, after = sequence(parameters, state, drive)
    plain, plain_after = sequence(parameters, state, case.drive)
    for output, last in ((silent, after), (plain, plain_after)):
        assert torch.equal(output, learning)
        assert all(tensor.grad_fn is None and not tensor.requires_grad for tensor in (output, *last))


@every_neuron
def test_the_functional_form_is_the_fallback_and_no_more(neuron: Neuron, monkeypatch: pytest.MonkeyPatch) -> None:
    case, parameters = a_case(neuron, (2, 3, 5), torch.float64), neuron.parameters("arctan", 5.0, 1.0)
    calls = []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return original(*arguments)

    original = getattr(functional, neuron.name)
    monkeypatch.setattr(functional, neuron.name, counted)
    sequence = getattr(scans, neuron.name)
    found = sequence(parameters, neuron.state(*case.state), case.drive)
    assert not calls
    with kernels.use("reference"):
        plain = sequence(parameters, neuron.state(*case.state), case.drive)
    half = neuron.state(*(part.bfloat16() for part in case.state))
    assert sequence(parameters, half, case.drive.bfloat16())[0].dtype == torch.bfloat16
    assert len(calls) == 2
    for other in (case.drive[:, :1], case.drive[:0], case.drive[0]):  # no array of these is ever indexed unchecked
        assert not scans._fits(neuron.state(*case.state), other)
    assert not scans._fits(neuron.state(*case.state), case.drive.float())
    torch.testing.assert_close(found[0], plain[0])


@every_neuron
def test_a_second_derivative_is_refused(neuron: Neuron) -> None:
    case, parameters = a_case(neuron, (2, 3, 5), torch.float64), neuron.parameters("arctan", 5.0, 1.0)
    drive = case.drive.clone().requires_grad_()
    output, _ = getattr(scans, neuron.name)(parameters, neuron.state(*case.state), drive)
    grad = case.grad.clone().requires_grad_()
    (first,) = torch.autograd.grad((output * grad).sum(), drive, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
