"""Populations: the functional neurons with states of their own, cut anywhere, and a membrane for who asks for it."""

from __future__ import annotations

import pytest
import torch
from spikinggamma.nn.neurons.populations import LIF, RecurrentLIF, make_population
from torch import Tensor

from reference_nets import relative_error
from reference_surrogates import DT_MS, SETTINGS
from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    AlphaState,
    LIFParameters,
    LIFState,
    alpha_step,
    leaky_step,
    lif_step,
    recurrent_lif_sequence,
)
from spikinggamma.nn import POPULATIONS, NeuronSettings, Population

every_kind = pytest.mark.parametrize("kind", POPULATIONS)


def population(kind: str) -> Population:
    return make_population(kind, 4, SETTINGS, torch.Generator().manual_seed(0)).double()


def drive() -> Tensor:
    return 1.0 + 2.0 * torch.randn(20, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@every_kind
def test_chunks_equal_the_whole(kind: str) -> None:
    made, outcomes = population(kind), []
    grad = torch.randn(20, 3, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for chunk in (20, 7, 1):
        leaf, parts = drive().requires_grad_(), []
        state = made.initial_state(3, leaf)
        for part in leaf.split(chunk):
            spikes, state = made.sequence(part, state, DT_MS)
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
    made, said = population(kind), drive()
    spikes, _, after = made.run(said, made.initial_state(3, said), DT_MS)
    with torch.no_grad():
        again, _, end = made.run(said, made.initial_state(3, said), DT_MS)
    assert torch.equal(again, spikes.detach())
    for one, other in zip(end, after, strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_lif_tells_its_membrane_before_each_spike_where_gradients_are_disabled(dtype: torch.dtype) -> None:
    made, said = LIF(4, SETTINGS), drive().to(dtype)
    assert made.run(said, made.initial_state(3, said), DT_MS)[1] is None
    lif = LIFParameters(SETTINGS.tau_ms, SETTINGS.synapse_tau_ms, SETTINGS.threshold, SETTINGS.surrogate, DT_MS)
    zero = torch.zeros(3, 4, dtype=dtype)
    by_hand, state = [], LIFState(zero, zero)
    for u in said:
        by_hand.append(leaky_step(lif, state, u).membrane)
        _, state = lif_step(lif, state, u)
    with torch.no_grad():
        for chunk in (20, 7, 1):
            own, membranes = made.initial_state(3, said), []
            for part in said.split(chunk):
                spikes, before, own = made.run(part, own, DT_MS)
                assert before is not None
                assert torch.equal(spikes, (before >= SETTINGS.threshold).to(dtype))
                membranes.append(before)
            torch.testing.assert_close(torch.cat(membranes), torch.stack(by_hand))


@every_kind
def test_the_response_is_that_of_neurons_that_never_spike(kind: str) -> None:
    made, said = population(kind), drive()
    zero = torch.zeros(3, 4, dtype=torch.float64)
    synapse, lif, membranes = AlphaState(zero, zero), LIFState(zero, zero), []
    for u in said:
        synapse, lif = alpha_step(SETTINGS.tau_ms, DT_MS, synapse, u), leaky_step(SETTINGS.lif(DT_MS), lif, u)
        membranes.append(synapse.value if kind == "srm_alpha" else lif.membrane)
    torch.testing.assert_close(made.response(said, DT_MS), torch.stack(membranes))


def test_recurrent_weights_are_heard_and_of_half_a_fan_ins_size() -> None:
    made = make_population("recurrent_lif", 300, SETTINGS, torch.Generator().manual_seed(0))
    assert isinstance(made, RecurrentLIF)
    assert float(made.recurrent_weight.detach().std()) == pytest.approx(0.5 / 300**0.5, rel=0.02)
    small, said = population("recurrent_lif"), drive()
    spikes, _ = small.sequence(said, small.initial_state(3, said), DT_MS)
    parameters = small.parameters_at(DT_MS)
    assert torch.equal(recurrent_lif_sequence(parameters, small.initial_state(3, said), said)[0], spikes)
    deaf = parameters._replace(recurrent_weight=torch.zeros(4, 4, dtype=torch.float64))
    assert not torch.equal(recurrent_lif_sequence(deaf, small.initial_state(3, said), said)[0], spikes)


@every_kind
def test_states_begin_at_zero_in_the_type_of_the_net(kind: str) -> None:
    for dtype in (torch.float32, torch.float64):
        state = population(kind).initial_state(3, torch.empty(0, dtype=dtype))
        assert all(part.shape == (3, 4) and part.dtype == dtype and not part.any() for part in state)


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        ("hodgkin_huxley", {}, "neuron"),
        *[("lif", {name: 0.0}, name) for name in ("tau_ms", "threshold")],
        ("lif", {"synapse_tau_ms": -1.0}, "synapse_tau_ms"),
        ("recurrent_lif", {"surrogate": "box"}, "surrogate"),
        ("adaptive_lif", {"adaptation_tau_ms": 0.0}, "adaptation_tau_ms"),
        ("srm_alpha", {"surrogate_width": 0.0}, "surrogate_width"),
        ("srm_alpha", {"refractory_scale": -1.0}, "refractory_scale"),
    ],
)
def test_a_constant_out_of_range_is_named(kind: str, wrong: dict[str, float | str], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"^`{named}`"):
        make_population(kind, 3, NeuronSettings(**wrong))  # type: ignore[arg-type]
