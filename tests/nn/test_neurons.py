"""Neurons: the functional ones with states of their own, cut anywhere, in any shape."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reference_nets import relative_error
from reference_surrogates import DT_MS, KINDS, SETTINGS, options_of
from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    AlphaState,
    LIFParameters,
    LIFState,
    RecurrentLIFParameters,
    RecurrentLIFState,
    alpha_step,
    leaky_step,
    recurrent_lif_sequence,
)
from spikinggamma.nn import Neuron, Recurrent, make_neuron
from spikinggamma.nn.state import tensors_of

every_kind = pytest.mark.parametrize("kind", KINDS)


def made_of(kind: str, shape: tuple[int, ...] = (4,)) -> Neuron | Recurrent:
    neuron = KINDS[kind]["neuron"]
    single = make_neuron(neuron, shape, options_of(neuron, SETTINGS)).double()
    generator = torch.Generator().manual_seed(0)
    return Recurrent(single, generator).double() if KINDS[kind].get("recurrent") else single


def drive() -> Tensor:
    return 1.0 + 2.0 * torch.randn(20, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@every_kind
def test_chunks_equal_the_whole(kind: str) -> None:
    made, outcomes = made_of(kind), []
    grad = torch.randn(20, 3, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for chunk in (20, 7, 1):
        leaf, parts = drive().requires_grad_(), []
        state = made.initial_state(3)
        for part in leaf.split(chunk):
            spikes, state = made(part, state, DT_MS)
            parts.append(spikes)
        named = {"drive": leaf, **dict(made.named_parameters())}
        gradients = torch.autograd.grad((torch.cat(parts) * grad).sum(), list(named.values()))
        outcomes.append((torch.cat(parts).detach(), dict(zip(named, gradients, strict=True))))
    whole, wanted = outcomes[0]
    assert set(whole.unique().tolist()) == {0.0, 1.0}
    for spikes, gradients in outcomes[1:]:
        assert torch.equal(spikes, whole)
        assert relative_error(gradients, wanted) < 1e-9


@every_kind
def test_without_gradients_the_same_spikes_come_out(kind: str) -> None:
    made, said = made_of(kind), drive()
    spikes, after = made(said.requires_grad_(), made.initial_state(3), DT_MS)
    with torch.no_grad():
        again, end = made(said, made.initial_state(3), DT_MS)
    assert torch.equal(again, spikes.detach())
    for one, other in zip(tensors_of(end), tensors_of(after), strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-12, atol=1e-13)


@every_kind
def test_any_shape_is_the_flat_one_folded(kind: str) -> None:
    flat, folded = made_of(kind, (12,)), made_of(kind, (3, 2, 2))
    folded.load_state_dict(flat.state_dict())
    said = 1.0 + 2.0 * torch.randn(20, 3, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    spikes, state = flat(said, flat.initial_state(3), DT_MS)
    again, end = folded(said.view(20, 3, 3, 2, 2), folded.initial_state(3), DT_MS)
    assert torch.equal(again.flatten(2), spikes)
    for one, other in zip(tensors_of(end), tensors_of(state), strict=True):
        assert torch.equal(one.flatten(1), other)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "recurrent" not in kind])
def test_the_compiled_sequence_is_the_loop_over_its_steps(kind: str) -> None:
    made, said = made_of(kind), drive().requires_grad_()
    assert isinstance(made, Neuron)
    outcomes = []
    for run in (made, made.unrolled):
        spikes, state = run(said, made.initial_state(3), DT_MS)
        weight = torch.randn(20, 3, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        (gradient,) = torch.autograd.grad((spikes * weight).sum(), said)
        outcomes.append([spikes.detach(), gradient, *(part.detach() for part in state)])
    for one, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@every_kind
def test_the_response_is_that_of_neurons_that_never_spike(kind: str) -> None:
    made, said = made_of(kind), drive()
    zero = torch.zeros(3, 4, dtype=torch.float64)
    synapse, lif, membranes = AlphaState(zero, zero), LIFState(zero, zero), []
    for u in said:
        synapse = alpha_step(SETTINGS["tau_ms"], DT_MS, synapse, u)
        lif = leaky_step(LIFParameters(SETTINGS["tau_ms"], SETTINGS["synapse_tau_ms"], 1.0, "arctan", DT_MS), lif, u)
        membranes.append(synapse.value if kind == "srm_alpha" else lif.membrane)
    neuron = made.neuron if isinstance(made, Recurrent) else made
    torch.testing.assert_close(neuron.response(said, DT_MS), torch.stack(membranes))


def test_recurrent_weights_are_felt_and_of_half_a_fan_ins_size() -> None:
    made = Recurrent(make_neuron("lif", (300,)), torch.Generator().manual_seed(0))
    assert float(made.recurrent_weight.detach().std()) == pytest.approx(0.5 / 300**0.5, rel=0.02)
    small, said = made_of("recurrent_lif"), drive()
    assert isinstance(small, Recurrent)
    spikes, _ = small(said, small.initial_state(3), DT_MS)
    zero = torch.zeros(3, 4, dtype=torch.float64)
    lif = LIFParameters(SETTINGS["tau_ms"], SETTINGS["synapse_tau_ms"], 1.0, "fast_sigmoid", DT_MS)
    start, parameters = RecurrentLIFState(zero, zero, zero), RecurrentLIFParameters(lif, small.recurrent_weight)
    assert torch.equal(recurrent_lif_sequence(parameters, start, said)[0], spikes)
    deaf = parameters._replace(recurrent_weight=torch.zeros(4, 4, dtype=torch.float64))
    assert not torch.equal(recurrent_lif_sequence(deaf, start, said)[0], spikes)


@every_kind
def test_states_begin_at_zero_in_the_type_of_the_net(kind: str) -> None:
    for dtype in (torch.float32, torch.float64):
        state = tensors_of(made_of(kind).to(dtype).initial_state(3))
        assert all(part.shape == (3, 4) and part.dtype == dtype and not part.any() for part in state)


def test_a_state_of_another_batch_is_named() -> None:
    made = made_of("lif")
    with pytest.raises(SpikingGammaError, match=r"`state`.*\[5, 4\].*start a new recording"):
        made(drive(), made.initial_state(5), DT_MS)


def test_thresholds_are_scaled_and_a_kind_without_one_says_so() -> None:
    made = make_neuron("lif", (4,), {"threshold": 2.0})
    made.scale_threshold_(1.5)
    assert made.options.threshold == 3.0


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        ("hodgkin_huxley", {}, "neuron"),
        *[("lif", {name: 0.0}, name) for name in ("tau_ms", "threshold")],
        ("lif", {"synapse_tau_ms": -1.0}, "synapse_tau_ms"),
        ("lif", {"surrogate": "box"}, "surrogate"),
        ("adaptive_lif", {"adaptation_tau_ms": 0.0}, "adaptation_tau_ms"),
        ("srm_alpha", {"surrogate_width": 0.0}, "surrogate_width"),
        ("srm_alpha", {"refractory_scale": -1.0}, "refractory_scale"),
    ],
)
def test_a_constant_out_of_range_is_named(kind: str, wrong: dict[str, float | str], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"^`(neuron.)?{named}`"):
        make_neuron(kind, (3,), wrong)
