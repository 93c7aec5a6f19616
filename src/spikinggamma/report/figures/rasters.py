"""Figure of one recording in a net: input events, the spikes of every layer, and the logits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from spikinggamma.learning import LOSSES, EvidenceKind, judging_loss
from spikinggamma.report.activity.neuron_order import order_by_peak
from spikinggamma.report.activity.recording import Sample
from spikinggamma.report.activity.survey import Survey
from spikinggamma.report.figures.events import label_colour
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, legend, percent_axis, shade, tidy

__all__ = ["draw_belief", "draw_logits", "draw_raster", "draw_sample", "raster_section"]

_TRUE, _PREDICTED = SERIES[2], SERIES[1]
_OUTPUTS = 5  # values drawn over time
_VECTOR = 15_000  # with more spikes in one raster, an image is smaller than a path


def raster_section(
    samples: Sequence[Sample], survey: Survey, class_names: Sequence[str], key: str, loss: str, part: str
) -> Section:
    """Return the rasters of a correct and a wrong decision, side by side."""
    orders = [order_by_peak(layer.by_time.mean(0), survey.dt_ms) for layer in survey.layers]
    layers = len(samples[0].layers)
    height = 150.0 + 130.0 * layers + 190.0
    longest = max(len(sample.events) * sample.dt_ms for sample in samples)
    marks = "Every mark is a spike; neurons are sorted by the time of their highest mean rate."
    if not samples[0].layers[0].threshold.any():
        marks = "Marks are input events; below, colour is the size of each neuron's signal."
    panels = []
    for number, sample in enumerate(samples):
        draw = partial(draw_sample, sample, orders, class_names, loss, longest)
        panels.append(
            Panel(
                _headline(sample, class_names),
                f"Follow the input down the layers to the moment when one class rises above the others "
                f"({sample.source or f'recording {sample.place}'}).",
                draw_svg(f"{key}-raster-{number}", draw, width=440.0, height=height),
            )
        )
    same = "All inspected recordings had the same outcome, so there is one example."
    return Section(
        f"{key}-rasters",
        "Rasters",
        f"Recordings of the {part} part. {marks}",
        panels,
        same if len(panels) == 1 else "",
        columns=2,
    )


def _headline(sample: Sample, class_names: Sequence[str]) -> str:
    if sample.values is not None:
        return f"Mean squared error {-sample.share:.3g}"
    if sample.step_labels is not None:
        return f"{sample.share:.0%} of the labelled steps right"
    said, was = class_names[sample.prediction], class_names[sample.label]
    return f"Right: “{was}”" if sample.share else f"Wrong: “{was}” taken for “{said}”"


def draw_sample(
    sample: Sample,
    orders: Sequence[Int[np.ndarray, " N"]],
    class_names: Sequence[str],
    loss: str,
    longest_ms: float,
    figure: FigureBase,
) -> None:
    """Draw rasters from the input downwards, and logits over time below."""
    ratios = [1.1, *[1.0] * len(sample.layers), 0.68, 0.62]
    axes = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios)
    draw_raster(axes[0], sample.events, sample.dt_ms, INK)
    tidy(axes[0], y="input\nchannel", grid="none")
    for index, layer in enumerate(sample.layers):
        colour = SERIES[index % len(SERIES)]
        if layer.threshold.any():
            draw_raster(axes[1 + index], layer.counts[:, orders[index]], sample.dt_ms, colour)
        else:
            draw_signals(axes[1 + index], layer.output, sample.dt_ms, colour)
        name = f"hidden {index + 1}" if len(sample.layers) > 1 else "hidden"
        tidy(axes[1 + index], y=f"{name}\nneuron", grid="none")
    if sample.values is not None:
        draw_values(axes[-2], sample, class_names)
        draw_errors(axes[-1], sample)
    elif sample.step_labels is None:
        draw_logits(axes[-2], sample, class_names)
        draw_belief(axes[-1], sample, loss)
    else:
        draw_step_logits(axes[-2], sample, class_names)
        draw_answers(axes[-1], sample)
    for ax in axes[:-1]:
        ax.tick_params(axis="x", length=0)
    axes[-1].set_xlabel("time [ms]")
    axes[-1].set_xlim(0.0, longest_ms)
    figure.align_ylabels(list(axes))


def draw_raster(ax: Axes, spikes: Float[np.ndarray, "T N"], dt_ms: float, colour: str) -> None:
    """Draw a mark for every step in which a row spikes, all as one path."""
    steps, rows = np.nonzero(spikes)
    times = (steps + 0.5) * dt_ms
    # With many rows, marks overlap the neighbouring rows a little, as they would be invisible otherwise.
    half = max(0.5, spikes.shape[1] / 110.0)
    vertices = np.empty((2 * len(steps), 2))
    vertices[0::2] = np.column_stack([times, rows - half])
    vertices[1::2] = np.column_stack([times, rows + half])
    codes = np.tile([Path.MOVETO, Path.LINETO], len(steps))
    path = Path(vertices, codes) if len(steps) else Path(np.zeros((0, 2)))
    path.should_simplify = False
    crowded = len(steps) > _VECTOR
    ax.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=1.2, rasterized=crowded))
    if not len(steps):
        ax.text(0.5, 0.5, "silent", transform=ax.transAxes, ha="center", va="center", color=MUTED)
    ax.set_ylim(-0.5 - half, spikes.shape[1] - 0.5 + half)
    ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def draw_signals(ax: Axes, output: Float[np.ndarray, "T N"], dt_ms: float, colour: str) -> None:
    """Draw the signals of an analogue layer, each relative to its maximum."""
    image = shade((output / np.maximum(output.max(0), 1e-12)).T, colour, colour)
    edges = np.arange(len(output) + 1) * dt_ms
    ax.pcolormesh(edges, np.arange(output.shape[1] + 1) - 0.5, image, rasterized=True)
    ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def draw_logits(ax: Axes, sample: Sample, class_names: Sequence[str]) -> None:
    """Draw the read-out's signals, with the true and the predicted class in colour."""
    _draw_lines(ax, sample, sample.logits)
    # Classes with low logits may lie outside the axes, so that the candidates can be distinguished.
    best = np.sort(sample.logits, axis=1)[:, -3:]
    chosen = sample.logits[:, [sample.label, sample.prediction]]
    low, high = min(float(best.min()), float(chosen.min())), float(best.max())
    margin = 0.08 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    entries = [(f"{class_names[sample.label]} (true)", _TRUE)]
    if sample.prediction != sample.label:
        entries.append((f"{class_names[sample.prediction]} (predicted)", _PREDICTED))
    legend(ax, [*entries, ("other classes", MUTED)])
    tidy(ax, y="logit\nx(t)")


