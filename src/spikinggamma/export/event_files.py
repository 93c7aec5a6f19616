"""Recordings as input of a C program, as text or binary."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spikinggamma.events import Recording
from spikinggamma.files.atomic import write_atomically

__all__ = ["event_bytes", "event_text", "write_events"]

_END, _PASS = 0xFFFFFFFF, 0xFFFFFFFE
_LONGEST_GAP = 2**32 - 1


def event_text(recordings: Iterable[Recording]) -> str:
    """Return recordings as text: a line `TIME_US CHANNEL [COUNT]` per event, and `end DURATION_US` after each recording.

    Simultaneous events of one channel share a line. A comment before each recording gives its index and label.

    Example:
        >>> clicks = Recording(np.array([5, 5, 9]), np.array([1, 1, 0]), n_channels=2, duration_us=10, label=3)
        >>> print(event_text([clicks]), end="")
        # recording 0, label 3
        5 1 2
        9 0
        end 10
    """
    lines = []
    for place, recording in enumerate(recordings):
        lines.append(f"# recording {place}, label {recording.label}")
        stamps = np.stack([recording.times_us, recording.channels.astype(np.int64)], axis=1)
        rows, counts = np.unique(stamps, axis=0, return_counts=True)
        for (time_us, channel), count in zip(rows.tolist(), counts.tolist(), strict=True):
            lines.append(f"{time_us} {channel}" if count == 1 else f"{time_us} {channel} {count}")
        lines.append(f"end {recording.duration_us}")
    return "".join(f"{line}\n" for line in lines)


def event_bytes(recordings: Iterable[Recording]) -> bytes:
    """Return recordings as bytes: per event the microseconds since the last one and the channel; channel 0xffffffff ends one.

    Example:
        >>> clicks = Recording(np.array([5]), np.array([1]), n_channels=2, duration_us=10, label=3)
        >>> event_bytes([clicks]).hex(" ", 4)
        '05000000 01000000 05000000 ffffffff'
    """
    parts = []
    for recording in recordings:
        before = 0
        stamps = sorted(zip(recording.times_us.tolist(), recording.channels.tolist(), strict=True))
        for time_us, channel in [*stamps, (recording.duration_us, _END)]:
            while time_us - before > _LONGEST_GAP:
                parts.append(struct.pack("<II", _LONGEST_GAP, _PASS))
                before += _LONGEST_GAP
            parts.append(struct.pack("<II", time_us - before, channel))
            before = time_us
    return b"".join(parts)


def write_events(recordings: Iterable[Recording], out: str | Path) -> Path:
    """Write recordings as input of a program: binary if the file name ends in .bin, else text.

    Raises:
        SpikingGammaError: The file cannot be written.
    """
    path = Path(out)
    write_atomically(path, event_bytes(recordings) if path.suffix == ".bin" else event_text(recordings).encode())
    return path
