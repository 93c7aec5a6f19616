"""LIF nets carried to another step: the trained net itself at its own step, and the sampled continuous system at others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm, logm

from spikinggamma import SpikingGammaError
from spikinggamma.bench.rediscretisation import MAPPINGS, mapped_net, step_of
from spikinggamma.functional import LIFParameters
from spikinggamma.nn import SurrogateNet, dense_net

TRAINED_MS = 4.0


def parameters(tau_ms: float = 27.0, synapse_tau_ms: float = 20.0) -> LIFParameters:
    return LIFParameters(tau_ms, synapse_tau_ms, 1.0, "fast_sigmoid", TRAINED_MS)


def a_net(synapse_tau_ms: float = 20.0) -> SurrogateNet:
    generator = torch.Generator().manual_seed(0)
    options = {"tau_ms": 27.0, "synapse_tau_ms": synapse_tau_ms}
    net = SurrogateNet((12, 16, 16, 3), options=options, generator=generator)
    net.calibrate(spikes(50), dt_ms=TRAINED_MS)
    return net.eval()


def spikes(steps: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(steps, 4, 12, generator=generator) < 0.2).float()


@pytest.mark.long
@pytest.mark.parametrize("synapse_tau_ms", [0.0, 20.0, 27.0])
@pytest.mark.parametrize("mapping", MAPPINGS)
@torch.no_grad()
def test_at_its_own_step_a_mapped_net_is_the_trained_one(mapping: str, synapse_tau_ms: float) -> None:
    net = a_net(synapse_tau_ms)
    mapped = mapped_net(net, mapping, trained_ms=TRAINED_MS, run_ms=TRAINED_MS)
    expected, _ = net.run(spikes(60), net.initial_state(4), TRAINED_MS)
    found, _ = mapped.run(spikes(60), mapped.initial_state(4), TRAINED_MS)
    assert float(expected.layers[0].counts.sum()) > 50.0
    for one, other in zip(expected.layers, found.layers, strict=True):
        torch.testing.assert_close(one.outputs, other.outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.long
@torch.no_grad()
def test_without_a_mapping_of_its_constants_a_net_does_the_same_steps_whatever_their_length() -> None:
    net = a_net()
    mapped = mapped_net(net, "none", trained_ms=TRAINED_MS, run_ms=0.5)
    expected, _ = net(spikes(40), dt_ms=TRAINED_MS)
    torch.testing.assert_close(mapped(spikes(40), dt_ms=0.5)[0], expected, rtol=1e-4, atol=1e-5)
    as_it_is, _ = net(spikes(40), dt_ms=0.5)
    assert float((as_it_is - expected).abs().max()) > 0.1 * float(expected.abs().max())
    assert mapped_net(net, "", trained_ms=TRAINED_MS, run_ms=0.5) is net


@pytest.mark.long
@given(
    tau_ms=st.floats(5.0, 100.0),
    synapse_tau_ms=st.floats(2.0, 100.0),
    ratio=st.sampled_from([1 / 32, 1 / 8, 0.5, 1.25, 2.5]),
)
def test_exact_is_the_zero_order_hold_of_the_continuous_system(
    tau_ms: float, synapse_tau_ms: float, ratio: float
) -> None:
    """The oracle takes the logarithm and the exponential of the block matrix of system and held input."""
    trained = step_of(parameters(tau_ms, synapse_tau_ms))
    block = np.block([[trained.matrix, trained.gains[:, None]], [np.zeros((1, 2)), np.ones((1, 1))]])
    expected = expm(ratio * np.real(logm(block)))
    found = MAPPINGS["exact"](trained, ratio)
    np.testing.assert_allclose(found.matrix, expected[:2, :2], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ratio * found.gains, expected[:2, 2], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("synapse_tau_ms", [0.0, 20.0, 27.0])
@pytest.mark.parametrize("fine", [4, 32])
def test_an_input_held_over_a_coarse_step_leads_to_the_same_membrane(synapse_tau_ms: float, fine: int) -> None:
    """A spike spread evenly over the fine steps of one coarse step: equal areas, equal states at the coarse steps."""
    coarse = step_of(parameters(synapse_tau_ms=synapse_tau_ms))
    step = MAPPINGS["exact"](coarse, 1.0 / fine)
    inputs = np.random.default_rng(0).poisson(0.5, 30).astype(float)
    state, other = np.zeros(2), np.zeros(2)
    for u in inputs:
        state = coarse.matrix @ state + coarse.gains * u
        for _ in range(fine):
            other = step.matrix @ other + step.gains * (u / fine)
        assert other[1] == pytest.approx(state[1], rel=1e-9, abs=1e-12)


def test_a_fine_run_follows_the_differential_equation() -> None:
    """τ_m v' = i - v and τ_s i' = -i between inputs: what follows one spike has its shape, and nearly its size."""
    step = MAPPINGS["exact"](step_of(parameters()), 1.0 / 64.0)
    state, found = np.zeros(2), []
    for index in range(64 * 25):
        state = step.matrix @ state + step.gains * (index == 0)
        found.append(state[1])
    times_ms = TRAINED_MS / 64.0 * (1.0 + np.arange(len(found)))
    solved = solve_ivp(
        lambda _, z: [-z[0] / 20.0, (z[0] - z[1]) / 27.0], (0.0, times_ms[-1]), [1.0, 0.0], t_eval=times_ms, rtol=1e-8
    ).y[1]
    assert np.argmax(found) == pytest.approx(np.argmax(solved), abs=64)
    late = len(found) // 4
    shape, expected = np.array(found[late:]) / max(found), solved[late:] / solved.max()
    np.testing.assert_allclose(shape, expected, atol=0.05)


def test_what_cannot_be_mapped_is_named() -> None:
    with pytest.raises(SpikingGammaError, match="`mapping`: got 'nearly'; expected empty or one of none, exact"):
        mapped_net(a_net(), "nearly", trained_ms=4.0, run_ms=2.0)
    with pytest.raises(SpikingGammaError, match="exact for a GammaNet"):
        mapped_net(dense_net((3, 8, 2), tau_ms=(8.0,)), "exact", trained_ms=4.0, run_ms=2.0)
    delayed = SurrogateNet((3, 8, 2), delays="fractional", max_delay_ms=10.0)
    with pytest.raises(SpikingGammaError, match="exact for a AxonalDelays; expected a chain of LIF neurons"):
        mapped_net(delayed, "exact", trained_ms=4.0, run_ms=2.0)