def draw_step_logits(ax: Axes, sample: Sample, class_names: Sequence[str]) -> None:
    """Draw the read-out's signals, each class in its colour."""
    times = (np.arange(len(sample.logits)) + 0.5) * sample.dt_ms
    for index, name in enumerate(class_names):
        ax.plot(times, sample.logits[:, index], color=label_colour(index), linewidth=1.0, label=name)
    legend(ax, [(name, label_colour(index)) for index, name in enumerate(class_names)])
    ax.yaxis.set_major_locator(MaxNLocator(4))
    tidy(ax, y="logit\nx(t)")


def draw_values(ax: Axes, sample: Sample, names: Sequence[str]) -> None:
    """Draw the outputs and, dashed, what they should be, each in its colour."""
    assert sample.values is not None, "drawn only where values are asked for"
    times = (np.arange(len(sample.logits)) + 0.5) * sample.dt_ms
    for index in range(min(sample.logits.shape[1], _OUTPUTS)):
        colour = label_colour(index)
        ax.plot(times, sample.logits[:, index], color=colour, linewidth=1.3)
        ax.plot(times, sample.values[:, index], color=colour, linewidth=1.0, linestyle=(0, (4, 2)))
    shown = [(name, label_colour(index)) for index, name in enumerate(names[:_OUTPUTS])]
    legend(ax, shown)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    tidy(ax, y="output, and\ntarget (dashed)")


def draw_errors(ax: Axes, sample: Sample) -> None:
    """Draw the mean absolute error of the outputs over time."""
    assert sample.values is not None, "drawn only where values are asked for"
    times = (np.arange(len(sample.logits)) + 0.5) * sample.dt_ms
    error = np.abs(sample.logits - sample.values)
    known = ~np.isnan(error).all(axis=1)
    mean = np.full(len(error), np.nan)
    mean[known] = np.nanmean(error[known], axis=1)
    ax.plot(times, mean, color=MUTED, linewidth=1.0)
    ax.set_ylim(bottom=0.0)
    tidy(ax, y="mean\n|error|")


def draw_answers(ax: Axes, sample: Sample) -> None:
    """Draw two bands: the labels, and below them the predictions at each step."""
    truth = sample.step_labels
    assert truth is not None, "drawn only where steps have labels"
    for row, labels in enumerate((sample.logits.argmax(1), truth)):
        starts = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])
        for first, last in pairwise(starts.tolist()):
            if labels[first] >= 0:
                colour = label_colour(int(labels[first]))
                ax.broken_barh([(first * sample.dt_ms, (last - first) * sample.dt_ms)], (row + 0.1, 0.8), color=colour)
    ax.set_ylim(0.0, 2.0)
    ax.set_yticks([0.5, 1.5], ["said", "true"])
    tidy(ax, grid="none")


def draw_belief(ax: Axes, sample: Sample, loss: str) -> None:
    """Draw the probabilities of classes at each time, as if the recording ended there, in the way of the loss."""
    elapsed = np.arange(1, len(sample.logits) + 1)[:, None]
    kind = LOSSES[judging_loss(loss, step_labels=False)].target.evidence_kind
    evidence = sample.logits if kind is EvidenceKind.NOW else sample.logits.cumsum(0) / elapsed
    belief = np.exp(evidence - evidence.max(1, keepdims=True))
    _draw_lines(ax, sample, belief / belief.sum(1, keepdims=True))
    ax.set_ylim(0.0, 1.0)
    ax.set_yticks([0.0, 0.5, 1.0])
    percent_axis(ax.yaxis)
    tidy(ax, y="belief\nso far")


def _draw_lines(ax: Axes, sample: Sample, values: Float[np.ndarray, "T C"]) -> None:
    times = (np.arange(len(values)) + 0.5) * sample.dt_ms
    special = {sample.prediction: _PREDICTED, sample.label: _TRUE}
    others = [index for index in range(values.shape[1]) if index not in special]
    ax.plot(times, values[:, others], color=MUTED, linewidth=0.8, alpha=0.55)
    for index, colour in special.items():
        ax.plot(times, values[:, index], color=colour, linewidth=1.8)
