"""Records the activity of a trained net: single recordings in full, and averages over many.

All figures are measured on recordings of one part of the data with the weights of the best epoch, without dropout and
augmentation. Steps after a recording's end are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.events import Batch, Recording, make_batch
from spikinggamma.events.binning import n_steps
from spikinggamma.functional import SigmaDeltaState, sigma_delta_step
from spikinggamma.learning import judging_loss, make_loss
from spikinggamma.nn import GammaLayer, GammaNet, LayerActivations, LayerOutputs, NetActivations, SequenceNet
from spikinggamma.recipes import Recipe
from spikinggamma.report.activity.tally import LayerSurvey, Tally

__all__ = ["LayerRecord", "LayerSurvey", "Sample", "Survey", "choose", "record", "survey"]

_MOST = 256  # recordings of a survey: enough for smooth averages within a few seconds
_NUMBERS = 40_000_000  # signals of all recordings and neurons together, which bounds the time for long recordings
_BATCH = 32


class LayerRecord(NamedTuple):
    """Activity of a hidden layer during one recording; an analogue layer has no spikes and no threshold.

    Attributes:
        output: y, the rectified signal, [T, N].
        estimate: ŷ, the estimate that the listeners decode, [T, N].
        threshold: ϑ at the time of the comparison, [T, N].
        counts: Spikes per step, [T, N].
    """

    output: Float[np.ndarray, "T N"]
    estimate: Float[np.ndarray, "T N"]
    threshold: Float[np.ndarray, "T N"]
    counts: Int[np.ndarray, "T N"]


class Sample(NamedTuple):
    """One recording with the activity and the decision of the net; `place` is its index among the recordings.

    Where steps have labels, `step_labels` are those, -1 for none, and `label` and `prediction` are -1. So they are where values
    are asked for: `values` are those of each step, NaN for none, the same at all of them where they are of the whole recording.
    """

    place: int
    source: str
    label: int
    prediction: int
    dt_ms: float
    events: Float[np.ndarray, "T inputs"]
    layers: tuple[LayerRecord, ...]
    logits: Float[np.ndarray, "T C"]
    step_labels: Int[np.ndarray, " T"] | None = None
    values: Float[np.ndarray, "T C"] | None = None

    @property
    def share(self) -> float:
        """Share of correct steps where steps have labels; otherwise 1 for a correct decision and 0 for a wrong one.

        Of values, less the mean squared error of the outputs.
        """
        if self.values is not None:
            return -float(np.nanmean(np.square(self.logits - self.values))) if not np.isnan(self.values).all() else 0.0
        if self.step_labels is None:
            return float(self.prediction == self.label)
        labelled = self.step_labels >= 0
        return float((self.logits.argmax(1) == self.step_labels)[labelled].mean()) if labelled.any() else 0.0


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
    tallies = [Tally(shown, net.classes, layer.neurons, dt_ms) for layer in net.hidden]
    shares: list[float] = []
    for first in range(0, len(indices), _BATCH):
        members = indices[first : first + _BATCH]
        batch = _batch(recipe, [recordings[index] for index in members])
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


def record(net: SequenceNet, recipe: Recipe, recording: Recording, place: int) -> Sample:
    """Run `net` on one recording and record every layer, including estimates and thresholds."""
    dt_ms = recipe.data.dt_ms
    batch = _batch(recipe, [recording])
    with torch.no_grad():
        activations, _ = net.run(batch.spikes, net.initial_state(1), dt_ms)
    if isinstance(net, GammaNet):
        assert isinstance(activations, NetActivations)
        layers = tuple(
            _layer_record(layer, part, dt_ms) for layer, part in zip(net.hidden, activations.layers, strict=False)
        )
    else:
        layers = tuple(_spikes_alone(part) for part in activations.layers[: len(net.hidden)])
    logits = activations.layers[-1].outputs
    by_value = batch.labels.is_floating_point()
    by_step = batch.labels.ndim == 2 and not by_value
    return Sample(
        place=place,
        source=recording.source,
        label=recording.label,
        prediction=-1 if by_step or by_value else _predictions(recipe, batch, logits)[0],
        dt_ms=dt_ms,
        events=batch.spikes[:, 0].numpy(),
        layers=layers,
        logits=logits[:, 0].numpy(),
        step_labels=batch.labels[:, 0].numpy() if by_step else None,
        values=_by_step(batch, len(logits))[:, 0].numpy() if by_value else None,
    )


def _layer_record(layer: GammaLayer, activations: LayerActivations, dt_ms: float) -> LayerRecord:
    output = torch.relu(activations.signal[:, 0]) if layer.rectify else activations.signal[:, 0]
    if layer.code is None or activations.counts is None:
        nothing = torch.zeros_like(output)
        return LayerRecord(output.numpy(), output.numpy(), nothing.numpy(), nothing.int().numpy())
    alpha_0 = float(layer.alpha(dt_ms)[0])
    state = SigmaDeltaState(activations.before.estimate[0], activations.before.adaptation[0])
    estimates, thresholds = [], []
    for signal in output.unbind(0):
        thresholds.append(layer.code.threshold + state.adaptation)
        _, state = sigma_delta_step(layer.code, alpha_0, dt_ms, state, signal)
        estimates.append(state.estimate)
    estimate, threshold = torch.stack(estimates), torch.stack(thresholds)
    return LayerRecord(output.numpy(), estimate.numpy(), threshold.numpy(), activations.counts[:, 0].int().numpy())


def _spikes_alone(activations: LayerOutputs) -> LayerRecord:
    """Return the record of neurons without a sigma-delta code, which only has their spikes."""
    sent = activations.outputs[:, 0]
    counts = torch.zeros_like(sent) if activations.counts is None else activations.counts[:, 0]
    return LayerRecord(sent.numpy(), sent.numpy(), torch.zeros_like(sent).numpy(), counts.int().numpy())


def _batch(recipe: Recipe, recordings: Sequence[Recording]) -> Batch:
    return make_batch(recordings, dt_ms=recipe.data.dt_ms, n_channels=recipe.data.n_channels or None)


def _by_step(batch: Batch, steps: int) -> Float[Tensor, "T B C"]:
    """Return the values of a batch at each step."""
    return batch.labels if batch.labels.ndim == 3 else batch.labels.expand(steps, -1, -1)


def _shares(recipe: Recipe, batch: Batch, logits: Float[Tensor, "T B C"]) -> list[float]:
    if batch.labels.is_floating_point():
        error = (logits - _by_step(batch, len(logits))).square().mean(2)
        valid = torch.arange(len(logits)).unsqueeze(1) < batch.lengths
        return [-float(own[known].nanmean().nan_to_num()) for own, known in zip(error.T, valid.T, strict=True)]
    if batch.labels.ndim == 1:
        guesses = _predictions(recipe, batch, logits)
        return [float(guess == label) for guess, label in zip(guesses, batch.labels.tolist(), strict=True)]
    labelled = batch.labels >= 0
    right = ((logits.argmax(2) == batch.labels) & labelled).sum(0)
    return [float(share) for share in right / labelled.sum(0).clamp_min(1)]


def _predictions(recipe: Recipe, batch: Batch, logits: Float[Tensor, "T B C"]) -> list[int]:
    # As in evaluation, a net that learns at each step is evaluated by its summed logits.
    kind = judging_loss(recipe.learning.loss, step_labels=False)
    options = recipe.loss if kind == recipe.learning.loss else None
    evaluator = make_loss(kind, batch.labels, batch.lengths, recipe.data.dt_ms, options)
    evaluator.observe(logits, 0)
    return [int(guess) for guess in evaluator.result().predictions]


def _even(recordings: Sequence[Recording], wanted: int) -> dict[int, int]:
    """Choose `wanted` recordings in turns from all classes; return the half, 0 or 1, by index."""
    seen: dict[int, int] = {}
    turns = []
    for index, recording in enumerate(recordings):
        turn = seen[recording.label] = seen.get(recording.label, -1) + 1
        turns.append((turn, recording.label, index))
    return {index: turn % 2 for turn, _, index in sorted(turns)[:wanted]}
