"""The resident memory of this process, now and at its peak."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["peak_mib", "reset_peak", "resident_mib"]

_STATUS = Path("/proc/self/status")


def resident_mib() -> float:
    """Return the current resident memory of this process."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


def reset_peak() -> None:
    """Reset the peak to the current resident memory, where the system supports it (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_mib() -> float:
    """Return the peak of resident memory since `reset_peak`, or since the process began where a reset is not supported.

    `ru_maxrss` is only the fallback, as on Linux a child inherits it from its parent process.
    """
    try:
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 2**10
    except (OSError, KeyError):
        import resource  # not available on every system

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
