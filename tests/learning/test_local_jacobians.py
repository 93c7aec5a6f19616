"""Local Jacobians are autograd's derivatives of a neuron's step, and a constant leak is found where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from reference_chains import DT_MS, NEURON_OPTIONS, made_up_neuron
from spikinggamma.learning.local_jacobians import (
    constant_leak,
    find_slope,
    jacobian_of_leak,
    local_jacobian,
    own_jacobians,
    states_before,
    without_idle_states,
)
from spikinggamma.nn import Neuron, make_neuron


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with made_up_neuron():
        yield


def neurons_and_drive(kind: str) -> tuple[Neuron, torch.Tensor]:
    drive = 2.0 * torch.randn(9, 2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5
    return make_neuron(kind, (4,), NEURON_OPTIONS[kind], torch.Generator().manual_seed(3)).double(), drive


@pytest.mark.parametrize("kind", NEURON_OPTIONS)
def test_they_are_the_derivatives_of_the_step(kind: str) -> None:
    neuron, drive = neurons_and_drive(kind)
    found = local_jacobian(neuron, neuron.initial_state(2), drive, DT_MS)
    states = states_before(neuron, neuron.initial_state(2), drive, DT_MS)
    for t, sample, cell in ((0, 0, 0), (5, 1, 2), (8, 0, 3)):
        given = torch.stack([part[t, sample, cell] for part in (*states, drive)])

        def step(values: torch.Tensor) -> torch.Tensor:
            parts = [value.expand(1, 4) for value in values]
            spikes, after = neuron.step(neuron.State(*parts[:-1]), parts[-1], DT_MS)
            return torch.stack([part[0, cell] for part in (spikes, *after)])  # noqa: B023

        known = torch.autograd.functional.jacobian(step, given)
        assert isinstance(known, torch.Tensor)
        assert torch.allclose(found.out_state[:, t, sample, cell], known[0, :-1], atol=1e-14)
        assert torch.allclose(found.out_drive[t, sample, cell], known[0, -1], atol=1e-14)
        assert torch.allclose(found.state[:, :, t, sample, cell], known[1:, :-1], atol=1e-14)
        assert torch.allclose(found.drive[:, t, sample, cell], known[1:, -1], atol=1e-14)


@pytest.mark.parametrize("kind", ["brf", "adlif", "se_adlif"])
def test_a_parameter_is_one_more_drive(kind: str) -> None:
    neuron, drive = neurons_and_drive(kind)
    before = neuron.initial_state(2)
    found, plain = own_jacobians(neuron, before, drive, DT_MS), local_jacobian(neuron, before, drive, DT_MS)
    assert set(found) == set(dict(neuron.named_parameters()))
    states = states_before(neuron, before, drive, DT_MS)
    for name, jacobian in found.items():
        assert torch.equal(jacobian.state, plain.state)
        assert torch.equal(jacobian.out_state, plain.out_state)
        for t, sample, cell in ((3, 0, 0), (8, 1, 3)):
            known = derivative(neuron, name, [part[t] for part in states], drive[t])[:, sample]
            assert torch.allclose(jacobian.out_drive[t, sample, cell], known[0, cell, cell], atol=1e-14)
            assert torch.allclose(jacobian.drive[:, t, sample, cell], known[1:, cell, cell], atol=1e-14)
            assert not known[:, cell, torch.arange(4) != cell].any()


def derivative(neuron: Neuron, name: str, state: list[torch.Tensor], drive: torch.Tensor) -> torch.Tensor:
    """Of spikes and state after a step in a parameter, [1 + S, B, N, N]."""

    def step(values: torch.Tensor) -> torch.Tensor:
        given = {f"neuron.{name}": values}
        spikes, after = torch.func.functional_call(Stepped(neuron), given, (neuron.State(*state), drive))
        return torch.stack([spikes, *after])

    known = torch.autograd.functional.jacobian(step, neuron.get_parameter(name).detach())
    assert isinstance(known, torch.Tensor)
    return known


class Stepped(torch.nn.Module):
    def __init__(self, neuron: Neuron) -> None:
        super().__init__()
        self.neuron = neuron

    def forward(self, state: Any, drive: torch.Tensor) -> Any:
        return self.neuron.step(state, drive, DT_MS)


@pytest.mark.parametrize("kind", ["brf", "adlif", "se_adlif"])
def test_neurons_whose_parameters_learn_have_no_constant_leak(kind: str) -> None:
    assert constant_leak(neurons_and_drive(kind)[0], DT_MS) is None


@pytest.mark.parametrize("kind", ["lif", "srm_alpha"])
@pytest.mark.parametrize("told", [True, False])
def test_a_constant_leak_gives_the_same_derivatives(kind: str, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    neuron, drive = neurons_and_drive(kind)
    if not told:
        monkeypatch.setattr(type(neuron), "leak", None)
        monkeypatch.setattr(type(neuron), "slope", None)
    leak = constant_leak(neuron, DT_MS)
    assert leak is not None
    before = neuron.initial_state(2)
    found = jacobian_of_leak(leak, find_slope(neuron, leak, before, drive, DT_MS))
    for part, known in zip(found, local_jacobian(neuron, before, drive, DT_MS), strict=True):
        assert torch.allclose(part.expand_as(known), known, atol=1e-12)


@pytest.mark.parametrize("kind", ["adaptive_lif", "two_compartments"])
def test_dynamics_that_depend_on_spikes_are_no_constant_leak(kind: str) -> None:
    assert constant_leak(neurons_and_drive(kind)[0], DT_MS) is None


def test_a_current_that_does_not_last_is_left_out() -> None:
    neuron = make_neuron("lif", (4,), {"synapse_tau_ms": 0.0})
    leak = constant_leak(neuron, DT_MS)
    assert leak is not None
    assert without_idle_states(leak).state.shape == (1, 1)
