"""The LIF net: chunks equal the whole, every layer fires once calibrated, and it learns by plain autograd."""

from __future__ import annotations

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.functional import SURROGATES, lif_sequence
from spikinggamma.nn import LIFNet


def net_and_spikes(*hidden: int, surrogate: str = "fast_sigmoid") -> tuple[LIFNet, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    net = LIFNet((6, *hidden, 3), surrogate=surrogate, generator=generator).double()
    spikes = (torch.rand(40, 4, 6, generator=generator) < 0.1).double()
    return net, spikes


def test_chunks_equal_the_whole() -> None:
    net, spikes = net_and_spikes(8, 8)
    net.calibrate(spikes, dt_ms=2.0)
    whole, end = net(spikes, dt_ms=2.0)
    for chunk in (1, 7):
        state, parts = None, []
        for part in spikes.split(chunk):
            logits, state = net(part, state, dt_ms=2.0)
            parts.append(logits)
        torch.testing.assert_close(torch.cat(parts), whole)
        assert state is not None
        assert all(torch.equal(a.membrane, b.membrane) for a, b in zip(state, end, strict=True))


@pytest.mark.parametrize("depth", [1, 4, 10])
def test_a_calibrated_net_of_any_depth_fires_in_every_layer(depth: int) -> None:
    net, spikes = net_and_spikes(*[32] * depth)
    net.calibrate(spikes, dt_ms=2.0, lengths=torch.tensor([40, 40, 30, 20]))
    signal = spikes
    for weight, state in zip(list(net.weights)[:-1], net.initial_state(4), strict=False):
        signal, _ = lif_sequence(net.neuron._replace(dt_ms=2.0), state, signal @ weight.detach().T)
        assert 0.01 < float(signal.mean()) < 0.5


@pytest.mark.parametrize("surrogate", SURROGATES)
def test_it_learns_which_of_two_inputs_speaks(surrogate: str) -> None:
    net, spikes = net_and_spikes(8, surrogate=surrogate)
    spikes, targets = spikes[:20], torch.tensor([0, 1, 2, 0])
    net.calibrate(spikes, dt_ms=2.0)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.1)
    losses = []
    for _ in range(12):
        logits, _ = net(spikes, dt_ms=2.0)
        loss = torch.nn.functional.cross_entropy(logits.mean(0), targets)
        optimiser.zero_grad()
        loss.backward()
        assert all(weight.grad is not None and bool(weight.grad.any()) for weight in net.weights)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_bad_input_is_named() -> None:
    net, spikes = net_and_spikes(8)
    with pytest.raises(SpikingGammaError, match=r"`spikes`.*\[T, B, 6\]"):
        net(spikes[..., :5], dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"`spikes`.*float32"):
        net(spikes.float(), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="`state`"):
        net(spikes, net.initial_state(5), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="`dt_ms`"):
        net(spikes, dt_ms=0.0)
    with pytest.raises(SpikingGammaError, match="without any event"):
        net.calibrate(spikes * 0, dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="`sizes`"):
        LIFNet((5,))
