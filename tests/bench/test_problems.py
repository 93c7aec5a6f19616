"""The recordings on which gradients are compared are longer than what a net of their depth remembers."""

from __future__ import annotations

from spikinggamma.bench.problems import long_enough


def test_recordings_are_long_enough_for_any_depth() -> None:
    assert long_enough(10, (4.0, 6.0, 10.0)) > long_enough(1, (4.0, 6.0, 10.0)) > 100
