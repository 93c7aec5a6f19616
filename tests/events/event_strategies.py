"""Random recordings for the property tests of this room."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from spikinggamma.events import Recording


@st.composite
def recordings(draw: st.DrawFn, *, n_channels: int = 12) -> Recording:
    duration_us = draw(st.integers(1, 40_000))
    n_events = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times_us = np.sort(rng.integers(0, duration_us, n_events))
    if n_events and draw(st.booleans()):
        times_us[0], times_us[-1] = 0, duration_us - 1  # the very ends
    channels = rng.integers(0, n_channels, n_events)
    return Recording(times_us, channels, n_channels, duration_us, label=int(rng.integers(0, 5)))
