"""Figure of accuracy against the spikes of hidden neurons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from spikinggamma.report.rows.timing_rows import Place, TimingRow, colours, model_title, place_title
from spikinggamma.report.theme import Panel, draw_svg, legend, percent_axis, tidy

__all__ = ["price_panel"]


def price_panel(rows: Sequence[TimingRow], place: Place) -> Panel | None:
    """Return the figure of one task from one row for each model; None where fewer than two models spike."""
    spiking = [row for row in rows if row.spikes_per_neuron_s > 0.0]
    if len(spiking) < 2:
        return None
    name = "-".join(part for part in ("timing", *place, "price") if part)
    caption = "Up and to the left is better: high accuracy with few spikes. Vertical lines are 95\u00a0% intervals."
    return Panel(place_title(place), caption, draw_svg(name, partial(_draw, spiking), width=440.0, height=270.0))


def _draw(rows: Sequence[TimingRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    colour = colours(rows)
    for row in rows:
        ax.vlines(row.spikes_per_neuron_s, row.low, row.high, color=colour[row.model], linewidth=2.0, alpha=0.5)
        ax.plot(row.spikes_per_neuron_s, row.accuracy, "o", color=colour[row.model], markersize=6.5)
    ax.set_xlim(0.0, 1.15 * max(row.spikes_per_neuron_s for row in rows))
    ax.set_ylim(0.0, 1.03)
    percent_axis(ax.yaxis)
    tidy(ax, x="spikes per neuron per second", y="test accuracy")
    legend(ax, [(model_title(row.model), colour[row.model]) for row in rows], columns=4)
