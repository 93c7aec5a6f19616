"""Records the activity of a trained net during single recordings; `survey` averages over many.

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
from spikinggamma.functional import SigmaDeltaState, sigma_delta_step
from spikinggamma.learning import judging_loss, make_loss
from spikinggamma.nn import GammaLayer, GammaNet, LayerActivations, LayerOutputs, NetActivations, SequenceNet
from spikinggamma.recipes import Recipe

__all__ = ["LayerRecord", "Sample", "batch_of", "predictions", "record", "targets_by_step"]


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
    are predicted: `values` are the targets of each step, NaN for none, all alike where they are of the whole recording.
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

        Of values, minus the mean squared error of the outputs.
        """
        if self.values is not None:
            return -float(np.nanmean(np.square(self.logits - self.values))) if not np.isnan(self.values).all() else 0.0
        if self.step_labels is None:
            return float(self.prediction == self.label)
        labelled = self.step_labels >= 0
        return float((self.logits.argmax(1) == self.step_labels)[labelled].mean()) if labelled.any() else 0.0


def record(net: SequenceNet, recipe: Recipe, recording: Recording, place: int) -> Sample:
    """Run `net` on one recording and record every layer, including estimates and thresholds."""
    dt_ms = recipe.data.dt_ms
    batch = batch_of(recipe, [recording])
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
        prediction=-1 if by_step or by_value else predictions(recipe, batch, logits)[0],
        dt_ms=dt_ms,
        events=batch.spikes[:, 0].numpy(),
        layers=layers,
        logits=logits[:, 0].numpy(),
        step_labels=batch.labels[:, 0].numpy() if by_step else None,
        values=targets_by_step(batch, len(logits))[:, 0].numpy() if by_value else None,
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


def targets_by_step(batch: Batch, steps: int) -> Float[Tensor, "T B C"]:
    """Return the values of a batch at each step, the same at all of them where they are of whole recordings."""
    return batch.labels if batch.labels.ndim == 3 else batch.labels.expand(steps, -1, -1)


def batch_of(recipe: Recipe, recordings: Sequence[Recording]) -> Batch:
    return make_batch(recordings, dt_ms=recipe.data.dt_ms, n_channels=recipe.data.n_channels or None)


def predictions(recipe: Recipe, batch: Batch, logits: Float[Tensor, "T B C"]) -> list[int]:
    # As in evaluation, a net that learns at each step is evaluated by its summed logits.
    kind = judging_loss(recipe.learning.loss, step_labels=False)
    options = recipe.loss if kind == recipe.learning.loss else None
    evaluator = make_loss(kind, batch.labels, batch.lengths, recipe.data.dt_ms, options)
    evaluator.observe(logits, 0)
    return [int(guess) for guess in evaluator.result().predictions]
