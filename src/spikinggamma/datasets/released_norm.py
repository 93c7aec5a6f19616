"""Reader of SHD-norm and SSC-norm, the files that were released with "Beyond Rate Coding" (arXiv 2507.16043).

| file | content |
| --- | --- |
| `shd_norm.mat`, MATLAB version 5 | `X` uint8 [5460, 224, 100]: recordings, channels, bins; `Y` [1, 5460], 20 classes |
| `ssc_norm.h5`, HDF5, compressed | `X` [40390, 285, 100]; `Y` [40390], 35 classes |

Both are at https://zenodo.org/records/16153275. A bin is 1.4 s / 99 long; an event is put in the middle of bin i, so that
binning at `spikinggamma.events.BIN_MS` restores the file's own steps. Bin 0 is empty, as bins are numbered from 1. The channels
are those of the Heidelberg data sets that were kept, renumbered. *whole* and *part* from the authors' programs have the same
layout.

The files are shuffled already. The authors' notebooks train on the first 60 %, validate on the next 15 % and test on the next
15 %, as `spikinggamma.events.published_parts` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import N_BINS, Recording, from_bins

__all__ = ["read_shd_norm", "read_ssc_norm"]

_AT_ONCE = 1000  # recordings: 28 MB of Speech Commands, where the whole file is more than a gigabyte


def read_shd_norm(path: Path | str) -> list[Recording]:
    """Read the recordings of `shd_norm.mat`, in its order.

    Raises:
        SpikingGammaError: The file is missing, is not a MATLAB file of version 5, or has no spikes and labels in this layout.

    Example:
        >>> len(read_shd_norm("shd_norm.mat"))  # doctest: +SKIP
        5460
    """
    from scipy.io import loadmat

    path = _existing(path)
    try:
        held = loadmat(path, variable_names=["X", "Y"])
    except NotImplementedError as error:
        remedy = "Save it again with scipy.io.savemat, or with MATLAB's -v7 switch."
        raise SpikingGammaError(str(path), "a MATLAB file of version 7.3", "version 5, as released", remedy) from error
    except Exception as error:  # scipy's reader passes on any error that a damaged file causes
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole MATLAB file of version 5") from error
    return _recordings(path, held, n_classes=20)


def read_ssc_norm(path: Path | str) -> list[Recording]:
    """Read the recordings of `ssc_norm.h5`, in its order, a thousand at a time.

    Raises:
        SpikingGammaError: The file is missing, is not a complete HDF5 file, or has no spikes and labels in this layout.

    Example:
        >>> len(read_ssc_norm("ssc_norm.h5"))  # doctest: +SKIP
        40390
    """
    import h5py

    path = _existing(path)
    try:
        with h5py.File(path, "r") as file:
            return _recordings(path, file, n_classes=35)
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole HDF5 file") from error


def _existing(path: Path | str) -> Path:
    path = Path(path)
    if not path.is_file():
        remedy = "Download it from https://zenodo.org/records/16153275."
        raise SpikingGammaError(str(path), "no such file", "a released file of SHD-norm or SSC-norm", remedy)
    return path


def _recordings(path: Path, held: Any, *, n_classes: int) -> list[Recording]:
    spikes, labels = held.get("X"), held.get("Y")
    for name, value in (("X", spikes), ("Y", labels)):
        if not hasattr(value, "shape"):
            raise SpikingGammaError(str(path), f"no `{name}` in it", "spikes `X` and labels `Y`")
    if len(spikes.shape) != 3 or spikes.shape[2] != N_BINS or min(spikes.shape) < 1 or spikes.dtype.kind not in "buif":
        expected = f"numbers, shape [recordings, channels, {N_BINS} bins]"
        raise SpikingGammaError(f"X of {path}", f"{spikes.dtype}, shape {spikes.shape}", expected)
    if labels.dtype.kind not in "iu" or labels.size != len(spikes):
        raise SpikingGammaError(f"Y of {path}", f"{labels.dtype}, shape {labels.shape}", f"{len(spikes)} integers")
    classes = np.asarray(labels[...]).ravel().astype(np.int64)
    wrong = (classes < 0) | (classes >= n_classes)
    if wrong.any():
        place = int(wrong.argmax())
        got = f"label {classes[place]} of recording {place}"
        raise SpikingGammaError(f"Y of {path}", got, f"labels from 0 to {n_classes - 1}")
    return list(_read(path, spikes, classes))


def _read(path: Path, spikes: Any, classes: Int[np.ndarray, " B"]) -> Iterator[Recording]:
    for first in range(0, len(classes), _AT_ONCE):
        block = np.asarray(spikes[first : first + _AT_ONCE])
        binary = ((block == 0) | (block == 1)).all(axis=(1, 2))
        if not binary.all():
            place = int(binary.argmin())
            values = block[place][(block[place] != 0) & (block[place] != 1)]
            raise SpikingGammaError(f"X of {path}", f"{values[0]} in recording {first + place}", "0 or 1")
        for place, one in enumerate(block):
            channels, bins = np.nonzero(one)
            label = int(classes[first + place])
            source = f"{path.name}[{first + place}]"
            yield from_bins(bins, channels, n_channels=block.shape[1], label=label, source=source)
