"""Scaling of real numbers to integers with a common power of two, for the integer programs.

All states share one unit, 2^-F, because each layer sums what the previous one sends. The unit is small compared to the
threshold, which is at least 2^12 units, and it is the smaller the slower the slowest bucket is, since a bucket that keeps all
but dt/τ turns the rounding of a step into an error τ/dt times as large. Weights, bucket weights and decays have their own
units, the smallest in which they fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.program_net import ProgramNet

__all__ = ["WIDTHS", "Scaled", "Widths", "leak", "scaled", "state_shift"]

_MOST_SHIFT = 40  # shift of weights; 2^-40 is below any rounding
_MOST_LEAK_SHIFT = 60
_STATE_SHIFTS = (0, 24)


class Widths(NamedTuple):
    """Number of bits of each constant, including the sign."""

    weight: int
    bucket_weight: int
    leak: int


# A state of 32 bits times a constant must fit into 64 bits, and so must the sum of 256 products with bucket weights.
WIDTHS = {"int16": Widths(16, 16, 16), "int32": Widths(32, 24, 31)}


class Scaled(NamedTuple):
    """Integers in units of 2^-shift."""

    values: npt.NDArray[np.int64]
    shift: int

    @property
    def value(self) -> int:
        """The integer of a scaled scalar."""
        return int(self.values.item())


def scaled(name: str, values: npt.NDArray[np.float64] | Sequence[float] | float, bits: int) -> Scaled:
    """Scale real numbers to integers of so many bits, in the smallest unit in which all of them fit.

    Raises:
        SpikingGammaError: A number is too large for every unit.

    Example:
        >>> scaled("weights", [0.5, -1.0], 16)
        Scaled(values=array([  8192, -16384]), shift=14)
    """
    reals = np.asarray(values, dtype=np.float64)
    most, limit = float(np.abs(reals).max(initial=0.0)), 2 ** (bits - 1) - 1
    for shift in range(_MOST_SHIFT, -1, -1):
        if round(most * 2.0**shift) <= limit:
            return Scaled(np.rint(reals * 2.0**shift).astype(np.int64), shift)
    raise SpikingGammaError(name, f"a value of {most:g}", f"at most {limit}, for integers of {bits} bits")


def leak(take: float, bits: int) -> tuple[int, int]:
    """Return a leak, above 0 and up to 1, as a non-zero integer of so many bits, and its shift.

    Example:
        >>> leak(0.25, 16)
        (16384, 16)
    """
    shift = min(bits - 1 - math.floor(math.log2(take)) - 1, _MOST_LEAK_SHIFT)
    while shift > 0 and round(take * 2.0**shift) >= 2 ** (bits - 1):
        shift -= 1
    return max(1, round(take * 2.0**shift)), shift


def state_shift(net: ProgramNet) -> int:
    """Return F, where states are in units of 2^-F."""
    thresholds = [layer.code.threshold for layer in net.layers if layer.code is not None]
    smallest = min(thresholds, default=0.1)
    slowest = max(1.0 / float(layer.take.min()) for layer in net.layers)
    wanted = 12 + math.ceil(-math.log2(smallest)) + math.ceil(math.log2(slowest))
    return min(max(wanted, _STATE_SHIFTS[0]), _STATE_SHIFTS[1])
