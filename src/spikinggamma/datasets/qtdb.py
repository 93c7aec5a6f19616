"""QTDB: heartbeats of the QT Database as level-crossing spikes, with a label of the current wave at every step.

618 training and 141 test stretches of 1301 steps at 250 Hz (5.2 s), two electrocardiogram leads, for each of which one channel
spikes when the voltage has risen by a level and one when it has fallen. Six classes: the waves P, QR and RS, and the segments
between them, PQ, ST and TP; about a twelfth of the steps has none. Spikes and split of Yin, Corradi, Bohté (2021), arXiv
2103.12593; recordings of Laguna and others (1997), on PhysioNet.

Layout: `qtdb/QTDB_train.mat` and `qtdb/QTDB_test.mat` (MATLAB 5) below the data root, each with `x` [samples, steps, 4] of 0
and 1 (a -1 at the last step marks the end and is no spike) and `y` [samples, steps, 6], one-hot, all zero where nothing is
labelled.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Int
from pydantic import Field

from spikinggamma.datasets.cache import cache_root
from spikinggamma.datasets.download import data_root
from spikinggamma.datasets.registry import Floor, Info, Loading, register_dataset
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.options import Options

__all__ = ["INFO", "load", "read_qtdb"]

STEP_US = 4000  # 250 Hz
_RUN = 10
_CLASSES = ("P", "PQ", "QR", "RS", "ST", "TP")

INFO = Info(
    name="qtdb",
    title="QTDB, waves of the heartbeat",
    n_classes=6,
    class_names=_CLASSES,
    n_channels=4,
    size="759 stretches",
    licence="ODC-By 1.0",
    url="https://physionet.org/content/qtdb/",
    citation="""@article{yin2021accurate,
  author  = {Yin, Bojian and Corradi, Federico and Boht{\\'e}, Sander M.},
  title   = {Accurate and efficient time-domain classification with adaptive spiking recurrent neural networks},
  journal = {Nature Machine Intelligence},
  volume  = {3},
  pages   = {905--913},
  year    = {2021},
  doi     = {10.1038/s42256-021-00397-w}
}
@inproceedings{laguna1997database,
  author    = {Laguna, Pablo and Mark, Roger G. and Goldberg, Ary and Moody, George B.},
  title     = {A database for evaluation of algorithms for measurement of {QT} and other waveform intervals in the {ECG}},
  booktitle = {Computers in Cardiology},
  pages     = {673--676},
  year      = {1997}
}""",
    step_labels=True,
)


class QTDBOptions(Options):
    """Options of the stretches."""

    all_steps: bool = Field(
        default=False,
        description="steps without a label count as the wave P, and the last step is left out, as in published accuracies of"
        " all steps",
    )


_FLOORS = (Floor(0.353, "the most frequent class at each position in time", "python benchmarks/qtdb_floor.py"),)


@register_dataset(INFO, options=QTDBOptions, floors=_FLOORS)
def load(options: QTDBOptions, how: Loading) -> Splits:
    """Load the stretches in three parts.

    Args:
        options: Whether steps without a label count.
        how: Its split is `official`, the only one; of the training part a share is held out, in runs of ten
            neighbours, as those of one heart are alike; its root holds the folder `qtdb`.

    Raises:
        SpikingGammaError: The split is unknown, or a file is missing or damaged.

    Example:
        >>> splits = load()  # doctest: +SKIP
        >>> len(splits.train), len(splits.validation), len(splits.test)  # doctest: +SKIP
        (558, 60, 141)
    """
    if how.split != "official":
        raise SpikingGammaError("split", repr(how.split), "'official'")
    if not 0.0 <= how.validation_fraction < 1.0:
        raise SpikingGammaError("validation_fraction", how.validation_fraction, "from 0 to below 1")
    folder = (data_root(how.root) or cache_root()) / INFO.name
    rest, test = (read_qtdb(folder / f"QTDB_{part}.mat", all_steps=options.all_steps) for part in ("train", "test"))
    runs = -(-len(rest) // _RUN)
    held = np.random.default_rng([how.seed, 0x9B]).permutation(runs)[: round(runs * how.validation_fraction)]
    out = np.isin(np.arange(len(rest)) // _RUN, held)
    kept = [recording for recording, left_out in zip(rest, out, strict=True) if not left_out]
    return Splits(kept, [recording for recording, left_out in zip(rest, out, strict=True) if left_out], test)


def read_qtdb(path: Path, *, all_steps: bool = False) -> list[Recording]:
    """Read the stretches of one file, in its order.

    Args:
        path: The file.
        all_steps: Whether steps without a label count as the wave P, and the last step is left out.

    Raises:
        SpikingGammaError: The file is missing, is not a MATLAB file with `x` and `y` of the layout, or has an unknown value.
    """
    import scipy.io

    if not path.is_file():
        remedy = f"Put it there, or point SPIKINGGAMMA_DATA at the folder above `{INFO.name}`."
        raise SpikingGammaError(str(path), "no such file", f"a part of {INFO.title}", remedy)
    try:
        held = scipy.io.loadmat(path, variable_names=["x", "y"], appendmat=False)
    except Exception as error:  # any error of the reader on a damaged file
        raise SpikingGammaError(str(path), f"not readable ({error})", "a whole MATLAB 5 file") from error
    x, y = (_table(held, name, width, path) for name, width in (("x", INFO.n_channels), ("y", INFO.n_classes)))
    if x.shape[:2] != y.shape[:2]:
        raise SpikingGammaError(str(path), f"x {x.shape} and y {y.shape}", "the same samples and steps")
    if np.isin(x[:, :-1], (0, 1), invert=True).any() or np.isin(x[:, -1], (-1, 0, 1), invert=True).any():
        raise SpikingGammaError(str(path), "other values in `x`", "0 or 1 (and -1 at the last step)")
    if np.isin(y, (0, 1), invert=True).any() or (y.sum(axis=2) > 1).any():
        raise SpikingGammaError(str(path), "other values in `y`", "one 1 or none at every step")
    # The most active of six zeros is the first: that is how the published program comes to P where nothing is labelled.
    labels = y.argmax(axis=2) if all_steps else np.where(y.any(axis=2), y.argmax(axis=2), -1)
    if all_steps:
        x, labels = x[:, :-1], labels[:, :-1]
    return [_recording(x[i], labels[i], f"{path.name}/{i}") for i in range(len(x))]


def _recording(spikes: Int[np.ndarray, "T N"], labels: Int[np.ndarray, " T"], source: str) -> Recording:
    steps, channels = np.nonzero(spikes == 1)
    return Recording(
        steps * STEP_US,
        channels,
        INFO.n_channels,
        len(spikes) * STEP_US,
        label=-1,
        source=source,
        step_labels=labels,
        step_us=STEP_US,
    )


def _table(held: dict[str, object], name: str, width: int, path: Path) -> Int[np.ndarray, "S T W"]:
    table = held.get(name)
    if not isinstance(table, np.ndarray):
        raise SpikingGammaError(str(path), f"no `{name}`", "`x` and `y`")
    if table.ndim != 3 or table.shape[2] != width or table.dtype.kind not in "iu" or 0 in table.shape:
        got = f"`{name}` {table.dtype} {table.shape}"
        raise SpikingGammaError(str(path), got, f"integers [samples, steps, {width}]")
    return table.astype(np.int64)
