"""A histogram of the latencies of predictions, in constant memory."""

from __future__ import annotations

import math

__all__ = ["Latencies"]

_SHORTEST_S, _RATIO, _BINS = 1e-6, 1.05, 500  # covers ten hours with a relative error of five per cent


class Latencies:
    """A histogram of durations whose bin edges grow by a factor of 1.05.

    Example:
        >>> latencies = Latencies()
        >>> for milliseconds in range(1, 101):
        ...     latencies.add(milliseconds / 1000)
        >>> round(latencies.quantile(0.5), 2)
        0.05
    """

    def __init__(self) -> None:
        self._counts = [0] * _BINS
        self.count = 0

    def add(self, seconds: float) -> None:
        """Add one duration [s]."""
        place = math.log(max(seconds, _SHORTEST_S) / _SHORTEST_S) / math.log(_RATIO)
        self._counts[min(int(place), _BINS - 1)] += 1
        self.count += 1

    def quantile(self, share: float) -> float:
        """Return the quantile of all durations [s], with a relative error of five per cent; 0 if there are none."""
        wanted, seen = share * self.count, 0
        for place, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return float(_SHORTEST_S * _RATIO ** (place + 0.5))
        return 0.0
