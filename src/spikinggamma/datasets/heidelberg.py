"""Reader of the HDF5 layout of the Spiking Heidelberg Digits and Spiking Speech Commands.

| path | content |
| --- | --- |
| `spikes/times` | for each recording, its spike times [s]: float16 in the first release, float32 in later ones |
| `spikes/units` | for each recording, the channel of each spike |
| `labels` | a class for each recording |
| `extra/speaker` | a number for each recording |
| `extra/keys` | the name of each class |

Cramer, Stradmann, Schemmel, Zenke (2020), arXiv 1910.07407. The layout contains neither the length of a recording nor the
number of channels. Files of `spikinggamma.datasets.heidelberg_writer` have them in `extra/duration_us`, `extra/speaker_names`,
`extra/sources` and the attribute `n_channels` of `spikes`, which other readers ignore; `extra/duration` [s] and `extra/source`
are read likewise. Without these, a recording ends just after its last spike.

Float16 seconds have 10 bits after the first: the error is at most 0.03 ms before 0.125 s, 0.24 ms before 1 s and 0.49 ms before
2 s, so the first release has no finer times. Float32 preserves every microsecond up to 8 s.

The file is longer than others since the layout and all checks of it stand together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikinggamma.datasets.download import ensure_unzipped
from spikinggamma.datasets.hdf5_checks import check_heaps, check_lengths
from spikinggamma.datasets.recording_maps import mapped_recordings
from spikinggamma.datasets.registry import Info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording

__all__ = [
    "CITATION",
    "HOST",
    "URL",
    "HeidelbergFile",
    "file_channels",
    "load_files",
    "load_parts",
    "made_with",
    "read_heidelberg",
]

HOST = "https://zenkelab.org/datasets"
URL = "https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/"
CITATION = """@article{cramer2022heidelberg,
  title   = {The {Heidelberg} Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks},
  author  = {Cramer, Benjamin and Stradmann, Yannik and Schemmel, Johannes and Zenke, Friedemann},
  journal = {IEEE Transactions on Neural Networks and Learning Systems},
  volume  = {33},
  number  = {7},
  pages   = {2744--2757},
  year    = {2022},
  doi     = {10.1109/TNNLS.2020.3044364}
}"""

N_CHANNELS = 700
_LONGEST_S = 3600.0
_PIECE = 256  # recordings read at once


class HeidelbergFile(NamedTuple):
    """Recordings of one file in its order, and the names of their classes (empty if the file has none)."""

    recordings: list[Recording]
    class_names: tuple[str, ...]


def load_parts(info: Info, checksums: Mapping[str, str], root: Path | str | None) -> list[list[Recording]]:
    """Load the recordings of each file `{name}_{part}.h5` of a data set; download the files where no data root is given.

    Args:
        info: The data set.
        checksums: Part to the checksum of its archive, `{name}_{part}.h5.zip` at `HOST`.
        root: Data root; the environment's `SPIKINGGAMMA_DATA`, or else the cache, where left out.

    Raises:
        SpikingGammaError: A file is missing, damaged or cannot be downloaded, or holds an unknown label.
    """
    names = {f"{info.name}_{part}.h5": checksum for part, checksum in checksums.items()}
    archives = {name: (f"{HOST}/{name}.zip", checksum) for name, checksum in names.items()}
    paths = ensure_unzipped(info.name, archives, root)
    return load_files(info, paths)


def load_files(info: Info, paths: Sequence[Path]) -> list[list[Recording]]:
    """Load the recordings of each of these files of a data set, from the cache where they have been read before.

    Raises:
        SpikingGammaError: A file is missing or damaged, or holds an unknown label.
    """
    key: dict[str, object] = {"n_channels": info.n_channels, "version": 2}
    found = [mapped_recordings(info.name, [path], partial(_stream, path, info.n_channels), key=key) for path in paths]
    for path, recordings in zip(paths, found, strict=True):
        for recording in recordings:
            if recording.label >= info.n_classes:
                expected = f"labels from 0 to {info.n_classes - 1}"
                raise SpikingGammaError(str(path), f"label {recording.label} of {recording.source}", expected)
    return found


def file_channels(path: Path | str) -> tuple[int, bool]:
    """Return the number of channels of a file, and whether the file says it; if not, it is one more than the largest channel.

    Raises:
        SpikingGammaError: As `read_heidelberg` does.
    """
    path = Path(path)
    with _opened(path) as file:
        said = file["spikes"].attrs.get("n_channels")
        if said is not None:
            return int(said), True
        units = _lists(file, path, "spikes/units", "iu")
        pieces = (units[first : first + _PIECE] for first in range(0, len(units), _PIECE))
        return 1 + max((int(unit.max()) for piece in pieces for unit in piece if len(unit)), default=0), False


def made_with(path: Path | str) -> str:
    """Return what a file says of how its spikes were made, the attribute `made_with` of `spikes`; empty without one."""
    path = Path(path)
    with _opened(path) as file:
        return str(file["spikes"].attrs.get("made_with", ""))


def read_heidelberg(path: Path | str, *, n_channels: int | None = None, seconds: float = 1.0) -> HeidelbergFile:
    """Read all recordings of a file in this layout.

    Args:
        path: An HDF5 file.
        n_channels: Number of channels of the sensor; by default that in the file, or 700.
        seconds: Length of the file's unit of time [s].

    Raises:
        SpikingGammaError: Not a whole HDF5 file, a part of the layout is missing or of another type or length, or a
            recording whose times do not ascend from 0 or whose channels do not exist; names file, recording and place.
    """
    path = Path(path)
    with _opened(path) as file:
        found = list(_recordings(file, path, n_channels, seconds))
        return HeidelbergFile(found, _texts(file, path, "extra/keys"))


def _stream(path: Path, n_channels: int) -> Iterator[Recording]:
    """Yield the recordings of a file one by one, so that it need not fit into memory."""
    with _opened(path) as file:
        yield from _recordings(file, path, n_channels)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open an HDF5 file; errors within the block name the file."""
    import h5py

    if not path.is_file():
        raise SpikingGammaError(str(path), "no such file", "an HDF5 file")
    try:
        check_heaps(path)
        with h5py.File(path, "r") as file:
            yield file
    except SpikingGammaError:
        raise
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, OverflowError, MemoryError) as error:
        expected = "a whole HDF5 file in the layout of the Spiking Heidelberg Digits"
        raise SpikingGammaError(str(path), f"not readable ({error})", expected) from error


