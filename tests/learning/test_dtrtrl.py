"""D-RTRL is BPTT for one hidden layer of any neuron under a read-out without memory, in chunks of any size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reference_chains import NEURON_OPTIONS, by_autograd, chain, learnt, made_up_neuron, spikes_for
from reference_nets import cosine, relative_error


@pytest.fixture(autouse=True, scope="module")
def _registered() -> Iterator[None]:
    with made_up_neuron():
        yield


@pytest.mark.long
@pytest.mark.parametrize("chunk", [1, 7, None])
@pytest.mark.parametrize("kind", NEURON_OPTIONS)
def test_it_is_bptt_for_one_hidden_layer(kind: str, chunk: int | None) -> None:
    net, spikes = chain(kind), spikes_for()
    for loss in ("each_step", "sum"):
        wanted = by_autograd(net, spikes, loss, price=0.2)
        assert all(bool(gradient.any()) for gradient in wanted.values())
        assert relative_error(learnt(net, spikes, "dtrtrl", loss, chunk=chunk, price=0.2), wanted) < 1e-10


@pytest.mark.long
@pytest.mark.parametrize("kind", ["adaptive_lif", "two_compartments"])
def test_recurrent_spikes_are_taken_as_given(kind: str) -> None:
    net, spikes = chain(kind, recurrent=True), spikes_for()
    wanted = by_autograd(net, spikes, "each_step")
    for chunk in (1, 7, None):
        assert relative_error(learnt(net, spikes, "dtrtrl", "each_step", chunk=chunk), wanted) < 1e-10


@pytest.mark.long
@pytest.mark.parametrize("hidden", [(7,), (7, 6)])
def test_for_a_constant_leak_it_is_ottt(hidden: tuple[int, ...]) -> None:
    net, spikes = chain("lif", hidden=hidden, readout_tau_ms=12.0), spikes_for()
    ottt = learnt(net, spikes, "ottt", "sum", chunk=7)
    assert relative_error(learnt(net, spikes, "dtrtrl", "sum", chunk=1), ottt) < 1e-10


def test_two_layers_down_it_points_the_same_way_as_bptt() -> None:
    net, spikes = chain("adaptive_lif", hidden=(20, 20)), spikes_for()
    wanted = by_autograd(net, spikes, "each_step")
    whole = learnt(net, spikes, "dtrtrl", "each_step")
    assert 0.1 < cosine(whole, wanted) < 1.0 - 1e-6
    assert relative_error(learnt(net, spikes, "dtrtrl", "each_step", chunk=1), whole) < 1e-10
