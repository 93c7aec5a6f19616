"""OTPE is BPTT for one hidden layer, and its own definition step by step further down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from reference_chains import (
    DT_MS,
    LENGTHS,
    NEURON_OPTIONS,
    TARGETS,
    by_autograd,
    chain,
    learnt,
    made_up_neuron,
    spikes_for,
)
from reference_nets import relative_error
from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.functional import LIFParameters, LIFState, leaky_step, surrogate_slope
from spikinggamma.learning import Learner
from spikinggamma.nn import Chain, Integrator, Linear


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with made_up_neuron():
        yield


@pytest.mark.long
@pytest.mark.parametrize("readout_tau_ms", [0.0, 15.0])
@pytest.mark.parametrize("kind", NEURON_OPTIONS)
def test_it_is_bptt_for_one_hidden_layer(kind: str, readout_tau_ms: float) -> None:
    net, spikes = chain(kind, readout_tau_ms=readout_tau_ms), spikes_for()
    wanted = by_autograd(net, spikes, "sum", price=0.2)
    for chunk in (1, 7, None):
        assert relative_error(learnt(net, spikes, "otpe", "sum", chunk=chunk, price=0.2), wanted) < 1e-10


def by_definition(net: Chain, spikes: Tensor) -> dict[str, Tensor]:
    """The loop over time for LIF layers: one estimate for each synapse, filtered as the layer above filters."""
    weights = [layer.weight.detach() for layer in net.layers if isinstance(layer, Linear)]
    lif = LIFParameters(9.0, 5.0, 1.0, "fast_sigmoid", DT_MS)
    integrator = next(layer for layer in net.layers if isinstance(layer, Integrator))
    readout = integrator.parameters_at(DT_MS)
    assert readout is not None
    filters = [lif] * (len(weights) - 1) + [readout]
    names = [name for name, _ in net.named_parameters()]
    with torch.no_grad():
        logits = net.run(spikes, net.initial_state(3), DT_MS)[0].layers[-1].outputs
    (delta,) = torch.autograd.grad(
        reference_loss("each_step", logits.requires_grad_(), TARGETS, LENGTHS, DT_MS), logits
    )
    found = [torch.zeros_like(weight) for weight in weights]
    zero = torch.zeros(3, 1, dtype=torch.float64)
    membranes = [LIFState(zero, zero) for _ in weights]
    traces = [LIFState(zero, zero) for _ in weights]
    estimates = [LIFState(zero.unsqueeze(2), zero.unsqueeze(2)) for _ in weights[:-1]]
    for t, message in enumerate(spikes):
        slopes, signal = [], message
        for index, weight in enumerate(weights):
            traces[index] = leaky_step(filters[index], traces[index], signal)
            membranes[index] = leaky_step(filters[index], membranes[index], signal @ weight.T)
            if index == len(weights) - 1:
                break
            before = membranes[index].membrane
            slopes.append(surrogate_slope("fast_sigmoid", before - 1.0))
            signal = (before >= 1.0).double()
            membranes[index] = membranes[index]._replace(membrane=before - signal)
            eligibility = slopes[index].unsqueeze(2) * traces[index].membrane.unsqueeze(1)
            estimates[index] = leaky_step(filters[index + 1], estimates[index], eligibility)
        grad, first = delta[t], 1.0 - readout.decays()[1]
        found[-1] += grad.T @ traces[-1].membrane
        for index in reversed(range(len(weights) - 1)):
            held = grad @ weights[index + 1]
            found[index] += (held.unsqueeze(2) * estimates[index].membrane).sum(0)
            grad, first = slopes[index] * first * held, 1.0 - lif.decays()[1]
    return dict(zip(names, [*found, delta.sum((0, 1))], strict=True))


@pytest.mark.long
@pytest.mark.parametrize("hidden", [(7,), (7, 6, 5)])
def test_it_is_its_definition_step_by_step(hidden: tuple[int, ...]) -> None:
    net, spikes = chain("lif", hidden=hidden, readout_tau_ms=15.0), spikes_for()
    wanted = by_definition(net, spikes)
    assert all(bool(gradient.any()) for gradient in wanted.values())
    for chunk in (1, 7, None):
        assert relative_error(learnt(net, spikes, "otpe", "each_step", chunk=chunk), wanted) < 1e-10


def test_layers_above_the_first_need_a_constant_leak() -> None:
    with pytest.raises(SpikingGammaError, match=r"otpe for a chain whose layer 3 is AdaptiveLIF; .*constant leak"):
        Learner(chain("adaptive_lif", hidden=(7, 6)), rule="otpe", loss="sum", dt_ms=DT_MS)
