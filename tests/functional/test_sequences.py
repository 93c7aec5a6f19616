"""Every neuron: a sequence is its chunks is its steps, in values, states and gradients, however it is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikinggamma import functional as F
from spikinggamma.functional import (
    AdaptiveLIFParameters,
    AdaptiveLIFState,
    AdLIFParameters,
    AdLIFState,
    AlphaState,
    BRFParameters,
    BRFState,
    DelayParameters,
    DelayState,
    LIFParameters,
    LIFState,
    MLFParameters,
    MLFState,
    RecurrentLIFParameters,
    RecurrentLIFState,
    SEAdLIFParameters,
    SEAdLIFState,
    SigmaDelta,
    SpikingGammaParameters,
    SpikingGammaState,
    SRMAlphaParameters,
    SRMAlphaState,
    TCLIFParameters,
    TCLIFState,
)

State = tuple[Tensor, ...]
Outputs = tuple[Tensor, ...]
BATCH, NEURONS = 2, 3


class Neuron(NamedTuple):
    """Step and sequence of one call form, (state, input) -> (outputs, state), and where a recording starts."""

    step: Callable[[Any, Tensor], tuple[Outputs, State]]
    sequence: Callable[[Any, Tensor], tuple[Outputs, State]]
    start: State


def zeros(count: int) -> Iterable[Tensor]:
    return torch.zeros(count, BATCH, NEURONS, dtype=torch.float64).unbind(0)


def usual(name: str, parameters: Any, start: State) -> Neuron:
    """A neuron of the usual form: spikes and state out."""

    def adapted(function: Any) -> Callable[[Any, Tensor], tuple[Outputs, State]]:
        def call(state: Any, x: Tensor) -> tuple[Outputs, State]:
            outputs, after = function(parameters, state, x)
            return (outputs if isinstance(outputs, tuple) else (outputs,)), after

        return call

    return Neuron(adapted(getattr(F, f"{name}_step")), adapted(getattr(F, f"{name}_sequence")), start)


def leaky() -> Neuron:
    def step(state: LIFState, x: Tensor) -> tuple[Outputs, State]:
        after = F.leaky_step(LIF, state, x)
        return (after.membrane,), after

    return usual("leaky", LIF, LIFState(*zeros(2)))._replace(step=step)


def alpha() -> Neuron:
    def step(state: AlphaState, x: Tensor) -> tuple[Outputs, State]:
        after = F.alpha_step(5.0, 1.0, state, x)
        return (after.value,), after

    def sequence(state: AlphaState, x: Tensor) -> tuple[Outputs, State]:
        values, after = F.alpha_sequence(5.0, 1.0, state, x)
        return (values,), after

    return Neuron(step, sequence, AlphaState(*zeros(2)))


def gamma() -> Neuron:
    alphas = torch.tensor([0.8, 0.6, 0.7], dtype=torch.float64)

    def step(state: State, x: Tensor) -> tuple[Outputs, State]:
        after = F.gamma_step(alphas, state[0], x)
        return (after,), (after,)

    def sequence(state: State, x: Tensor) -> tuple[Outputs, State]:
        traces, after = F.gamma_sequence(alphas, state[0], x)
        return (traces,), (after,)

    return Neuron(step, sequence, (torch.stack([*zeros(3)]),))


def spiking_gamma() -> Neuron:
    alphas, v = torch.tensor([0.8, 0.6], dtype=torch.float64), torch.ones(2, NEURONS, dtype=torch.float64)
    parameters = SpikingGammaParameters(alphas, v, 0.1 * v[0], SigmaDelta(threshold=0.2, adaptation=0.3), 1.0)
    return usual("spiking_gamma", parameters, SpikingGammaState(torch.stack([*zeros(2)]), *zeros(2)))


def delayed(name: str) -> Neuron:
    parameters = DelayParameters(torch.tensor([0.0, 1.5, 4.0], dtype=torch.float64), 4.0, 1.0)
    return usual(name, parameters, DelayState(torch.stack([*zeros(parameters.remembered_steps())])))


LIF = LIFParameters(6.0, 3.0, 1.0, "fast_sigmoid", 1.0)
HEARD = torch.tensor([[0.5, -2.0, 1.0], [3.0, 0.0, -1.0], [-1.0, 2.0, 0.0]], dtype=torch.float64)
ADAPTING = torch.tensor([[4, 9, 20], [30, 50, 90], [0.1, 0.7, 1.0], [0.3, 1.0, 2.0]], dtype=torch.float64)
OWN = torch.tensor([[5.0, 40.0, 90.0], [0.5, 3.0, 9.0]], dtype=torch.float64)
NEURONS_BY_NAME: dict[str, Callable[[], Neuron]] = {
    "gamma": gamma,
    "spiking_gamma": spiking_gamma,
    "leaky": leaky,
    "lif": lambda: usual("lif", LIF, LIFState(*zeros(2))),
    "adaptive_lif": lambda: usual("adaptive_lif", AdaptiveLIFParameters(LIF, 0.3, 30.0), AdaptiveLIFState(*zeros(3))),
    "recurrent_lif": lambda: usual("recurrent_lif", RecurrentLIFParameters(LIF, HEARD), RecurrentLIFState(*zeros(3))),
    "adlif": lambda: usual("adlif", AdLIFParameters(*ADAPTING, 1.0, "arctan", 2.0, 1.0), AdLIFState(*zeros(2))),
    "se_adlif": lambda: usual(
        "se_adlif", SEAdLIFParameters(*ADAPTING, 9.0, 1.0, "arctan", 2.0, 1.0), SEAdLIFState(*zeros(2))
    ),
    "tc_lif": lambda: usual(
        "tc_lif",
        TCLIFParameters(-OWN[1] / 10.0, OWN[1] / 20.0, 0.7, 1.0, True, "arctan", 2.0, 3.0),
        TCLIFState(*zeros(2)),
    ),
    "mlf": lambda: usual("mlf", MLFParameters(3.0, 2, 0.6, 1.0, "arctan", 2.0), MLFState(torch.stack([*zeros(2)]))),
    "alpha": alpha,
    "brf": lambda: usual(
        "brf", BRFParameters(OWN[0], OWN[1], 30.0, 20.0, 60.0, 1.0, "arctan", 4.0), BRFState(*zeros(3))
    ),
    "srm_alpha": lambda: usual(
        "srm_alpha", SRMAlphaParameters(4.0, 2.0, 2.0, 1.0, 0.5, 1.0, 1.0), SRMAlphaState(*zeros(4))
    ),
    "fractional_delay": lambda: delayed("fractional_delay"),
    "floored_delay": lambda: delayed("floored_delay"),
}


def test_every_sequence_of_the_room_is_here() -> None:
    assert set(NEURONS_BY_NAME) == {name.removesuffix("_sequence") for name in F.__all__ if name.endswith("_sequence")}


def run(neuron: Neuron, drive: Tensor, cuts: list[int] | None) -> tuple[Outputs, State]:
    """The whole input in one call (no cuts), in the chunks between the cuts, or, cuts being None, step by step."""
    state, parts = neuron.start, []
    if cuts is None:
        for x in drive.unbind(0):
            outputs, state = neuron.step(state, x)
            parts.append(tuple(output.unsqueeze(0) for output in outputs))
    else:
        for x in drive.tensor_split(cuts):
            outputs, state = neuron.sequence(state, x)
            parts.append(outputs)
    return tuple(torch.cat(pieces) for pieces in zip(*parts, strict=True)), tuple(state)


@pytest.mark.parametrize("name", NEURONS_BY_NAME)
@settings(max_examples=6, derandomize=True)
@given(steps=st.integers(1, 16), places=st.sets(st.integers(1, 15)), seed=st.integers(0, 2**31 - 1))
def test_sequence_is_its_chunks_is_its_steps(name: str, steps: int, places: set[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    drive = 1.0 + 2.0 * torch.randn(steps, BATCH, NEURONS, generator=generator, dtype=torch.float64)
    neuron, cuts = NEURONS_BY_NAME[name](), sorted(place for place in places if place < steps)
    results = []
    for where in ([], cuts, None):
        leaf = drive.clone().requires_grad_()
        outputs, state = run(neuron, leaf, where)
        generator.manual_seed(seed)
        total = sum((part * torch.randn(part.shape, generator=generator)).sum() for part in (*outputs, *state))
        assert isinstance(total, Tensor)
        (gradient,) = torch.autograd.grad(total, leaf)
        results.append(([part.detach() for part in (*outputs, *state)], gradient))
    for values, gradient in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(values, results[0][0], strict=True))
        torch.testing.assert_close(gradient, results[0][1], rtol=1e-9, atol=1e-11)
