"""Averages of the activity of a trained net over many recordings of one part of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, Real
from torch import Tensor

from spikinggamma.events import Batch, Recording
from spikinggamma.events.binning import n_steps
from spikinggamma.nn import SequenceNet
from spikinggamma.recipes import Recipe
from spikinggamma.report.activity.recording import batch_of, predictions, targets_by_step

__all__ = ["LayerSurvey", "Survey", "choose", "survey"]

_MOST = 256  # recordings of a survey: enough for smooth averages within a few seconds
_NUMBERS = 40_000_000  # signals of all recordings and neurons together, which bounds the time for long recordings
_BATCH = 32


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


class Survey(NamedTuple):
    """Averages over recordings, with the share of correct decisions for each: 0 or 1 where it has one label."""

    indices: list[int]
    labels: list[int]
    shares: list[float]
    dt_ms: float
    layers: tuple[LayerSurvey, ...]


def survey(net: SequenceNet, recipe: Recipe, recordings: Sequence[Recording]) -> Survey:
    """Run `net` on up to 256 of the recordings, equally many from each class, and return averages."""
    dt_ms = recipe.data.dt_ms
    steps = n_steps(np.array([recording.duration_us for recording in recordings]), dt_ms)
    neurons = sum(layer.neurons for layer in net.hidden) + net.classes
    halves = _even(recordings, min(_MOST, max(16, int(_NUMBERS / (steps.mean() * neurons)))))
    indices = sorted(halves, key=lambda index: recordings[index].duration_us)  # similar lengths share a batch
    shown = int(np.median(steps[indices]))
    tallies = [_Tally(shown, net.classes, layer.neurons, dt_ms) for layer in net.hidden]
    shares: list[float] = []
    for first in range(0, len(indices), _BATCH):
        members = indices[first : first + _BATCH]
        batch = batch_of(recipe, [recordings[index] for index in members])
        with torch.no_grad():
            activations, _ = net.run(batch.spikes, net.initial_state(len(members)), dt_ms)
        shares += _shares(recipe, batch, activations.layers[-1].outputs)
        half = torch.tensor([halves[index] for index in members])
        for tally, layer in zip(tallies, activations.layers, strict=False):
            if layer.counts is not None:
                tally.add(layer.counts, batch, half)
    layers = tuple(tally.result() for tally in tallies)
    return Survey(indices, [recordings[index].label for index in indices], shares, dt_ms, layers)


def choose(found: Survey) -> list[int]:
    """Choose recordings to show, of medium length: a correctly classified one, and a wrongly classified one of its class.

    Where steps have labels, one has more correct steps than half of all recordings, and the other has not.

    Returns:
        One or two indices of recordings, the correct one first.
    """
    middle = len(found.indices) / 2
    places = sorted(range(len(found.indices)), key=lambda place: abs(place - middle))
    should_stop = 1.0 if set(found.shares) <= {0.0, 1.0} else float(np.median(found.shares))
    wrong = [place for place in places if found.shares[place] < should_stop]
    right = [place for place in places if found.shares[place] >= should_stop]
    alike = [place for place in right if wrong and found.labels[place] == found.labels[wrong[0]]]
    return [found.indices[place] for place in [*(alike or right)[:1], *wrong[:1]]]


class _Tally:
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


def _shares(recipe: Recipe, batch: Batch, logits: Float[Tensor, "T B C"]) -> list[float]:
    if batch.labels.is_floating_point():
        error = (logits - targets_by_step(batch, len(logits))).square().mean(2)
        valid = torch.arange(len(logits)).unsqueeze(1) < batch.lengths
        return [-float(own[known].nanmean().nan_to_num()) for own, known in zip(error.T, valid.T, strict=True)]
    if batch.labels.ndim == 1:
        guesses = predictions(recipe, batch, logits)
        return [float(guess == label) for guess, label in zip(guesses, batch.labels.tolist(), strict=True)]
    labelled = batch.labels >= 0
    right = ((logits.argmax(2) == batch.labels) & labelled).sum(0)
    return [float(share) for share in right / labelled.sum(0).clamp_min(1)]


def _even(recordings: Sequence[Recording], wanted: int) -> dict[int, int]:
    """Choose `wanted` recordings in turns from all classes; return the half, 0 or 1, by index."""
    seen: dict[int, int] = {}
    turns = []
    for index, recording in enumerate(recordings):
        turn = seen[recording.label] = seen.get(recording.label, -1) + 1
        turns.append((turn, recording.label, index))
    return {index: turn % 2 for turn, _, index in sorted(turns)[:wanted]}
