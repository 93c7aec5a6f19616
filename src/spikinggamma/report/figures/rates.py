"""Figures of the spike rates of layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from spikinggamma.report.activity.neuron_order import smooth
from spikinggamma.report.activity.survey import Survey
from spikinggamma.report.figures.curves import end_labels
from spikinggamma.report.theme import INK, SERIES, Panel, Section, draw_svg, percent_axis, tidy

__all__ = ["rate_section"]


def rate_section(rates: Sequence[float], survey: Survey | None, key: str, where: str) -> Section:
    """Return the spikes per neuron per second by layer, by neuron and over time."""
    panels = [
        Panel(
            "Spikes by layer",
            "The mean of each layer (line, number) and its neurons (dots); low dots mean sparse activity.",
            draw_svg(f"{key}-rates", partial(_draw_layers, rates, survey)),
        )
    ]
    if survey is not None:
        panels += [
            Panel(
                "Spikes by neuron",
                "A steep start means that few neurons do most of the talking; past the point where a line "
                "meets zero, none does.",
                draw_svg(f"{key}-rates-neurons", partial(_draw_neurons, survey)),
            ),
            Panel(
                "Spikes over time",
                "Whether the layers respond to the start of a recording, or spike throughout.",
                draw_svg(f"{key}-rates-time", partial(_draw_time, survey)),
            ),
        ]
    return Section(f"{key}-rates", "Spike rates", where, panels)


def _draw_layers(rates: Sequence[float], survey: Survey | None, figure: Figure) -> None:
    ax = figure.add_subplot()
    colours = [SERIES[index % len(SERIES)] for index in range(len(rates))]
    ax.bar(range(len(rates)), rates, width=0.66, color=colours, alpha=0.4)
    for place, (rate, colour) in enumerate(zip(rates, colours, strict=True)):
        ax.hlines(rate, place - 0.33, place + 0.33, color=INK, linewidth=1.6, zorder=4)
        ax.annotate(f"{rate:.1f}", (place + 0.36, rate), va="center", color=INK)
        if survey is not None:
            neurons = survey.layers[place].overall
            # Spread sideways by a non-repeating sequence, so that no random numbers are needed.
            aside = (np.arange(len(neurons)) * 0.618034) % 1.0 - 0.5
            ax.plot(place + 0.5 * aside, neurons, "o", color=colour, markersize=2.4, alpha=0.8, zorder=3)
    ax.set_xticks(range(len(rates)), [_name(index, len(rates)) for index in range(len(rates))])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6 if len(rates) > 1 else -1.2, len(rates) - 0.2 if len(rates) > 1 else 1.2)
    ax.set_ylim(0.0)
    tidy(ax, y="spikes per second")


def _draw_neurons(survey: Survey, figure: Figure) -> None:
    ax = figure.add_subplot()
    for index, layer in enumerate(survey.layers):
        ordered = np.sort(layer.overall)[::-1]
        share = (np.arange(len(ordered)) + 0.5) / len(ordered)
        ax.plot(share, ordered, color=SERIES[index % len(SERIES)], label=_name(index, len(survey.layers)))
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0)
    percent_axis(ax.xaxis)
    if len(survey.layers) > 1:
        ax.legend(frameon=False, labelcolor="linecolor", fontsize=9.5, handlelength=1.2, loc="upper right")
    tidy(ax, x="neurons, from the busiest", y="spikes per second")


def _draw_time(survey: Survey, figure: Figure) -> None:
    ax = figure.add_subplot()
    labels = []
    for index, layer in enumerate(survey.layers):
        rate = smooth(layer.by_time.mean(0), survey.dt_ms).mean(1)
        times = (np.arange(len(rate)) + 0.5) * survey.dt_ms
        colour = SERIES[index % len(SERIES)]
        ax.plot(times, rate, color=colour, linewidth=1.5)
        labels.append((_name(index, len(survey.layers)), float(rate[-1]), colour))
    ax.set_ylim(0.0)
    ax.set_xlim(0.0, len(survey.layers[0].by_time[0]) * survey.dt_ms)
    if len(labels) > 1:
        end_labels(ax, labels, times[-1])
    tidy(ax, x="time since the start [ms]", y="spikes per neuron per second")


def _name(index: int, count: int) -> str:
    return f"hidden {index + 1}" if count > 1 else "hidden"
