"""Learnt axonal delays are shown where there are some, against where they began."""

from __future__ import annotations

import re

import pytest
import torch

from spikinggamma.nn import SurrogateNet
from spikinggamma.report.figures.axon_delays import axon_section


def net(**options: object) -> SurrogateNet:
    return SurrogateNet((4, 6, 2), generator=torch.Generator().manual_seed(0), **options)


def test_every_population_with_delays_has_its_panel() -> None:
    options = {"delays": "fractional", "max_delay_ms": 40.0}
    learnt, begun = net(**options, delay_input=True), net(**options, delay_input=True)
    with torch.no_grad():
        learnt.delays[1].delay_ms += 3.0
    found = axon_section(learnt, begun, "k")
    assert found is not None
    assert [panel.title for panel in found.panels] == ["Input channels: delays", "Hidden layer 1: delays"]
    moved = [float(re.search(r"([\d.]+) ms from the initial", panel.caption)[1]) for panel in found.panels]  # type: ignore[index]
    assert moved == [0.0, pytest.approx(3.0, abs=0.05)]
    only = axon_section(net(**options), net(**options), "k")
    assert only is not None
    assert [panel.title for panel in only.panels] == ["Hidden layer 1: delays"]


def test_a_net_without_delays_has_no_section() -> None:
    assert axon_section(net(), net(), "k") is None
