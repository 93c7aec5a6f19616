"""A parameter's kind is what its module says, and of torch's own modules what its name and shape say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from spikinggamma import SpikingGammaError
from spikinggamma.nn import SurrogateNet, dense_net, parameter_kinds


def test_every_parameter_of_the_nets_has_its_kind() -> None:
    kinds = parameter_kinds(dense_net((3, 4, 2), tau_ms=(4.0, 8.0), train_tau=True))
    assert {name.rpartition(".")[2]: kind for name, kind in kinds.items()} == {
        "bias": "bias",
        "bucket_weight": "bucket",
        "weight": "weight",
        "excess": "time_constant",
    }
    rival = parameter_kinds(SurrogateNet((3, 4, 2), delays="floored", recurrent=True))
    assert sorted(rival.values()) == ["bias", "delay", "weight", "weight", "weight"]


def test_what_says_nothing_is_judged_by_name_and_shape() -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3))
    assert list(parameter_kinds(net).values()) == ["weight", "bias", "scale", "bias"]


def test_a_kind_that_is_none_is_named() -> None:
    class Odd(nn.Module):
        parameter_kinds = {"tau": "tau"}  # noqa: RUF012

        def __init__(self) -> None:
            super().__init__()
            self.tau = nn.Parameter(torch.zeros(()))

    with pytest.raises(SpikingGammaError, match=r"Odd.parameter_kinds.*time_constant"):
        parameter_kinds(Odd())
