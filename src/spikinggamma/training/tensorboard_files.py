"""A run's course for TensorBoard: scalars of every epoch, histograms of the parameters now and then.

The files lie in the run's folder, so `tensorboard --logdir runs` shows every run by its name. Each sitting writes a file that
begins with the epoch it starts at: what an earlier one wrote of that epoch or later ones is left out by whoever reads.
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
# Histograms are large and change slowly: so many in a run, and one of its first epoch.
_HISTOGRAMS = 10


def require_tensorboard() -> None:
    """See that the optional package is there.

    Raises:
        SpikingGammaError: It is not.
    """
    require("tensorboard", "tensorboard", "which writes its files")


def open_tracker(run: Path, *, wanted: bool, done: int, epochs: int) -> Tracker | None:
    """What tracks a run after `done` epochs; None if nobody wants it, now or when the run began.

    Raises:
        SpikingGammaError: The optional package is missing.
    """
    if not wanted and not (run / _FOLDER).is_dir():
        return None
    require_tensorboard()
    return Tracker(run / _FOLDER, done=done, epochs=epochs)


class Tracker:
    """Writes what an epoch came to, as TensorBoard reads it.

    Args:
        folder: Where its files go.
        done: Epochs that are whole; what the files hold of later ones is void.
        epochs: How many there will be.
    """

    def __init__(self, folder: Path, *, done: int, epochs: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # Typed as it is used: the package has no types of its own.
        self._writer: Any = SummaryWriter(str(folder), purge_step=done + 1)
        self._every = max(1, epochs // _HISTOGRAMS)
        self._last = epochs

    def epoch(self, row: Row, found: Score, net: SequenceNet) -> None:
        """Add an epoch: its row of metrics, what validation found, and sometimes the parameters.

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
        """End the file."""
        self._writer.close()


def _scalars(row: Row, found: Score) -> dict[str, float]:
    """By the name that TensorBoard groups them by."""
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
        # A layer whose neurons fall silent, or all of which speak, is what goes wrong first.
        scalars |= {f"spikes_per_neuron_s/layer_{layer}": rate, f"neurons_speaking/layer_{layer}": share}
    return scalars
