"""Variants of a net with fixed thresholds or a spike limit, for targets without adaptive thresholds. They change the net."""

from __future__ import annotations

import copy

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import GammaNet

__all__ = ["limit_spikes", "without_adaptation"]


def without_adaptation(net: GammaNet) -> GammaNet:
    """Return a copy of `net` with m = 0. It sends smaller spikes than the trained net, and more of them.

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> without_adaptation(dense_net((3, 4, 2), tau_ms=(4.0,))).hidden[0].code.adaptation
        0.0
    """
    changed = copy.deepcopy(net)
    for layer in changed.hidden:
        if layer.code is not None:
            layer.code = layer.code._replace(adaptation=0.0)
    return changed


def limit_spikes(net: GammaNet, max_spikes: int) -> GammaNet:
    """Return a copy of `net` whose neurons send at most `max_spikes` in a step; it is equal where they never sent more.

    Raises:
        SpikingGammaError: `max_spikes` is below 1.

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> limit_spikes(dense_net((3, 4, 2), tau_ms=(4.0,)), 3).hidden[0].code.max_spikes
        3
    """
    if max_spikes < 1:
        raise SpikingGammaError("max_spikes", max_spikes, "at least 1")
    changed = copy.deepcopy(net)
    for layer in changed.hidden:
        if layer.code is not None:
            layer.code = layer.code._replace(max_spikes=max_spikes)
    return changed
