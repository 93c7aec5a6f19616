"""Figure of the accuracy on reversed recordings, which shows how much a net depends on the direction of time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from spikinggamma.report.figures.timing_levels import bounds
from spikinggamma.report.rows.timing_rows import Place, TimingRow, colours, model_title, place_title
from spikinggamma.report.theme import Panel, draw_svg, legend, percent_axis, tidy

__all__ = ["reversal_panel"]

_APART = 0.05  # horizontal distance between models, so that their intervals do not overlap


def reversal_panel(rows: Sequence[TimingRow], place: Place) -> Panel:
    """Return the figure of one task from the rows of reversal, level 0 for forward and 1 for reversed."""
    name = "-".join(part for part in ("timing", *place, "reversal") if part)
    caption = (
        "Nets trained on unperturbed speech; vertical lines are 95\u00a0% intervals. Dashed: accuracy without timing."
    )
    return Panel(place_title(place), caption, draw_svg(name, partial(_draw, rows), width=440.0, height=270.0))


def _draw(rows: Sequence[TimingRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    colour = colours(rows)
    models = list(dict.fromkeys(row.model for row in rows))
    bounds(ax, rows)
    for index, model in enumerate(models):
        own = sorted((row for row in rows if row.model == model), key=lambda row: row.level)
        x = [row.level + _APART * (index - (len(models) - 1) / 2) for row in own]
        ax.vlines(x, [row.low for row in own], [row.high for row in own], color=colour[model], linewidth=2.0, alpha=0.5)
        ax.plot(x, [row.accuracy for row in own], "o-", color=colour[model], markersize=5.0, linewidth=1.4)
    ax.set_xlim(-0.3, 1.3)
    ax.set_xticks([0.0, 1.0], ["forward", "reversed"])
    ax.set_ylim(0.0, 1.03)
    percent_axis(ax.yaxis)
    tidy(ax, y="test accuracy")
    legend(ax, [(model_title(model), colour[model]) for model in models], columns=4)
