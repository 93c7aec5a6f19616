"""TC-LIF: the printed form and the released program, the substitution between them, its Jacobian, and what does not leak."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    SURROGATES,
    TCLIFParameters,
    TCLIFState,
    find_surrogate,
    tc_lif_sequence,
    tc_lif_step,
)

TRIANGLE = find_surrogate("triangle", height=1.0)


def parameters(*, to_dendrite: float = -0.5, to_soma: float = 0.5, **other: object) -> TCLIFParameters:
    couplings = (torch.tensor(value, dtype=torch.float64) for value in (to_dendrite, to_soma))
    return TCLIFParameters(*couplings, 0.5, 1.0, False, TRIANGLE, 1.0, 1.0)._replace(**other)


def zeros(batch: int = 2, neurons: int = 3) -> TCLIFState:
    return TCLIFState(*torch.zeros(2, batch, neurons, dtype=torch.float64).unbind(0))


def drive(steps: int = 200) -> Tensor:
    return 0.6 * torch.randn(steps, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1


def printed(p: TCLIFParameters, current: Tensor) -> Tensor:
    """Dendrite, then soma, both from the step before."""
    dendrite, soma, spikes, said = *(torch.zeros(2, 3, dtype=torch.float64) for _ in range(3)), []
    for x in current.unbind(0):
        dendrite = dendrite + p.soma_to_dendrite * soma + x - p.dendrite_reset * spikes
        soma = soma + p.dendrite_to_soma * dendrite - p.threshold * spikes
        spikes = TRIANGLE(soma - p.threshold)
        said.append(spikes)
    return torch.stack(said)


def released(p: TCLIFParameters, current: Tensor) -> Tensor:
    """As in the program: charge, fire, reset both."""
    dendrite, soma, said = torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.float64), []
    for x in current.unbind(0):
        dendrite = dendrite + p.soma_to_dendrite * soma + x
        soma = soma + p.dendrite_to_soma * dendrite
        spikes = TRIANGLE(soma - p.threshold)
        dendrite, soma = dendrite - p.dendrite_reset * spikes, soma - p.threshold * spikes
        said.append(spikes)
    return torch.stack(said)


@pytest.mark.parametrize(("reset_first", "form"), [(False, printed), (True, released)])
def test_each_order_of_reset_is_its_form_in_value_and_gradient(reset_first: bool, form: object) -> None:
    gradients = []
    for run in (form, lambda p, x: tc_lif_sequence(p, zeros(), x)[0]):
        own = [one.clone().requires_grad_() for one in parameters()[:2]]
        leaf = drive(60).requires_grad_()
        spikes = run(TCLIFParameters(*own, *parameters(reset_first=reset_first)[2:]), leaf)  # type: ignore[operator]
        weight = torch.randn(60, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        gradients.append([spikes.detach(), *torch.autograd.grad((spikes * weight).sum(), [leaf, *own])])
    assert 0.05 < float(gradients[0][0].mean()) < 0.9
    assert torch.equal(gradients[0][0], gradients[1][0])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_the_program_is_the_print_with_another_reset_of_the_dendrite() -> None:
    for to_dendrite, reset in ((-0.5, 0.5), (-0.2, 0.7)):
        program = parameters(to_dendrite=to_dendrite, dendrite_reset=reset, reset_first=True)
        said, _ = tc_lif_sequence(program, zeros(), drive())
        substituted = parameters(to_dendrite=to_dendrite, dendrite_reset=reset + to_dendrite)
        assert torch.equal(tc_lif_sequence(substituted, zeros(), drive())[0], said)
        plain = parameters(to_dendrite=to_dendrite, dendrite_reset=reset)
        assert not torch.equal(tc_lif_sequence(plain, zeros(), drive())[0], said)


def test_the_jacobian_of_a_step_is_that_of_its_equations() -> None:
    # With D' = D + β₁ U + I and U' = U + β₂ D': rows [1, β₁] and [β₂, 1 + β₁ β₂], where no spike is near.
    p, state = parameters(threshold=1e6), torch.randn(2, 1, 1, dtype=torch.float64)

    def step(dendrite: Tensor, soma: Tensor) -> tuple[Tensor, Tensor]:
        # What is held is the dendrite after it has heard the soma: undo that before, and again after the step.
        held = TCLIFState(dendrite + p.soma_to_dendrite * soma, soma)
        _, after = tc_lif_step(p, held, torch.zeros(1, 1, dtype=torch.float64))
        return after.dendrite - p.soma_to_dendrite * after.soma, after.soma

    rows = torch.autograd.functional.jacobian(step, (state[0], state[1]))
    found = torch.tensor([[float(entry) for entry in row] for row in rows], dtype=torch.float64)
    torch.testing.assert_close(found, torch.tensor([[1.0, -0.5], [0.5, 0.75]], dtype=torch.float64))
    torch.testing.assert_close(torch.linalg.det(found), torch.tensor(1.0, dtype=torch.float64))


def test_below_threshold_nothing_is_lost() -> None:
    # The quadratic form that both steps keep: -β₁ U² + β₂ D² + β₁ β₂ D U.
    p = parameters(threshold=1e6, to_dendrite=-0.3, to_soma=0.4)
    state = TCLIFState(torch.tensor([[1.0]], dtype=torch.float64), torch.tensor([[0.5]], dtype=torch.float64))
    kept = []
    for _ in range(500):
        _, state = tc_lif_step(p, state, torch.zeros(1, 1, dtype=torch.float64))
        dendrite, soma = float(state.dendrite) + 0.3 * float(state.soma), float(state.soma)
        kept.append(0.3 * soma**2 + 0.4 * dendrite**2 - 0.12 * dendrite * soma)
    assert kept == pytest.approx([kept[0]] * 500, rel=1e-9)


def test_the_couplings_are_those_of_the_reference_step_for_a_slow_oscillation() -> None:
    # D' = β₁ U / dt₁ and U' = β₂ D / dt₁ turn with √(-β₁ β₂) / dt₁ for short steps.
    for dt_ms in (0.1, 0.5):
        p = parameters(threshold=1e6, to_dendrite=-0.2, to_soma=0.1, dt_ms=dt_ms, reference_ms=2.0)
        pulse = torch.zeros(round(200 / dt_ms), 2, 3, dtype=torch.float64)
        pulse[0] = 1.0
        state, somas = zeros(), []
        for x in pulse.unbind(0):
            _, state = tc_lif_step(p, state, x)
            somas.append(float(state.soma[0, 0]))
        crossings = [t * dt_ms for t in range(1, len(somas)) if somas[t - 1] > 0.0 >= somas[t]]
        assert crossings[0] == pytest.approx(math.pi * 2.0 / math.sqrt(0.02), rel=0.02)


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_any_surrogate_passes_gradients(surrogate: str) -> None:
    leaf = drive(40).requires_grad_()
    tc_lif_sequence(parameters(surrogate=surrogate), zeros(), leaf)[0].sum().backward()
    assert leaf.grad is not None
    assert bool(leaf.grad.any())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"dendrite_reset": -0.1}, "dendrite_reset"),
        ({"reference_ms": math.inf}, "reference_ms"),
        ({"dendrite_to_soma": torch.tensor(math.nan)}, "dendrite_to_soma"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], named: str) -> None:
    kept = parameters()
    assert kept.validate() is kept
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        kept._replace(**change).validate()
