"""Files for TensorBoard: scalars of every epoch, and histograms of the parameters of some epochs.

The files are in the folder of the run, so `tensorboard --logdir runs` shows every run by its name. Each session writes
a new file, from the epoch at which it starts; TensorBoard ignores what an earlier file holds of that epoch and later
ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from spikinggamma.evaluation.metrics import metric_of_row
from spikinggamma.evaluation.scores import Score
from spikinggamma.nn import SequenceNet
from spikinggamma.optional import require
from spikinggamma.runs.metrics import Row

__all__ = ["Tracker", "open_tracker", "require_tensorboard"]

_FOLDER = "tensorboard"
# Histograms are large and change slowly: a run has this many, and one of its first epoch.
_HISTOGRAMS = 10


def require_tensorboard() -> None:
    """Check that the optional package is installed.

    Raises:
        SpikingGammaError: It is not installed.
    """
    require("tensorboard", "tensorboard", "which writes its files")


def open_tracker(run: Path, *, wanted: bool, done: int, epochs: int) -> Tracker | None:
    """Return the tracker of a run, or None if it was not wanted now or when the run began.

    Args:
        run: Folder of the run.
        wanted: Whether it is wanted.
        done: Number of finished epochs.
        epochs: Number of epochs in all.

    Raises:
        SpikingGammaError: The optional package is not installed.
    """
    if not wanted and not (run / _FOLDER).is_dir():
        return None
    require_tensorboard()
    return Tracker(run / _FOLDER, done=done, epochs=epochs)


class Tracker:
    """Write the results of epochs for TensorBoard.

    Args:
        folder: Folder of its files.
        done: Number of finished epochs; what the files hold of later ones is invalid.
        epochs: Number of epochs in all.
    """

    def __init__(self, folder: Path, *, done: int, epochs: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # The package has no types of its own.
        self._writer: Any = SummaryWriter(str(folder), purge_step=done + 1)
        self._every = max(1, epochs // _HISTOGRAMS)
        self._last = epochs

    def epoch(self, row: Row, found: Score, net: SequenceNet) -> None:
        """Add an epoch: its row of metrics, its validation, and in some epochs the parameters.

        Args:
            row: Row of metrics.
            found: Result of the validation.
            net: The net.

        Raises:
            SpikingGammaError: The files cannot be written.
        """
        step: int = row["epoch"]
        for name, value in _scalars(row, found).items():
            self._writer.add_scalar(name, value, step)
        if step in (1, self._last) or step % self._every == 0:
            for name, parameter in net.named_parameters():
                self._writer.add_histogram(name.replace(".", "/"), parameter.detach().to("cpu", torch.float32), step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def _scalars(row: Row, found: Score) -> dict[str, float]:
    """Return the scalars by the names by which TensorBoard groups them."""
    metric = metric_of_row(row)
    scalars = {
        "loss/train": row["train_loss"],
        "loss/validation": row["validation_loss"],
        **{f"{name}/train": row[f"train_{name}"] for name in ("accuracy",) if f"train_{name}" in row},
        f"{metric.name}/validation": row[f"validation_{metric.name}"],
        "course/learning_rate": row["learning_rate"],
        "course/gradient_norm": row["gradient_norm"],
        "course/samples_per_s": row["samples_per_s"],
    }
    for layer, (rate, share) in enumerate(zip(found.spikes_per_neuron_s, found.speaking, strict=True)):
        # A layer that falls silent, or in which all neurons spike, is often the first sign of a problem.
        scalars |= {f"spikes_per_neuron_s/layer_{layer}": rate, f"neurons_speaking/layer_{layer}": share}
    return scalars
