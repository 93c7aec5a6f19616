"""Figures of the tuning of single neurons to a time in the recording or to a class.

Neurons are sorted by one half of the recordings and shown by the other. Sorted and shown by the same recordings, pure noise
would give the same diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikinggamma.report.activity.neuron_order import order_by_peak, smooth
from spikinggamma.report.activity.survey import LayerSurvey, Survey
from spikinggamma.report.theme import SERIES, Panel, Section, draw_svg, shade, tidy

__all__ = ["draw_class_tuning", "tuning_section"]

_ENOUGH = 50  # spikes; with fewer, a neuron's preference would be chance


def tuning_section(survey: Survey, class_names: Sequence[str], key: str) -> Section:
    """Return the tuning to time, and to class where there are some, for every hidden layer."""
    panels = []
    for index, layer in enumerate(survey.layers):
        height = 300.0
        panels += [
            Panel(
                f"Hidden layer {index + 1}: preferred times",
                "A blue diagonal is a sequence of time cells; vertical stripes are times at which all neurons spike.",
                draw_svg(
                    f"{key}-tuning-time-{index}", partial(_draw_time, layer, survey.dt_ms), width=440.0, height=height
                ),
            ),
        ]
        if not class_names:
            continue
        panels += [
            Panel(
                f"Hidden layer {index + 1}: preferred classes",
                "Blue steps down the diagonal are neurons that prefer one class; pale rows depend little on it.",
                draw_svg(
                    f"{key}-tuning-class-{index}",
                    partial(_draw_classes, layer, class_names),
                    width=440.0,
                    height=height,
                ),
            ),
        ]
    return Section(
        f"{key}-tuning",
        "Tuning",
        "Blue where a neuron spikes more than on average, up to twice as much; orange where less. The order comes from "
        "one half of the recordings and the colours from the other, so that chance alone makes no pattern; neurons "
        f"with fewer than {_ENOUGH} spikes are left blank, last.",
        panels,
        columns=2,
    )


def draw_class_tuning(ax: Axes, layer: LayerSurvey, class_names: Sequence[str]) -> None:
    """Draw rates by class, with neurons sorted by their preferred class."""
    first, second = np.nan_to_num(layer.by_class)
    quiet = layer.spikes < _ENOUGH
    order = np.lexsort((-first.max(0) / np.maximum(first.mean(0), 1e-12), first.argmax(0), quiet))
    _draw_rows(ax, np.where(quiet, 0.0, second).T[order], np.arange(len(class_names) + 1) - 0.5)
    every = -(-len(class_names) // 16)
    places = list(range(0, len(class_names), every))
    ax.set_xticks(places, class_names[::every], rotation=90 if max(map(len, class_names)) > 2 else 0)
    ax.tick_params(axis="x", length=0)
    tidy(ax, x="class", y="neuron, by preferred class", grid="none")


def _draw_time(layer: LayerSurvey, dt_ms: float, figure: Figure) -> None:
    ax = figure.add_subplot()
    quiet = layer.spikes < _ENOUGH
    first, second = np.where(quiet, 0.0, layer.by_time)
    order = order_by_peak(first, dt_ms)
    _draw_rows(ax, smooth(second, dt_ms).T[order], np.arange(len(second) + 1) * dt_ms)
    tidy(ax, x="time since the start [ms]", y="neuron, by time of peak", grid="none")


def _draw_classes(layer: LayerSurvey, class_names: Sequence[str], figure: Figure) -> None:
    draw_class_tuning(figure.add_subplot(), layer, class_names)


def _draw_rows(ax: Axes, rows: Float[np.ndarray, "N X"], edges: Float[np.ndarray, " X+1"]) -> None:
    """Draw each neuron's rate relative to its own mean: full colour at twice the mean, and at zero."""
    mean = rows.mean(1, keepdims=True)
    excess = np.where(mean > 0, rows / np.maximum(mean, 1e-12) - 1.0, 0.0)
    ax.pcolormesh(edges, np.arange(len(rows) + 1), shade(excess, SERIES[0], SERIES[1]), rasterized=True)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(len(rows), 0)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
