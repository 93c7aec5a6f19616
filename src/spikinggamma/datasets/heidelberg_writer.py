"""Writer of the HDF5 layout of the Spiking Heidelberg Digits, see `spikinggamma.datasets.heidelberg`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.files.atomic import write_atomically

__all__ = ["write_heidelberg"]


def write_heidelberg(path: Path | str, recordings: Sequence[Recording], class_names: Sequence[str] = ()) -> None:
    """Write recordings as a file in this layout, atomically.

    Times are float32 seconds where these preserve every microsecond, else float64.

    Raises:
        SpikingGammaError: There are no recordings, their numbers of channels differ, a recording has labels by step, or the
            file cannot be written (an existing file is kept).
    """
    import h5py

    path = Path(path)
    sizes = {recording.n_channels for recording in recordings}
    if len(sizes) != 1:
        raise SpikingGammaError(
            "recordings", f"numbers of channels {sorted(sizes)}", "at least one recording, all of one sensor"
        )
    for recording in recordings:
        if not 0 <= recording.label < 2**16:
            raise SpikingGammaError(f"label of {recording.source}", recording.label, "one label, from 0 to 65535")
    seconds = [recording.times_us / 1e6 for recording in recordings]
    exact = all(
        np.array_equal(np.rint(one.astype(np.float32).astype(np.float64) * 1e6), recording.times_us)
        for one, recording in zip(seconds, recordings, strict=True)
    )
    kind = np.float32 if exact else np.float64
    # The HDF5 library crashes when the disk is full, so it writes to memory.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        _write(file, recordings, class_names, seconds, kind)
    write_atomically(path, content.getvalue())


def _write(
    file: Any, recordings: Sequence[Recording], class_names: Sequence[str], seconds: Sequence[Any], kind: type
) -> None:
    import h5py

    n_channels = recordings[0].n_channels
    names = sorted({recording.speaker for recording in recordings})
    spikes, extra = file.create_group("spikes"), file.create_group("extra")
    spikes.attrs["n_channels"] = n_channels
    units = [recording.channels for recording in recordings]
    unit_kind = np.uint16 if n_channels <= 2**16 else np.uint32
    for name, parts, dtype in (("times", seconds, kind), ("units", units, unit_kind)):
        lists = spikes.create_dataset(name, (len(recordings),), dtype=h5py.vlen_dtype(dtype))
        for index, part in enumerate(parts):
            lists[index] = part.astype(dtype)
    file["labels"] = np.array([recording.label for recording in recordings], dtype=np.uint16)
    extra["speaker"] = np.array([names.index(recording.speaker) for recording in recordings], dtype=np.uint16)
    extra["duration_us"] = np.array([recording.duration_us for recording in recordings], dtype=np.int64)
    sources = [recording.source for recording in recordings]
    for name, values in {"keys": class_names, "speaker_names": names, "sources": sources}.items():
        extra.create_dataset(name, data=[value.encode() for value in values], dtype=h5py.string_dtype())
