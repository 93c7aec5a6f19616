"""Recurrent LIF neurons: a dialogue of two worked by hand, and gradients by finite differences of a linear twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spikinggamma import SpikingGammaError
from spikinggamma.functional import (
    LIFParameters,
    LIFState,
    RecurrentLIFParameters,
    RecurrentLIFState,
    lif_sequence,
    recurrent_lif_sequence,
    recurrent_lif_step,
)

HALF = 1.0 / math.log(2.0)
LIF = LIFParameters(tau_ms=HALF, synapse_tau_ms=HALF, threshold=1.0, surrogate="fast_sigmoid", dt_ms=1.0)

Array = NDArray[np.float64]


def zeros(batch: int, neurons: int) -> RecurrentLIFState:
    return RecurrentLIFState(*torch.zeros(3, batch, neurons, dtype=torch.float64).unbind(0))


def some(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_dialogue_worked_by_hand() -> None:
    # Neuron 0 excites 1 by 4, 1 inhibits 0 by 2; all decays are 1/2; only 0 is driven, once.
    # t      u + R s(t-1)    i              v⁻                s        v
    # 0      (4, 0)          (4, 0)         (2, 0)            (1, 0)   (1, 0)
    # 1      (0, 4)          (2, 4)         (3/2, 2)          (1, 1)   (1/2, 1)
    # 2      (-2, 4)         (-1, 6)        (-1/4, 7/2)       (0, 1)   (-1/4, 5/2)
    # 3      (-2, 0)         (-5/2, 3)      (-11/8, 11/4)     (0, 1)   (-11/8, 7/4)
    weight = torch.tensor([[0.0, -2.0], [4.0, 0.0]], dtype=torch.float64)
    state, seen = zeros(1, 2), []
    for u in ([4.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]):
        drive = torch.tensor([u], dtype=torch.float64)
        spikes, state = recurrent_lif_step(RecurrentLIFParameters(LIF, weight), state, drive)
        assert torch.equal(state.spikes, spikes)
        seen.append(torch.cat([state.current, spikes, state.membrane], 1).flatten().tolist())
    assert seen == [
        pytest.approx([4, 0, 1, 0, 1, 0]),
        pytest.approx([2, 4, 1, 1, 0.5, 1]),
        pytest.approx([-1, 6, 0, 1, -0.25, 2.5]),
        pytest.approx([-2.5, 3, 0, 1, -1.375, 1.75]),
    ]


def test_it_is_a_lif_that_hears_itself_one_step_late() -> None:
    weight, drive = 1.5 * some(5, 5, seed=0), 2 * some(40, 3, 5, seed=1)
    spikes, end = recurrent_lif_sequence(RecurrentLIFParameters(LIF, weight), zeros(3, 5), drive)
    assert 0.1 < float(spikes.mean()) < 0.9
    late = torch.cat([torch.zeros_like(spikes[:1]), spikes[:-1]])
    wanted, last = lif_sequence(LIF, LIFState(*zeros(3, 5)[:2]), drive + late @ weight.T)
    assert torch.equal(spikes, wanted)
    torch.testing.assert_close((end.current, end.membrane), tuple(last))
    deaf, _ = recurrent_lif_sequence(RecurrentLIFParameters(LIF, torch.zeros_like(weight)), zeros(3, 5), drive)
    assert torch.equal(deaf, lif_sequence(LIF, LIFState(*zeros(3, 5)[:2]), drive)[0])


def margins(drive: Array, weight: Array, said: Array | None = None, centre: Array | None = None) -> tuple[Array, Array]:
    """Spikes and v⁻ - ϑ of the neuron written anew, [T, N]; time constants of 6 and 3 steps, ϑ = 1.

    With `said` and `centre`, spikes and margins of a reference run, it is that run's linear twin: s moves by ψ of the
    reference times the change of the margin, the reset stays the reference's. Its true derivative is, by definition, the
    surrogate gradient of the spiking neuron at the reference.
    """
    kappa, beta = math.exp(-1 / 3), math.exp(-1 / 6)
    current, membrane, before = np.zeros((3, drive.shape[1]))
    spikes, seen = [], []
    for t, u in enumerate(drive):
        current = kappa * current + u + weight @ before
        margin = beta * membrane + (1 - beta) * current - 1.0
        fired = (margin >= 0).astype(float) if said is None else said[t]
        before = fired if centre is None else fired + (1 + 10 * np.abs(centre[t])) ** -2 * (margin - centre[t])
        membrane = margin + 1.0 - fired
        spikes.append(before)
        seen.append(margin)
    return np.stack(spikes), np.stack(seen)


def test_gradients_are_the_finite_differences_of_the_linear_twin() -> None:
    lif = LIFParameters(tau_ms=6.0, synapse_tau_ms=3.0, threshold=1.0, surrogate="fast_sigmoid", dt_ms=1.0)
    weight, drive = 2 * some(3, 3, seed=2), 1.5 * some(15, 1, 3, seed=3) + 0.5
    grad = some(15, 1, 3, seed=4)
    leaves = [drive.clone().requires_grad_(), weight.clone().requires_grad_()]
    spikes, _ = recurrent_lif_sequence(RecurrentLIFParameters(lif, leaves[1]), zeros(1, 3), leaves[0])
    found = torch.autograd.grad((spikes * grad).sum(), leaves)

    at = [drive.squeeze(1).numpy(), weight.numpy()]
    said, centre = margins(at[0], at[1])
    assert 0.1 < said.mean() < 0.9
    np.testing.assert_array_equal(said, spikes.detach().squeeze(1).numpy())

    def loss(values: list[Array]) -> float:
        return float((margins(values[0], values[1], said, centre)[0] * grad.squeeze(1).numpy()).sum())

    for which, gradient in enumerate(found):
        wanted = np.zeros_like(at[which])
        for place in np.ndindex(wanted.shape):
            sides = []
            for nudge in (1e-5, -1e-5):
                moved = [values.copy() for values in at]
                moved[which][place] += nudge
                sides.append(loss(moved))
            wanted[place] = (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(gradient.numpy().reshape(wanted.shape), wanted, rtol=1e-6, atol=1e-8)


def test_values_out_of_range_are_named() -> None:
    good = RecurrentLIFParameters(LIF, torch.eye(3))
    assert good.validate() is good
    with pytest.raises(SpikingGammaError, match="`recurrent_weight`: got infinite"):
        good._replace(recurrent_weight=torch.full((3, 3), math.nan)).validate()
    with pytest.raises(SpikingGammaError, match=r"`recurrent_weight`: got \[3, 4\]"):
        good._replace(recurrent_weight=torch.zeros(3, 4)).validate()
    with pytest.raises(SpikingGammaError, match="`tau_ms`"):
        good._replace(lif=LIF._replace(tau_ms=0.0)).validate()
