"""Convolutional layers: one bucket weight vector per channel, and no traces."""

from __future__ import annotations

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import Learner
from spikinggamma.nn import Conv2d, Dense, GammaNet, Timescales

TIMESCALES = Timescales((4.0, 8.0))


@pytest.mark.parametrize(("stride", "padding", "side"), [(1, 0, 4), (2, 1, 3), (1, 1, 6), (3, 0, 2)])
def test_shapes(stride: int, padding: int, side: int) -> None:
    layer = Conv2d((2, 6, 6), 3, 3, TIMESCALES, code=SigmaDelta(), stride=stride, padding=padding)
    assert layer.out_shape == (3, side, side)
    out, state = layer(torch.ones(5, 2, 2, 6, 6), layer.initial_state(2), 1.0)
    assert out.shape == (5, 2, 3, side, side)
    assert state.buckets.shape == (2, 2, 3 * side * side)
    assert layer.bucket_weight.shape == (2, 3)


def test_a_kernel_as_large_as_its_input_is_a_dense_layer() -> None:
    torch.manual_seed(0)
    conv = Conv2d((2, 3, 4), 5, 3, TIMESCALES, code=SigmaDelta(), padding=0).double()
    assert conv.out_shape == (5, 1, 2)
    conv = Conv2d((2, 3, 3), 5, 3, TIMESCALES, code=SigmaDelta(0.01)).double()
    dense = Dense((2, 3, 3), 5, TIMESCALES, code=SigmaDelta(0.01)).double()
    with torch.no_grad():
        dense.weight.copy_(conv.weight.flatten(1))
        dense.bucket_weight.copy_(conv.bucket_weight)
    spikes = (torch.rand(30, 2, 2, 3, 3) < 0.3).double()
    one, _ = conv(spikes, conv.initial_state(2), 1.0)
    other, _ = dense(spikes, dense.initial_state(2), 1.0)
    assert bool(other.any())
    torch.testing.assert_close(one.flatten(2), other)


def test_shapes_that_do_not_fit_are_errors() -> None:
    with pytest.raises(SpikingGammaError, match=r"`in_shape`: got \(8, 8\); expected three numbers"):
        Conv2d((8, 8), 4, 3, TIMESCALES, code=SigmaDelta())
    with pytest.raises(SpikingGammaError, match="`kernel_size`: got 9; expected at most the padded input"):
        Conv2d((2, 6, 6), 4, 9, TIMESCALES, code=SigmaDelta(), padding=1)


def test_traces_are_refused_with_the_way_out() -> None:
    hidden = Conv2d((1, 4, 4), 2, 3, TIMESCALES, code=SigmaDelta())
    net = GammaNet([hidden, Dense((8,), 2, TIMESCALES, code=None, readout=True)])
    with pytest.raises(SpikingGammaError, match=r"`rule`: got 'traced' on a convolutional layer.*`windowed`"):
        Learner(net, rule="traced", loss="sum", dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="`rule`"):
        hidden.sensitivities(torch.ones(2, 1, 1, 4, 4), torch.ones(2, 1, 8))
