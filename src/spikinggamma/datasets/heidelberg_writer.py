"""Writer of the HDF5 layout of the Spiking Heidelberg Digits, see `spikinggamma.datasets.heidelberg`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.files.atomic import write_atomically

__all__ = ["write_heidelberg"]


def write_heidelberg(
    path: Path | str, recordings: Sequence[Recording], class_names: Sequence[str] = (), *, made_with: str = ""
) -> None:
    """Write recordings as a file in this layout, atomically.

    Times are float32 seconds where these preserve every microsecond, else float64. Speakers whose names are numbers are written
    as these numbers, as in the published files.

    Args:
        path: The file.
        recordings: At least one, all of one sensor.
        class_names: Names of the classes.
        made_with: Text on how the spikes were made, for `spikinggamma.datasets.heidelberg.made_with`.

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
    kind = np.float32 if all(_is_exact(recording.times_us) for recording in recordings) else np.float64
    # The HDF5 library crashes when the disk is full, so it writes to memory.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        _write(file, recordings, class_names, kind)
        if made_with:
            file["spikes"].attrs["made_with"] = made_with
    write_atomically(path, content.getvalue())


def _is_exact(times_us: Int[np.ndarray, " E"]) -> bool:
    """Return whether float32 seconds preserve these times."""
    return np.array_equal(np.rint((times_us / 1e6).astype(np.float32).astype(np.float64) * 1e6), times_us)


def _write(file: Any, recordings: Sequence[Recording], class_names: Sequence[str], kind: type) -> None:
    import h5py

    n_channels = recordings[0].n_channels
    names = sorted({recording.speaker for recording in recordings})
    spikes, extra = file.create_group("spikes"), file.create_group("extra")
    spikes.attrs["n_channels"] = n_channels
    unit_kind = np.uint16 if n_channels <= 2**16 else np.uint32
    times = spikes.create_dataset("times", (len(recordings),), dtype=h5py.vlen_dtype(kind))
    units = spikes.create_dataset("units", (len(recordings),), dtype=h5py.vlen_dtype(unit_kind))
    for index, recording in enumerate(recordings):
        times[index] = (recording.times_us / 1e6).astype(kind)
        units[index] = recording.channels.astype(unit_kind)
    file["labels"] = np.array([recording.label for recording in recordings], dtype=np.uint16)
    numbered = all(_is_number(name) for name in names)
    speakers = [int(r.speaker) if numbered else names.index(r.speaker) for r in recordings]
    extra["speaker"] = np.array(speakers, dtype=np.uint16)
    extra["duration_us"] = np.array([recording.duration_us for recording in recordings], dtype=np.int64)
    sources = [recording.source for recording in recordings]
    texts = {"keys": class_names, "sources": sources} | ({} if numbered else {"speaker_names": names})
    for name, values in texts.items():
        extra.create_dataset(name, data=[value.encode() for value in values], dtype=h5py.string_dtype())


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and name == str(int(name)) and int(name) < 2**16
