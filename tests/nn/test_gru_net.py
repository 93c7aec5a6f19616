"""Gated units: torch's equations, on counts, recording by recording."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.nn import GRUNet


def net(**options: float) -> GRUNet:
    return GRUNet((5, 7, 4, 3), generator=torch.Generator().manual_seed(0), **options).double()


def spikes(steps: int = 20, batch: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.poisson(torch.full((steps, batch, 5), 0.4, dtype=torch.float64), generator=generator)


def test_it_is_the_gates_written_out() -> None:
    made, said = net(), spikes()
    made.calibrate(said, dt_ms=1.0)
    signal = list((said / said.square().mean().sqrt()).unbind(0))
    for layer in made.hidden:
        h, after = torch.zeros(3, layer.hidden_size, dtype=torch.float64), []
        for s in signal:
            heard = (s @ layer.weight_ih_l0.T + layer.bias_ih_l0).chunk(3, dim=1)
            own = (h @ layer.weight_hh_l0.T + layer.bias_hh_l0).chunk(3, dim=1)
            r, z = (torch.sigmoid(heard[gate] + own[gate]) for gate in range(2))
            h = (1.0 - z) * torch.tanh(heard[2] + r * own[2]) + z * h
            after.append(h)
        signal = after
    logits = torch.stack(signal) @ made.readout.weight.T + made.readout.bias
    torch.testing.assert_close(made(said, dt_ms=1.0)[0], logits)
    # It knows no time step.
    assert torch.equal(made(said, dt_ms=7.0)[0], made(said, dt_ms=1.0)[0])


def test_chunks_equal_the_whole() -> None:
    made, said = net(dropout=0.4), spikes()
    start = made.initial_state(3, generator=torch.Generator().manual_seed(0))
    whole, end = made(said, start, dt_ms=1.0)
    for chunk in (1, 7):
        state, parts = start, []
        for part in said.split(chunk):
            logits, state = made(part, state, dt_ms=1.0)
            parts.append(logits)
        torch.testing.assert_close(torch.cat(parts), whole)
        for one, other in zip(state.hidden, end.hidden, strict=True):
            torch.testing.assert_close(one, other)


def test_calibration_looks_at_the_recordings_and_not_at_their_padding() -> None:
    said, lengths = spikes(), torch.tensor([20, 12, 5])
    valid = torch.arange(20).unsqueeze(1) < lengths
    made = net()
    made.calibrate(said + 9.0 * ~valid.unsqueeze(2), dt_ms=1.0, lengths=lengths)
    torch.testing.assert_close(made.get_buffer("scale"), said[valid].square().mean().sqrt())
    with pytest.raises(SpikingGammaError, match="a batch without any event"):
        net().calibrate(torch.zeros_like(said), dt_ms=1.0)


def test_what_does_not_fit_is_an_error() -> None:
    made, said = net(), spikes()
    with pytest.raises(SpikingGammaError, match=r"`spikes`: got \[20, 3, 4\]; expected \[T, B, 5\]"):
        made(said[:, :, :4], dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"`spikes`: got torch\.float32"):
        made(said.float(), made.initial_state(3), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match=r"`state`: got units of shape \[\[2, 7\], \[2, 4\]\]"):
        made(said, made.initial_state(2), dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="at least one hidden layer"):
        GRUNet((5, 3))
    with pytest.raises(SpikingGammaError, match="`threshold_scale`: got given for gated units"):
        made.scale_thresholds_(2.0)
