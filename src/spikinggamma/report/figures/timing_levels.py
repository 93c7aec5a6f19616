"""Figure of the accuracy of every model over the level of a perturbation, with 95 % bands and known bounds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikinggamma.report.rows.timing_rows import Place, TimingRow, colours, model_title, place_title
from spikinggamma.report.theme import MUTED, Panel, draw_svg, legend, percent_axis, tidy

__all__ = ["AXES", "OPTIONS", "level_panel", "shown_floors"]

# Second-hand figures for the nets of "Beyond Rate Coding": inter-spike intervals over the replaced share.
REPORTED_ISI = {0.0: 0.972, 0.2: 0.894, 0.4: 0.828, 0.6: 0.776, 0.8: 0.654, 1.0: 0.607}

AXES = {
    "replacement": "share of spikes put at random times",
    "jitter": "jitter of each spike, standard deviation [ms]",
    "channel_jitter": "jitter of each channel, standard deviation [ms]",
    "deletion": "share of spikes lost",
    "max_interval_ms": "longest interval [ms]",
    "overlap": "overlap of busy and quiet groups",
}
# These levels change the task, with known bounds at every level; the others perturb recordings of one task.
OPTIONS = ("max_interval_ms", "overlap")
_FILL, _LINE = 0.16, 1.8


def level_panel(rows: Sequence[TimingRow], place: Place, perturbation: str, mode: str) -> Panel:
    """Return the figure of one task, perturbation and mode from its rows."""
    name = "-".join(part for part in ("timing", *place, perturbation, mode) if part)
    return Panel(place_title(place), _caption(rows), draw_svg(name, partial(_draw, rows), width=440.0, height=270.0))


def shown_floors(rows: Sequence[TimingRow]) -> list[list[tuple[float, float, str]]]:
    """Return floors as lines, each a list of (level, accuracy, reason), the lowest first.

    Where recordings are perturbed, only the floors of chance and of counts alone are kept.
    """
    by_level = {row.level: row.floors for row in sorted(rows, key=lambda row: row.level)}
    n_floors = min((len(floors) for floors in by_level.values()), default=0)
    lines = [[(level, *floors[index]) for level, floors in by_level.items()] for index in range(n_floors)]
    lines.sort(key=lambda line: line[0][1])
    if rows[0].perturbation in OPTIONS:
        return lines
    return [line for index, line in enumerate(lines) if index == 0 or "spike counts" in line[0][2]]


def _caption(rows: Sequence[TimingRow]) -> str:
    first = rows[0]
    parts = []
    lines = shown_floors(rows)
    if lines:
        parts.append("Dashed, from below: " + "; ".join(_said(line) for line in lines) + ".")
    if first.ceiling is not None and first.perturbation in OPTIONS:
        parts.append(f"Thin line: {first.ceiling[1]}.")
    if (first.task, first.perturbation) == ("isi", "replacement"):
        parts.append("Dotted: second-hand figures for the surrogate-gradient nets of Beyond Rate Coding.")
    counts = sorted({len(row.seeds) for row in rows})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    parts.append(f"Bands: 95\u00a0% intervals, {seeds} seed{'s' if counts != [1] else ''}.")
    return " ".join(parts)


def _said(line: Sequence[tuple[float, float, str]]) -> str:
    lowest, highest = min(point[1] for point in line), max(point[1] for point in line)
    if highest - lowest < 5e-4:
        return f"{highest:.1%}, {line[0][2]}".replace("%", "\u00a0%")
    return line[0][2]


def _draw(rows: Sequence[TimingRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    bounds(ax, rows)
    colour = colours(rows)
    models = list(dict.fromkeys(row.model for row in rows))
    for model in models:
        own = sorted((row for row in rows if row.model == model), key=lambda row: row.level)
        levels = [row.level for row in own]
        if len(own) > 1:
            low, high = [row.low for row in own], [row.high for row in own]
            ax.fill_between(levels, low, high, color=colour[model], alpha=_FILL, linewidth=0.0)
        else:
            ax.vlines(levels, own[0].low, own[0].high, color=colour[model], linewidth=2.0, alpha=0.5)
        ax.plot(levels, [row.accuracy for row in own], "o-", color=colour[model], markersize=4.0, linewidth=_LINE)
    ax.set_ylim(0.0, 1.03)
    percent_axis(ax.yaxis)
    tidy(ax, x=AXES.get(rows[0].perturbation, rows[0].perturbation.replace("_", " ")), y="test accuracy")
    legend(ax, [(model_title(model), colour[model]) for model in models], columns=4)


def bounds(ax: Axes, rows: Sequence[TimingRow]) -> None:
    """Draw floors, the ceiling where it is known at every level, and reported figures."""
    for line in shown_floors(rows):
        levels, values = [point[0] for point in line], [point[1] for point in line]
        if len(levels) > 1:
            ax.plot(levels, values, color=MUTED, linestyle=(0, (4, 3)), linewidth=1.0)
        else:
            ax.axhline(values[0], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.0)
    if rows[0].perturbation in OPTIONS:
        tops = {row.level: row.ceiling[0] for row in rows if row.ceiling is not None}
        ax.plot(sorted(tops), [tops[level] for level in sorted(tops)], color=MUTED, linewidth=0.8)
    if (rows[0].task, rows[0].perturbation) == ("isi", "replacement"):
        ax.plot(*zip(*REPORTED_ISI.items(), strict=True), color=MUTED, linestyle=":", marker="x", markersize=4.5)
