"""Figures of learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikinggamma.evaluation.metrics import metric_of_row
from spikinggamma.recipes import Recipe
from spikinggamma.report.theme import INK, MUTED, SERIES, Panel, Section, draw_svg, percent_axis, tidy
from spikinggamma.runs import Run, build_net

__all__ = ["best_epoch", "end_labels", "epoch_axis", "learning_section", "mean_rate"]

_NEURONS: dict[str, list[int]] = {}  # of the hidden layers, by recipe
_MARKED = 25  # up to so many epochs, each has a dot


def learning_section(run: Run, key: str) -> Section:
    """Return curves of loss, accuracy, spikes, gradient norm and step size by epoch."""
    section = Section(
        f"{key}-learning",
        "Learning",
        "One point per epoch. Validation recordings come from the training part; the vertical line marks the epoch that "
        "was kept and tested.",
    )
    if not run.metrics:
        return section._replace(note="No epoch is finished yet: metrics.jsonl has no row.")
    epochs = [row["epoch"] for row in run.metrics]
    best = best_epoch(run)
    metric = metric_of_row(run.metrics[0])
    trained = {"training": _column(run, "train_accuracy")} if "train_accuracy" in run.metrics[0] else {}
    layers = list(zip(*(row["spikes_per_neuron_s"] for row in run.metrics), strict=True))
    specifications: list[tuple[str, str, str, str, dict[str, Sequence[float]]]] = [
        (
            "loss",
            "Loss",
            "Validation rising while training falls is overfitting; dropout and augmentation lift the training curve.",
            "cross-entropy [nats]" if metric.share else "loss",
            {"training": _column(run, "train_loss"), "validation": _column(run, "validation_loss")},
        ),
        (
            metric.name,
            metric.title.capitalize(),
            "How far the curves climb above the dashed lines, which need no timing to be reached."
            if metric.share
            else "1 is perfect; the dashed line at 0 is what the mean of the targets reaches.",
            metric.title,
            {**trained, "validation": _column(run, f"validation_{metric.name}")},
        ),
        (
            "spikes",
            "Spikes",
            f"Whether the {metric.title} needs more spikes: rates that rise with it, or level off.",
            "spikes per neuron per second",
            {_layer(index, len(layers)): values for index, values in enumerate(layers)},
        ),
        (
            "gradient",
            "Gradient norm",
            "A norm that grows manifold precedes a collapse; above the dashed line, gradients are clipped.",
            "mean norm of the gradient",
            {"": _column(run, "gradient_norm")},
        ),
        (
            "rate",
            "Step size",
            "The schedule: where it is small, the curves should be flat.",
            "learning rate",
            {"": _column(run, "learning_rate")},
        ),
    ]
    panels = []
    for name, title, caption, label, series in specifications:
        if name != "spikes" or not run.recipe.net.analogue:
            draw = partial(_draw, run, name, epochs, series, label, best)
            panels.append(Panel(title, caption, draw_svg(f"{key}-{name}", draw)))
    if not run.recipe.net.analogue:
        caption = "From the first epoch (ring) to the best (large dot): up is better, left is fewer spikes."
        draw_price = partial(_draw_price, run, best)
        title = f"{metric.title.capitalize()} against spikes"
        panels.insert(3, Panel(title, caption, draw_svg(f"{key}-price", draw_price)))
    return section._replace(panels=panels)


def mean_rate(run: Run, rates: Sequence[float]) -> float:
    """Return the mean rate of the hidden layers, weighted by their numbers of neurons; 0 of a net that has none."""
    sizes = _sizes(run.recipe)
    return sum(rate * size for rate, size in zip(rates, sizes, strict=True)) / max(sum(sizes), 1)


def _sizes(recipe: Recipe) -> list[int]:
    """Return the neurons of each hidden layer, convolutions and the layers of a chain included."""
    text = recipe.model_dump_json()
    if text not in _NEURONS:
        _NEURONS[text] = [layer.neurons for layer in build_net(recipe).hidden]
    return _NEURONS[text]


def best_epoch(run: Run) -> int:
    """Return the epoch whose weights were kept: best on validation, and among these the lowest loss."""
    if run.result is not None:
        return int(run.result["best_epoch"])
    name = f"validation_{metric_of_row(run.metrics[0]).name}"
    best = max(run.metrics, key=lambda row: (row[name], -row["validation_loss"], -row["epoch"]))
    return int(best["epoch"])


def epoch_axis(ax: Axes, last: int) -> None:
    """Set an axis of whole epochs from the first to `last`."""
    room = max(0.02 * last, 0.1)
    ax.set_xlim(1 - room, last + room)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def end_labels(ax: Axes, labels: Sequence[tuple[str, float, str]], x: float) -> None:
    """Write names at the right ends of lines (text, height, colour), moved apart where they would overlap."""
    low, high = ax.get_ylim()
    gap = (high - low) * 0.075
    heights: list[float] = []
    for text, y, colour in sorted(labels, key=lambda label: label[1]):
        heights.append(max(y, heights[-1] + gap) if heights else y)
        ax.annotate(
            text, (x, heights[-1]), xytext=(7, 0), textcoords="offset points", va="center", color=colour, fontsize=9.5,
            annotation_clip=False,
        )  # fmt: skip


def _draw(
    run: Run, name: str, epochs: list[int], series: dict[str, Sequence[float]], label: str, best: int, figure: Figure
) -> None:
    ax = figure.add_subplot()
    marker = "o" if len(epochs) <= _MARKED else None
    # Training is grey beside validation; layers and single lines take the palette.
    colours = (MUTED, SERIES[0]) if "validation" in series else SERIES
    for (_, values), colour in zip(series.items(), _cycle(colours, len(series)), strict=True):
        ax.plot(epochs, values, color=colour, marker=marker, markersize=3.5)
    ax.axvline(best, color=INK, linewidth=0.9, zorder=0.5)
    if name == "accuracy":
        for bound in run.data_info().floors:
            ax.axhline(bound.accuracy, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        ax.set_ylim(0.0, 1.0)
        percent_axis(ax.yaxis)
    elif name == "r2":
        ax.axhline(0.0, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        ax.set_ylim(max(min(min(values) for values in series.values()), -1.0) - 0.05, 1.0)
    elif name == "gradient":
        clip = run.recipe.learning.clip_norm
        if clip > 0.0:
            ax.axhline(clip, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
        ax.set_yscale("log") if _spread(series[""]) > 10.0 else ax.set_ylim(0.0)
    else:
        ax.set_ylim(0.0)
    if name not in ("gradient", "accuracy", "r2"):
        ax.set_ylim(0.0, 1.08 * max(max(values) for values in series.values()) or 1.0)
    epoch_axis(ax, epochs[-1])
    tidy(ax, x="epoch", y=label)
    named = zip(series.items(), _cycle(colours, len(series)), strict=True)
    low, high = ax.get_ylim()
    # A line may leave the axes; its name stays at their edge.
    ends = [(text, min(max(float(values[-1]), low), high), colour) for (text, values), colour in named if text]
    end_labels(ax, ends, epochs[-1])


def _draw_price(run: Run, best: int, figure: Figure) -> None:
    ax = figure.add_subplot()
    metric = metric_of_row(run.metrics[0])
    rates = [mean_rate(run, row["spikes_per_neuron_s"]) for row in run.metrics]
    accuracies = _column(run, f"validation_{metric.name}")
    ax.plot(rates, accuracies, color=SERIES[0], linewidth=1.2, alpha=0.7)
    ax.plot(rates, accuracies, "o", color=SERIES[0], markersize=3.0)
    ax.plot(rates[0], accuracies[0], "o", markersize=8.0, markerfacecolor="none", markeredgecolor=SERIES[0])
    chosen = [place for place, row in enumerate(run.metrics) if row["epoch"] == best]
    ax.plot([rates[place] for place in chosen], [accuracies[place] for place in chosen], "o", color=INK, markersize=7.0)
    ax.set_xlim(0.0, 1.12 * max(rates) or 1.0)
    if metric.share:
        ax.set_ylim(0.0, 1.0)
        percent_axis(ax.yaxis)
    else:
        ax.set_ylim(max(min(accuracies), -1.0) - 0.05, 1.0)
    tidy(ax, x="spikes per neuron per second", y=f"validation {metric.title}")


def _column(run: Run, key: str) -> list[Any]:
    return [row[key] for row in run.metrics]


def _layer(index: int, count: int) -> str:
    return f"hidden {index + 1}" if count > 1 else "hidden"


def _cycle(colours: Sequence[str], count: int) -> list[str]:
    return [colours[index % len(colours)] for index in range(count)]


def _spread(values: Sequence[float]) -> float:
    positive = [value for value in values if value > 0.0]
    return max(positive) / min(positive) if positive else 1.0
