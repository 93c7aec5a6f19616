"""Averages of the spikes of a layer over many recordings: by neuron, by time and by class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Real
from torch import Tensor

from spikinggamma.events import Batch

__all__ = ["LayerSurvey", "Tally"]


class LayerSurvey(NamedTuple):
    """Spikes per second of each neuron of a hidden layer, averaged over recordings.

    By time and by class there are two independent averages, over the even and the odd recordings, so that neurons can be
    ordered by one and shown by the other: sorting alone makes any noise look tuned.

    Attributes:
        overall: Rates over all recordings, [N].
        spikes: Number of spikes, [N].
        by_time: Rates by time since the start, over recordings that still last, until half have ended, [2, T, N].
        by_class: Rates by class, [2, C, N]; NaN for a class without a recording.
    """

    overall: Float[np.ndarray, " N"]
    spikes: Float[np.ndarray, " N"]
    by_time: Float[np.ndarray, "2 T N"]
    by_class: Float[np.ndarray, "2 C N"]


class Tally:
    """Sums spike counts of a layer by neuron, by time and by class, the latter two in two halves."""

    def __init__(self, steps: int, classes: int, neurons: int, dt_ms: float) -> None:
        self.overall, self.all_steps = torch.zeros(neurons), 0.0
        self.by_time, self.lasting = torch.zeros(2, steps, neurons), torch.zeros(2, steps, 1)
        self.by_class, self.class_steps = torch.zeros(2, classes, neurons), torch.zeros(2, classes, 1)
        self.per_second = 1000.0 / dt_ms

    def add(self, counts: Real[Tensor, "T B N"], batch: Batch, half: Int[Tensor, " B"]) -> None:
        valid = torch.arange(len(counts)).unsqueeze(1) < batch.lengths
        spikes = (counts * valid.unsqueeze(2)).float()
        shown = min(len(counts), self.by_time.shape[1])
        self.overall += spikes.sum((0, 1))
        self.all_steps += float(valid.sum())
        for which in (0, 1):
            own = half == which
            self.by_time[which, :shown] += spikes[:shown, own].sum(1)
            self.lasting[which, :shown, 0] += valid[:shown, own].sum(1)
            if batch.labels.is_floating_point():  # no classes: rates by class stay NaN
                continue
            labels = batch.labels[..., own].expand(len(counts), -1)[valid[:, own]]
            labelled = labels >= 0
            self.by_class[which].index_add_(0, labels[labelled], spikes[:, own][valid[:, own]][labelled])
            self.class_steps[which, :, 0] += torch.bincount(labels[labelled], minlength=self.class_steps.shape[1])

    def result(self) -> LayerSurvey:
        overall = self.overall / self.all_steps * self.per_second
        by_time = self.by_time / self.lasting.clamp_min(1.0) * self.per_second
        by_class = self.by_class / self.class_steps * self.per_second
        return LayerSurvey(overall.numpy(), self.overall.numpy(), by_time.numpy(), by_class.numpy())
