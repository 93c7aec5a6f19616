"""After calibration every layer is at the level that was asked for, wherever in a chain it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.nn import Chain, GammaLayer, Integrator, Neuron, Recurrent, make_chain

DT_MS = 2.0
LEVEL = 1.7
LENGTHS = torch.tensor([30, 21, 12])
LIF: dict[str, Any] = {"layer": "lif", "tau_ms": 8.0, "synapse_tau_ms": 4.0, "threshold": 0.6}
SIX: dict[str, Any] = {"layer": "linear", "neurons": 6}
END: tuple[dict[str, Any], ...] = ({"layer": "linear", "neurons": 3}, {"layer": "integrator", "tau_ms": 12.0})
CHAINS: dict[str, tuple[dict[str, Any], ...]] = {
    "row": (SIX, LIF, SIX, {"layer": "srm_alpha", "tau_ms": 6.0}, *END),
    "delays": (
        {"layer": "axonal_delay", "max_ms": 8.0},
        SIX,
        LIF,
        {"layer": "synaptic_delay", "neurons": 6, "max_ms": 6.0},
        LIF,
        *END,
    ),
    "skip": (SIX, LIF, {"layer": "temporal_skip", "delay_ms": 4.0, "branch": (SIX, LIF)}, SIX, LIF, *END),
    "concatenated": (
        SIX,
        LIF,
        {"layer": "temporal_skip", "delay_ms": 4.0, "combine": "concatenate", "branch": (SIX, LIF)},
        SIX,
        LIF,
        *END,
    ),
    "residual": (SIX, LIF, {"layer": "residual", "branch": (SIX, LIF), "shortcut": (SIX, LIF)}, SIX, LIF, *END),
    "nested": (
        SIX,
        LIF,
        {"layer": "residual", "branch": ({"layer": "temporal_skip", "delay_ms": 2.0, "branch": (SIX, LIF)},)},
        SIX,
        LIF,
        *END,
    ),
    "gamma": ({"layer": "gamma", "neurons": 6, "tau_ms": (4.0, 8.0)}, SIX, LIF, *END),
}


def made(layers: Sequence[dict[str, Any]], shape: Sequence[int] = (5,)) -> tuple[Chain, Tensor]:
    """A calibrated chain in double precision, and the spikes that it was calibrated on."""
    generator = torch.Generator().manual_seed(3)
    net = make_chain(layers, shape, generator=generator).double()
    spikes = torch.poisson(torch.full((30, 3, *shape), 0.4).double(), generator)
    net.calibrate(spikes, dt_ms=DT_MS, lengths=LENGTHS, signal_per_threshold=LEVEL)
    return net.eval(), spikes


def rms(signal: Tensor) -> float:
    """Root mean square over the steps of recordings."""
    valid = torch.arange(len(signal)).unsqueeze(1) < LENGTHS
    return float(signal.detach()[valid].square().mean().sqrt())


@pytest.mark.parametrize("name", CHAINS)
def test_every_layer_is_at_the_level(name: str) -> None:
    """A neuron's membrane that never resets is LEVEL thresholds high, a SpikingGamma signal too, and the logits are 1."""
    net, spikes = made(CHAINS[name])
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    seen = 0
    for call in activations.calls:
        layer = call.layer.neuron if isinstance(call.layer, Recurrent) else call.layer
        if isinstance(layer, Neuron):
            assert rms(layer.response(call.inputs, DT_MS)) == pytest.approx(LEVEL, rel=1e-9)
        elif isinstance(layer, GammaLayer):
            assert layer.code is not None
            signal = layer.run(call.inputs, layer.initial_state(3), DT_MS)[0].signal
            assert rms(signal) == pytest.approx(LEVEL * layer.code.threshold, rel=1e-9)
        elif isinstance(layer, Integrator):
            assert rms(call.outputs) == pytest.approx(1.0, rel=1e-9)
        else:
            continue
        seen += 1
    assert seen == len(net.hidden) + 1


@pytest.mark.parametrize("name", CHAINS)
def test_calibrating_again_changes_nothing(name: str) -> None:
    net, spikes = made(CHAINS[name])
    factors = net.calibrate(spikes, dt_ms=DT_MS, lengths=LENGTHS, signal_per_threshold=LEVEL)
    assert factors == pytest.approx([1.0] * len(factors), rel=1e-9)
    assert len(factors) > 1


def test_what_lies_behind_a_recording_has_no_say() -> None:
    layers = CHAINS["skip"]
    nets = [make_chain(layers, (5,), generator=torch.Generator().manual_seed(3)).double() for _ in range(2)]
    spikes = torch.poisson(torch.full((30, 3, 5), 0.4).double(), torch.Generator().manual_seed(1))
    other = spikes.clone()
    for sample, length in enumerate(LENGTHS):
        other[int(length) :, sample] = 5.0
    found = [
        net.calibrate(batch, dt_ms=DT_MS, lengths=LENGTHS) for net, batch in zip(nets, (spikes, other), strict=True)
    ]
    assert found[0] == found[1]


def test_feedback_is_at_the_level_while_nothing_has_come_back() -> None:
    around = {"layer": "feedback", "delay_ms": 1000.0, "branch": (SIX, LIF)}
    net, spikes = made((SIX, LIF, around, SIX, LIF, *END))
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    levels = [
        rms(call.layer.response(call.inputs, DT_MS)) for call in activations.calls if isinstance(call.layer, Neuron)
    ]
    assert levels == pytest.approx([LEVEL] * 3, rel=1e-9)


@pytest.mark.parametrize(("layer", "scale"), [("batch_norm", 1.0), ("tdbn", 0.6)])
def test_a_normalisation_runs_with_the_statistics_of_the_batch(layer: str, scale: float) -> None:
    """And the weights in front of it are left alone, since it undoes any scale."""
    options = {"threshold": 0.6} if layer == "tdbn" else {}
    layers = ({"layer": "conv2d", "channels": 4}, {"layer": layer, **options}, LIF, {"layer": "flatten"}, *END)
    fresh = make_chain(layers, (2, 6, 6), generator=torch.Generator().manual_seed(3)).double()
    net, spikes = made(layers, (2, 6, 6))
    first = next(net.parameters())
    assert torch.equal(first, next(fresh.parameters()))
    activations, _ = net.run(spikes, net.initial_state(3), DT_MS)
    (normalised,) = (call.outputs for call in activations.calls if type(call.layer).__name__ == "BatchNorm")
    by_channel = normalised.transpose(0, 2).flatten(1)
    torch.testing.assert_close(by_channel.mean(1), torch.zeros(4).double(), rtol=0.0, atol=1e-9)
    torch.testing.assert_close(by_channel.std(1), torch.full((4,), scale).double(), rtol=1e-3, atol=0.0)


def test_silence_is_named_with_the_layer_that_hears_nothing() -> None:
    net = make_chain((SIX, LIF, *END), (5,))
    with pytest.raises(SpikingGammaError, match="input that reaches layer 0"):
        net.calibrate(torch.zeros(9, 3, 5), dt_ms=DT_MS)
