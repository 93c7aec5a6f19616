"""A budget of memory, and the largest size that fits it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from spikinggamma.errors import SpikingGammaError

__all__ = ["Fit", "largest_fitting", "parse_memory"]

_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_LEAST_SLOPE = 0.01  # of the memory that a size takes: less is the noise of the gauge
_TRIALS = 4
_SHRINK = 0.8


class Fit(NamedTuple):
    """The largest size found that fits, with its measured peak [MiB]; 0 where none does."""

    size: int
    peak_mib: float


def parse_memory(text: str) -> float:
    """Return an amount of memory such as `2GB`, `1.5GiB` or `800 MB` in MiB.

    Raises:
        SpikingGammaError: It is no amount of memory.

    Example:
        >>> parse_memory("2GiB"), round(parse_memory("2GB"))
        (2048.0, 1907)
    """
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([KMGT]I?|)B?\s*", text.upper())
    if found is None or float(found[1]) == 0.0:
        raise SpikingGammaError("--budget", repr(text), "an amount of memory above zero, such as 2GB, 1.5GiB or 800MB")
    return float(found[1]) * _UNITS[found[2]] / 2**20


def largest_fitting(
    measure: Callable[[int], float], budget_mib: float, *, size: int, peak_mib: float, smaller: int, most: int
) -> Fit | None:
    """Find the largest size whose peak of memory fits: by a straight line through two measurements, then by measuring.

    Args:
        measure: The peak [MiB] of a size.
        budget_mib: What the peak may be.
        size: A size that is measured already, with `peak_mib`.
        peak_mib: Its peak.
        smaller: A smaller size to measure first.
        most: The largest size that makes sense.

    Returns:
        The size and its own measured peak; a size of 0 with the peak of the smallest measured if none fits, and None if
        memory does not depend on the size.

    Example:
        >>> largest_fitting(lambda size: 100.0 + 2.0 * size, 150.0, size=64, peak_mib=228.0, smaller=16, most=1000)
        Fit(size=25, peak_mib=150.0)
    """
    known = {size: peak_mib, smaller: measure(smaller)}
    slope = (peak_mib - known[smaller]) / (size - smaller)
    if slope * size < _LEAST_SLOPE * peak_mib:
        return None
    candidate = smaller + math.floor((budget_mib - known[smaller]) / slope)
    for _ in range(_TRIALS):
        candidate = min(max(candidate, 1), most)
        if candidate not in known:
            known[candidate] = measure(candidate)
        if known[candidate] <= budget_mib or candidate == 1:
            break
        candidate = _below(candidate, known, budget_mib)
    fitting = [one for one, peak in known.items() if peak <= budget_mib]
    return Fit(max(fitting), known[max(fitting)]) if fitting else Fit(0, known[min(known)])


def _below(size: int, known: Mapping[int, float], budget_mib: float) -> int:
    """Return a smaller size to try, by a line from the largest that fits below, where there is one."""
    fitting = [one for one, peak in known.items() if peak <= budget_mib and one < size]
    if not fitting:
        return int(_SHRINK * size)
    low = max(fitting)
    share = (budget_mib - known[low]) / (known[size] - known[low])
    return min(size - 1, low + int(share * (size - low)))