def _recordings(file: Any, path: Path, n_channels: int | None, unit_s: float = 1.0) -> Iterator[Recording]:
    times, units = _lists(file, path, "spikes/times", "f"), _lists(file, path, "spikes/units", "iu")
    if not len(times):
        raise SpikingGammaError(str(path), "no recordings", "at least one")
    labels = _numbers(file, path, "labels", len(times))
    if len(units) != len(times):
        raise SpikingGammaError(
            str(path), f"{len(times)} `spikes/times` and {len(units)} `spikes/units`", "as many of both"
        )
    speakers = _numbers(file, path, "extra/speaker", len(times)) if "extra/speaker" in file else [None] * len(times)
    names = _texts(file, path, "extra/speaker_names")
    sources = _texts(file, path, "extra/sources") or _texts(file, path, "extra/source")
    durations = _durations_us(file, path, len(times))
    channels = n_channels or int(file["spikes"].attrs.get("n_channels", N_CHANNELS))
    for first in range(0, len(times), _PIECE):
        pairs = zip(times[first : first + _PIECE], units[first : first + _PIECE], strict=True)
        for index, (seconds, unit) in enumerate(pairs, start=first):
            where = f"{path.name}[{index}]"
            times_us = _microseconds(seconds, where, unit_s)
            last = int(times_us[-1]) if len(times_us) else 0
            speaker = speakers[index]
            if speaker is not None and names and not 0 <= speaker < len(names):
                raise SpikingGammaError(f"extra/speaker of {where}", int(speaker), f"0 to {len(names) - 1}")
            yield Recording(
                times_us,
                unit,
                channels,
                last + 1 if durations is None else int(durations[index]),
                label=int(labels[index]),
                speaker="" if speaker is None else names[speaker] if names else str(speaker),
                source=sources[index] if len(sources) == len(times) else where,
            )


def _microseconds(seconds: Any, where: str, unit_s: float = 1.0, name: str = "spikes/times") -> Any:
    with np.errstate(invalid="ignore", over="ignore"):  # invalid values are refused below
        seconds = np.asarray(seconds, dtype=np.float64) * unit_s
    wrong = ~((seconds >= 0.0) & (seconds < _LONGEST_S))  # NaN is neither
    if wrong.any():
        place = int(wrong.argmax())
        expected = f"seconds from 0 to below {_LONGEST_S:.0f}"
        what = "spike" if name == "spikes/times" else "recording"
        raise SpikingGammaError(f"{name} of {where}", f"{seconds[place]} at {what} {place}", expected)
    return np.rint(seconds * 1e6).astype(np.int64)


def _durations_us(file: Any, path: Path, count: int) -> Any:
    """Return the length of each recording in whole microseconds, None where the file has none."""
    if "extra/duration_us" in file:
        return _numbers(file, path, "extra/duration_us", count)
    if "extra/duration" not in file:
        return None
    seconds = _part(file, path, "extra/duration")
    if seconds.shape != (count,) or seconds.dtype.kind != "f":
        raise SpikingGammaError(
            f"extra/duration of {path}", f"{seconds.dtype}, shape {seconds.shape}", f"{count} floats"
        )
    return _microseconds(seconds[:], path.name, name="extra/duration")


def _part(file: Any, path: Path, name: str) -> Any:
    part = file.get(name)
    if part is None or not hasattr(part, "shape"):
        raise SpikingGammaError(str(path), f"no `{name}` in it", "the layout of the Spiking Heidelberg Digits")
    check_lengths(part, path)
    return part


def _lists(file: Any, path: Path, name: str, kinds: str) -> Any:
    """Return the HDF5 array of lists of this name, which is read when it is sliced."""
    import h5py

    part = _part(file, path, name)
    inner = h5py.check_vlen_dtype(part.dtype)
    if part.ndim != 1 or inner is None or np.dtype(inner).kind not in kinds:
        wanted = "floats" if kinds == "f" else "integers"
        raise SpikingGammaError(
            f"{name} of {path}", f"{part.dtype}, shape {part.shape}", f"a list of {wanted} a recording"
        )
    return part


def _numbers(file: Any, path: Path, name: str, count: int) -> Any:
    part = _part(file, path, name)
    if part.shape != (count,) or part.dtype.kind not in "iu":
        raise SpikingGammaError(f"{name} of {path}", f"{part.dtype}, shape {part.shape}", f"{count} integers")
    return part[:].astype(np.int64)


def _texts(file: Any, path: Path, name: str) -> tuple[str, ...]:
    if name not in file:
        return ()
    values = _part(file, path, name)[:].tolist()
    return tuple(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values)
