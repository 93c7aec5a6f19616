"""e-prop is BPTT for one hidden layer of any neuron under any read-out, recurrent spikes being taken as given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from reference_chains import NEURON_OPTIONS, by_autograd, chain, learnt, made_up_neuron, spikes_for
from reference_nets import relative_error
from spikinggamma.learning import RULES
from spikinggamma.learning.eligibility import flushed
from spikinggamma.nn import AxonalDelays, Chain


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with made_up_neuron():
        yield


@pytest.mark.long
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("kind", NEURON_OPTIONS)
def test_it_is_bptt_for_one_hidden_layer(kind: str, recurrent: bool) -> None:
    spikes = spikes_for()
    for readout_tau_ms, chunk in ((0.0, 7), (15.0, 1), (15.0, 7), (15.0, None)):
        net = chain(kind, readout_tau_ms=readout_tau_ms, recurrent=recurrent)
        wanted = by_autograd(net, spikes, "each_step", price=0.2)
        assert all(bool(gradient.any()) for gradient in wanted.values())
        assert relative_error(learnt(net, spikes, "eprop", "each_step", chunk=chunk, price=0.2), wanted) < 1e-10


@pytest.mark.long
@pytest.mark.parametrize("kind", ["adaptive_lif", "lif"])
def test_delays_of_the_input_learn_too(kind: str) -> None:
    plain = chain(kind, readout_tau_ms=15.0)
    for delays in ("fractional", "floored"):
        first = AxonalDelays((6,), kind=delays, max_delay_ms=9.0, initial_delay_ms=8.0)
        net = Chain([first, *plain.layers], (6,)).double()
        wanted = by_autograd(net, spikes_for(), "each_step")
        for chunk in (1, 7, None):
            assert relative_error(learnt(net, spikes_for(), "eprop", "each_step", chunk=chunk), wanted) < 1e-10


def test_what_it_keeps_does_not_grow() -> None:
    net = chain("adaptive_lif", readout_tau_ms=15.0)
    rule = RULES["eprop"].target(net, 2.0, RULES["eprop"].make_options())
    state, sizes = net.initial_state(3), []
    for _ in range(6):
        with torch.no_grad():
            activations, state = net.run(spikes_for(steps=4), state, 2.0)
        rule.accumulate(activations, torch.ones(4, 3, 3, dtype=torch.float64))
        sizes.append([one._traces is None or one._traces.shape for block in rule._traced for one in block._synapses])
    assert sizes[1:] == [[(3 + 2, 3, 7, 6)]] * 5


def test_traces_are_zero_before_they_are_subnormal() -> None:
    traces = torch.tensor([1e-37, -1e-30, 1e-18, 0.5])
    assert flushed(traces).tolist() == pytest.approx([0.0, 0.0, 1e-18, 0.5], rel=1e-6)
    assert torch.equal(flushed(traces.double()), traces.double())
