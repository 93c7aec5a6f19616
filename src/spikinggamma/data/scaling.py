"""Scaling of sampled signals by statistics of the training part, so that one set of an encoder's options fits them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from spikinggamma.data.own_splits import Parts
from spikinggamma.encoders import SampledSignal
from spikinggamma.layouts import Found

__all__ = ["scaled"]


def scaled(parts: Parts, how: str) -> Parts:
    """Return the parts with each of the C signals shifted and scaled alike in all recordings.

    Args:
        parts: Recordings with signals.
        how: "standard" gives the training part mean 0 and standard deviation 1, "range" values from 0 to 1 (others may lie
            beyond), "none" leaves all as they are. A signal that never changes is only shifted.
    """
    if how == "none":
        return parts
    signals = [one.signal for one in parts.train if one.signal is not None]
    values = np.concatenate([signal.values for signal in signals])
    if how == "standard":
        offset, size = values.mean(axis=0), values.std(axis=0)
    else:
        offset, size = values.min(axis=0), np.ptp(values, axis=0)
    size = np.where(size > 0.0, size, 1.0)
    return Parts(*([_rescaled(one, offset, size) for one in part] for part in parts))


def _rescaled(one: Found, offset: Float[np.ndarray, " C"], size: Float[np.ndarray, " C"]) -> Found:
    signal = one.signal
    if signal is None:
        return one
    return replace(one, signal=SampledSignal((signal.values - offset) / size, signal.times_us, signal.duration_us))
