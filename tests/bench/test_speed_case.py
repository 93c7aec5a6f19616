"""The comparison of a layer with its formula notices a neuron that is not the one that is claimed."""

from __future__ import annotations

import torch

from spikinggamma.bench import speed_case
from spikinggamma.bench.speed_competitors import SUBJECTS


def test_the_check_sees_a_wrong_neuron() -> None:
    subject = SUBJECTS["lif"]
    generator = torch.Generator().manual_seed(0)
    assert speed_case._agreement(subject._replace(reset="zero"), generator, "cpu") < 0.999
    silent = subject._replace(spiking=lambda: torch.zeros_like)
    assert speed_case._agreement(silent, generator, "cpu") < 0.999
