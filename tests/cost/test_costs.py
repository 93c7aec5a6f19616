"""Costs are what a machine counts that runs the same net one number at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import reference_nets
import reference_surrogates
from reference_machine import Machine, run_counts, run_gamma, run_gru, run_surrogate
from spikinggamma.cost import (
    ENERGY_TABLES,
    EventCounter,
    EventCounts,
    Work,
    cost_row,
    dense_cost,
    event_cost,
    layer_work,
)
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner
from spikinggamma.nn import CountNet, GammaNet, GRUNet, SequenceNet, conv_net, dense_net

DT_MS = 2.0
LENGTHS = torch.tensor([18, 11])


def fixed_threshold() -> GammaNet:
    return dense_net((6, 7, 5, 3), tau_ms=(4.0, 5.0), code=SigmaDelta(0.05, adaptation=0.0), input_gain=0.7)


def capped() -> GammaNet:
    return dense_net((6, 7, 3), tau_ms=(4.0,), code=SigmaDelta(0.02, max_spikes=2))


GAMMA: dict[str, Callable[[], GammaNet]] = {
    **{
        name: reference_nets.NETS[name] for name in ("dense", "per_synapse", "analogue", "unrectified", "convolutional")
    },
    "fixed_threshold": fixed_threshold,
    "capped": capped,
}
SURROGATE: dict[str, dict[str, Any]] = {
    "lif": {},
    "no synapse": {"settings": reference_surrogates.SETTINGS | {"synapse_tau_ms": 0.0}},
    "no membrane in the read-out": {"readout_tau_ms": 0.0},
    "spikes out": {"readout": "spikes"},
    "fractional": reference_surrogates.DELAYS["fractional"],
    "floored": reference_surrogates.DELAYS["floored"],
    "adaptive_lif": {"neuron": "adaptive_lif"},
    "recurrent_lif": {"neuron": "recurrent_lif"},
    "srm_alpha": {"neuron": "srm_alpha", "readout": "spikes"},
}


def input_spikes(shape: tuple[int, ...]) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    rate = torch.full((18, 2, *shape), 0.25, dtype=torch.float64)
    return torch.poisson(rate, generator=generator)


def measured(net: SequenceNet, spikes: Tensor, **options: Any) -> EventCounts:
    rule = "instantaneous" if isinstance(net, GammaNet) else "bptt"
    loss = "spikemax" if getattr(net, "readout", "") == "spikes" else "sum"
    learner = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS, **options)
    counter = EventCounter(net)
    learner.evaluate(spikes, torch.tensor([0, 1]), LENGTHS, observers=[counter])
    found = counter.counts
    assert found is not None
    return found


def agree(net: SequenceNet, run: Callable[[Machine, Tensor], Any], spikes: Tensor) -> None:
    """Both counts of the whole batch are those of the machine, and the machine says what the net says."""
    traffic = measured(net.eval(), spikes)
    logits = net(spikes, dt_ms=DT_MS)[0].detach()
    assert (traffic.recordings, traffic.steps) == (2, 29.0)
    for dense, cost in ((False, event_cost), (True, dense_cost)):
        machine = Machine(dense=dense)
        for b, length in enumerate(LENGTHS.tolist()):
            said = torch.tensor(run(machine, spikes[:length, b]), dtype=torch.float64)
            wanted = logits[:length, b] if said.ndim == 2 else logits[length - 1, b]
            torch.testing.assert_close(said, wanted, rtol=1e-6, atol=1e-9)
        found = cost(layer_work(net, DT_MS), traffic)
        work = found.synapses + found.neurons
        assert {name: getattr(work, name) for name in machine.done} == pytest.approx(machine.done)
        assert found.synaptic_operations == pytest.approx(machine.synaptic)


@pytest.mark.parametrize("name", GAMMA)
def test_spikinggamma_nets(name: str) -> None:
    net, _ = reference_nets.prepared(GAMMA[name])
    spikes = input_spikes(net.stack[0].in_shape)
    agree(net, lambda machine, said: run_gamma(machine, net, said, DT_MS), spikes)
    if net.hidden[0].code is not None:
        assert float(measured(net, spikes).messages[0]) > 3


@pytest.mark.parametrize("name", SURROGATE)
def test_surrogate_nets(name: str) -> None:
    net, _ = reference_surrogates.prepared(signal_per_threshold=2.0, **SURROGATE[name])
    spikes = input_spikes((reference_surrogates.CHANNELS,))
    agree(net, lambda machine, said: run_surrogate(machine, net, said, DT_MS), spikes)
    assert float(measured(net, spikes).messages[0]) > 3


def test_a_perceptron_on_counts() -> None:
    net = CountNet((5, 6, 4, 3), generator=torch.Generator().manual_seed(0)).double()
    spikes = input_spikes((5,))
    net.calibrate(spikes, dt_ms=DT_MS)
    agree(net, lambda machine, said: run_counts(machine, net, said), spikes)


def test_gated_units() -> None:
    net = GRUNet((5, 6, 4, 3), generator=torch.Generator().manual_seed(0)).double()
    spikes = input_spikes((5,))
    net.calibrate(spikes, dt_ms=DT_MS)
    agree(net, lambda machine, said: run_gru(machine, net, said), spikes)


@pytest.mark.parametrize("chunk", [1, 5])
def test_traffic_is_the_same_in_chunks(chunk: int) -> None:
    net, _ = reference_surrogates.prepared(signal_per_threshold=2.0, **SURROGATE["fractional"])
    spikes = input_spikes((reference_surrogates.CHANNELS,))
    whole, chunked = measured(net, spikes), measured(net, spikes, chunk=chunk)
    assert (chunked.recordings, chunked.steps) == (whole.recordings, whole.steps)
    assert torch.equal(chunked.messages, whole.messages)
    for one, other in zip(chunked[2:4], whole[2:4], strict=True):
        assert all(torch.equal(part, again) for part, again in zip(one, other, strict=True))


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 5), (3, 2)])
def test_fan_out_of_convolutions_is_exact_at_every_place(stride: int, kernel: int) -> None:
    net = conv_net((2, 7, 6), [(3, kernel, stride)], (4,), tau_ms=(4.0,))
    layer = net.stack[0]
    places = torch.eye(2 * 7 * 6).view(1, -1, 2, 7, 6)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        reached = layer.project(places).flatten(2).count_nonzero(2)
    assert torch.equal(layer.fan_out().flatten(), reached[0].float())


def test_rows_are_of_the_mean_recording() -> None:
    net, _ = reference_nets.prepared(reference_nets.dense)
    traffic = measured(net, input_spikes((6,)))
    row = cost_row(net, traffic, DT_MS, ENERGY_TABLES["float32"])
    assert row["seconds"] == pytest.approx(29 * 0.002 / 2)
    assert row["weight_memory_bytes"] == 4 * sum(parameter.numel() for parameter in net.parameters())
    # 15 neurons with 3 buckets each; 12 of them keep an estimate and a threshold's rise.
    assert row["state_memory_bytes"] == 4 * (15 * 3 + 12 * 2)
    event, dense = row["event"], row["dense"]
    assert event["state_updates"] == dense["state_updates"] == 29 * (15 * 3 + 12 * 2) / 2
    assert dense["synaptic_operations"] == 29 * (6 * 7 + 7 * 5 + 5 * 3) / 2
    assert event["synaptic_operations"] < dense["synaptic_operations"]
    assert dense["synaptic_operations_by_layer"] == [29 * pairs / 2 for pairs in (6 * 7, 7 * 5, 5 * 3)]
    assert event["synaptic_operations_by_layer"][0] == float(traffic.arrivals[0].sum()) * 7 / 2
    assert sum(event["synaptic_operations_by_layer"]) == event["synaptic_operations"]
    for figures in (event, dense):
        parts = figures["arithmetic_nj"] + figures["weights_nj"] + figures["states_nj"]
        assert figures["energy_nj"] == pytest.approx(parts)
        assert figures["energy_nj_per_s"] == pytest.approx(parts / row["seconds"])


def test_silence_costs_upkeep_alone() -> None:
    net = dense_net((6, 7, 3), tau_ms=(4.0, 5.0)).double()
    silent = measured(net, torch.zeros(18, 2, 6, dtype=torch.float64))
    cost = event_cost(layer_work(net, DT_MS), silent)
    assert cost.synapses == Work()
    assert cost.synaptic_operations == 0.0
    assert cost.neurons.multiply_accumulates == 29 * 10 * (1 + 2)  # a bucket moved, two mixed


def test_delay_lines_hold_every_step_that_a_delay_may_reach_back_to() -> None:
    net, _ = reference_surrogates.prepared(**SURROGATE["fractional"])
    row = cost_row(net, measured(net, input_spikes((6,))), DT_MS, ENERGY_TABLES["float32"])
    # Six channels, seven and five neurons, with delays up to 9 ms in steps of 2 ms: 0 to 4 steps back.
    assert row["delay_line_bytes"] == 4 * (6 + 7 + 5) * 5
    assert row["state_memory_bytes"] == 4 * 2 * (7 + 5 + 3)
