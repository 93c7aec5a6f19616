"""What compiled scans do with one sample's neurons at one step, a row of numbers: recurrence, and silence that ends."""

# Unannotated on purpose: numba compiles plain functions, one machine version for each element type it meets.
# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

from numba import njit

__all__ = ["add_heard", "add_told", "copy", "settled"]


@njit(nogil=True)
def copy(source, target):
    """As `target[:] = source`, which takes numba seconds to compile."""
    for i in range(target.size):
        target[i] = source[i]


@njit(nogil=True)
def settled(value, tiny):
    """Zero for what is too small to matter."""
    return value if abs(value) > tiny else value - value


@njit(nogil=True, fastmath={"contract", "nsz"})
def add_heard(transposed, spikes, drive):
    """Add R s to a drive, given Rᵀ: the rows of the neurons that spiked alone. Without recurrence it has no rows."""
    if transposed.shape[0] == 0:
        return
    for j in range(spikes.size):
        height = spikes[j]
        if height != 0:
            row = transposed[j]
            for i in range(drive.size):
                drive[i] += height * row[i]


@njit(nogil=True, fastmath={"contract", "nsz"})
def add_told(weight, on_drive, told):
    """Set an error signal of the spikes of the step before to Rᵀ times that of a drive; zero without recurrence."""
    for j in range(told.size):
        told[j] = 0
    if weight.shape[0] == 0:
        return
    for i in range(on_drive.size):
        error = on_drive[i]
        if error != 0:
            row = weight[i]
            for j in range(told.size):
                told[j] += error * row[j]
