"""Compiled neurons with numbers of their own, and their recurrence, against the loop over a step, in every gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from reference_nets import relative_error
from spikinggamma import kernels
from spikinggamma.kernels import threads as sharing
from spikinggamma.nn import Neuron, Recurrent, make_neuron
from spikinggamma.nn.state import map_tensors, tensors_of

DT_MS = 4.0
# Each kind with options that make it spike, and the size of its drive.
KINDS: dict[str, tuple[dict[str, Any], float]] = {
    "lif": ({"tau_ms": 9.0, "synapse_tau_ms": 5.0, "surrogate": "arctan"}, 4.0),
    "adaptive_lif": ({"tau_ms": 9.0, "adaptation": 0.3, "adaptation_tau_ms": 40.0, "surrogate": "arctan"}, 4.0),
    "adlif": ({"tau_ms": (5.0, 40.0), "surrogate": "arctan"}, 4.0),
    "se_adlif": ({"tau_ms": (5.0, 40.0), "scale": 20.0, "surrogate": "arctan"}, 4.0),
    "brf": ({"omega": (10.0, 60.0), "refractory_damping": 20.0, "gain": 40.0}, 5.0),
}
SIZES = [(1, 1, 1), (2, 3, 5), (63, 17, 1), (63, 3, 130), (63, 1, 36)]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_kind_with_numbers_of_its_own = pytest.mark.parametrize("kind", ["adlif", "se_adlif", "brf"])
every_size = pytest.mark.parametrize("size", SIZES, ids=["x".join(map(str, size)) for size in SIZES])
alone_or_not = pytest.mark.parametrize("recurrent", [False, True], ids=["alone", "recurrent"])


@pytest.fixture
def torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def made(kind: str, neurons: int, *, recurrent: bool, dtype: torch.dtype = torch.float64) -> Neuron | Recurrent:
    generator = torch.Generator().manual_seed(1)
    neuron = make_neuron(kind, (neurons,), KINDS[kind][0], generator)
    layer = Recurrent(neuron, generator) if recurrent else neuron
    if isinstance(layer, Recurrent):
        layer.recurrent_weight.data *= KINDS[kind][1]
    return layer.to(dtype)


def drawn(layer: Neuron | Recurrent, kind: str, steps: int, batch: int) -> tuple[Tensor, Any]:
    """A drive, and a state that is not at rest: as the layer has it after a while."""
    generator = torch.Generator().manual_seed(steps)
    drive = torch.randn(20 + steps, batch, *layer.out_shape, generator=generator, dtype=torch.float64)
    drive = drive.to(tensors_of(layer.initial_state(1))[0].dtype)
    drive = KINDS[kind][1] * (drive + 0.5)
    with torch.no_grad():
        _, state = layer.unrolled(drive[:20], layer.initial_state(batch), DT_MS)
    return drive[20:], state


def answers(layer: Neuron | Recurrent, run: Any, drive: Tensor, state: Any, chunk: int) -> dict[str, Tensor]:
    """Spikes, the state after, and the gradients of a random sum of these."""
    leaf = drive.clone().requires_grad_()
    begun = map_tensors(lambda part: part.clone().requires_grad_(), state)
    after, said = begun, []
    for part in leaf.split(chunk):
        spikes, after = run(part, after, DT_MS)
        said.append(spikes)
    outputs = [torch.cat(said), *tensors_of(after)]
    generator = torch.Generator().manual_seed(2)
    total = torch.zeros((), dtype=torch.float64)
    for output in outputs:
        total = total + (output * torch.randn(output.shape, generator=generator, dtype=torch.float64)).sum()
    named = {"drive": leaf, **dict(layer.named_parameters())}
    named |= {f"before {index}": part for index, part in enumerate(tensors_of(begun))}
    gradients = torch.autograd.grad(total, list(named.values()))
    found = {f"after {index}": output.detach() for index, output in enumerate(outputs)}
    return found | dict(zip(named, gradients, strict=True))


@every_kind
@every_size
@alone_or_not
def test_compiled_equals_the_loop_over_a_step_whole_and_in_chunks(
    kind: str, size: tuple[int, int, int], recurrent: bool
) -> None:
    layer = made(kind, size[2], recurrent=recurrent)
    drive, state = drawn(layer, kind, *size[:2])
    wanted = answers(layer, layer.unrolled, drive, state, 1000)
    if size[0] == 63:
        assert 0.02 < float(wanted["after 0"].mean()) < 0.9
        assert all(bool(gradient.any()) for gradient in wanted.values())
    for chunk in (1000, 20, 1):
        found = answers(layer, layer.forward, drive, state, chunk)
        assert torch.equal(found["after 0"], wanted["after 0"])
        assert relative_error(found, wanted) < 1e-9


@every_kind
@alone_or_not
def test_single_precision_gives_the_same_to_its_rounding(kind: str, recurrent: bool) -> None:
    layer = made(kind, 20, recurrent=recurrent)
    drive, state = drawn(layer, kind, 12, 3)
    wanted = answers(layer, layer.forward, drive, state, 1000)
    single = made(kind, 20, recurrent=recurrent, dtype=torch.float32)
    found = answers(single, single.forward, drive.float(), map_tensors(lambda part: part.float(), state), 1000)
    assert torch.equal(found["after 0"].double(), wanted["after 0"])
    assert relative_error({name: value.double() for name, value in found.items()}, wanted) < 1e-3


@every_kind
@alone_or_not
def test_without_gradients_nothing_is_kept_and_the_same_comes_out(kind: str, recurrent: bool) -> None:
    layer = made(kind, 5, recurrent=recurrent)
    drive, state = drawn(layer, kind, 30, 3)
    learning, _ = layer(drive.requires_grad_(), state, DT_MS)
    with torch.no_grad():
        silent, after = layer(drive, state, DT_MS)
    assert learning.requires_grad
    assert torch.equal(silent, learning)
    assert all(part.grad_fn is None for part in (silent, *tensors_of(after)))


@every_kind_with_numbers_of_its_own
def test_numbers_that_are_not_learnt_are_no_parameters(kind: str) -> None:
    neuron = make_neuron(kind, (5,), KINDS[kind][0] | {"learnt": False}, torch.Generator().manual_seed(1))
    learnt = make_neuron(kind, (5,), KINDS[kind][0], torch.Generator().manual_seed(1))
    assert not list(neuron.parameters())
    assert list(learnt.parameters())
    assert set(neuron.state_dict()) == set(learnt.state_dict())
    drive = KINDS[kind][1] * torch.randn(30, 3, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(
        neuron(drive, neuron.initial_state(3), DT_MS)[0], learnt(drive, learnt.initial_state(3), DT_MS)[0]
    )


@every_kind
@alone_or_not
def test_where_no_scan_fits_the_step_is_unrolled(kind: str, recurrent: bool) -> None:
    layer = made(kind, 5, recurrent=recurrent)
    drive, state = drawn(layer, kind, 30, 3)
    with kernels.use("reference"):
        found = answers(layer, layer.forward, drive, state, 20)
    wanted = answers(layer, layer.unrolled, drive, state, 20)
    assert relative_error(found, wanted) < 1e-12


@every_kind
@pytest.mark.usefixtures("torch_threads")
def test_one_thread_and_three_give_the_same_numbers(kind: str) -> None:
    layer = made(kind, 40, recurrent=True, dtype=torch.float32)
    drive, state = drawn(layer, kind, 200, 17)
    assert drive.numel() * (1 + 40 // 16) >= 3 * sharing.WORTH_A_THREAD
    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        spikes, _ = layer(drive, state, DT_MS)
        found.append([spikes.detach(), *torch.autograd.grad(spikes.cumsum(0).sum(), list(layer.parameters()))])
    # The recurrent gradient is a product of torch's, whose order of sums may depend on threads.
    for one, other in zip(*found, strict=True):
        assert float((one - other).norm()) <= 1e-5 * float(one.norm())
    assert torch.equal(found[0][0], found[1][0])


@every_kind
def test_silence_settles_to_zero(kind: str) -> None:
    """No value is left so small that the processor slows down for it, forward and backward."""
    layer = make_neuron(kind, (3,), KINDS[kind][0])
    pulse = torch.zeros(6000, 1, 3)
    pulse[0] = 100.0 * KINDS[kind][1]
    leaf = pulse.requires_grad_()
    spikes, after = layer(leaf, layer.initial_state(1), DT_MS)
    smallest = torch.finfo(torch.float32).tiny
    (gradient,) = torch.autograd.grad(spikes[-1].sum() + sum(part.sum() for part in after), leaf)
    for values in (*after, gradient):
        assert not bool(((values != 0) & (values.abs() < smallest)).any())


@every_kind
def test_a_second_derivative_is_refused(kind: str) -> None:
    layer = made(kind, 5, recurrent=False)
    drive, state = drawn(layer, kind, 10, 3)
    leaf = drive.clone().requires_grad_()
    weight = torch.ones_like(drive).requires_grad_()
    (first,) = torch.autograd.grad((layer(leaf, state, DT_MS)[0] * weight).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
