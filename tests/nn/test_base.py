"""What nets share: which input and states they refuse, and the level of a signal."""

from __future__ import annotations

import pytest
import torch

from spikinggamma import SpikingGammaError
from spikinggamma.nn import CountNet, GRUNet, SequenceNet, SurrogateNet
from spikinggamma.nn.nets.checks import check_spikes, level_of, steps_of_recordings

NETS = [SurrogateNet((3, 4, 2)), GRUNet((3, 4, 2)), CountNet((3, 4, 2))]


@pytest.mark.parametrize("shape", [(5, 2, 4), (5, 3), (0, 2, 3), (5, 0, 3), (5, 2, 3, 1)])
def test_input_of_another_form_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        SpikingGammaError, match=r"`spikes`: got \[.*expected \[T, B, 3\], at least one step and sample"
    ):
        check_spikes(torch.ones(shape), 3, torch.ones(1))


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_every_net_looks_at_its_input(net: SequenceNet) -> None:
    with pytest.raises(SpikingGammaError, match=r"`spikes`: got \[5, 2, 4\]; expected \[T, B, 3\]"):
        net.run(torch.ones(5, 2, 4), net.initial_state(2), 1.0)
    with pytest.raises(SpikingGammaError, match=r"`spikes`: got torch.float64; expected torch.float32"):
        net.run(torch.ones(5, 2, 3, dtype=torch.float64), net.initial_state(2), 1.0)


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_a_state_of_another_batch_is_named(net: SequenceNet) -> None:
    with pytest.raises(SpikingGammaError, match=r"`state`: got .*\[\[2, .*for this batch\. .*start a new recording"):
        net.run(torch.ones(5, 7, 3), net.initial_state(2), 1.0)


def test_the_level_is_that_of_the_steps_of_recordings() -> None:
    signal = torch.tensor([[3.0, 4.0], [3.0, 100.0]]).unsqueeze(2)
    valid = steps_of_recordings(signal, torch.tensor([2, 1]))
    assert level_of(signal, valid, 0) == pytest.approx((34.0 / 3.0) ** 0.5)
    with pytest.raises(SpikingGammaError, match="a batch without any event; expected input that reaches layer 4"):
        level_of(torch.zeros(2, 2, 1), valid, 4)
