"""Figures of accuracy and spikes over the time step: nets trained at each step, and one net run at all steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from spikinggamma.report.rows.resolution_rows import ResolutionRow, carried, model_colours, model_name, trained
from spikinggamma.report.rows.timing_rows import place_title
from spikinggamma.report.theme import Panel, Section, draw_svg, legend, percent_axis, tidy

__all__ = ["resolution_section"]

_DASHED = (0, (4, 2.5))


def resolution_section(rows: Sequence[ResolutionRow]) -> Section:
    """Return figures for each task over the time step: accuracy, spikes, and the memory of training where it is known."""
    intro = (
        "Solid lines: nets trained at each step and run at it. Dashed lines with open dots: the net that was trained at its "
        "recipe's step, run at the others as it is. A SpikingGamma net allows steps up to its shortest bucket."
    )
    panels = []
    for task in dict.fromkeys(row.task for row in rows):
        own = [row for row in rows if row.task == task]
        kinds = [("accuracy", "accuracy", _draw_accuracy), ("spikes", "spikes", _draw_spikes)]
        if any(_memory_mib(row) is not None for row in own):
            kinds.append(("memory", "memory of training", _draw_memory))
        for kind, title, draw in kinds:
            svg = draw_svg(f"resolution-{task}-{kind}", partial(draw, own), width=440.0, height=270.0)
            panels.append(Panel(f"{place_title((task, ''))}: {title}", _caption(own, kind), svg))
    return Section("resolution", "Finer and coarser steps", intro, panels, columns=2)


def _caption(rows: Sequence[ResolutionRow], kind: str) -> str:
    homes = {row.model: row.recipe_dt_ms for row in rows}
    steps = "; ".join(f"{model_name(model)} {home:g}\u00a0ms" for model, home in homes.items())
    counts = sorted({len(row.seeds) for row in rows})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    bands = f" Bands: 95\u00a0% intervals, {seeds} seed{'s' if counts != [1] else ''}." if kind == "accuracy" else ""
    return f"Steps of the recipes: {steps}.{bands}"


def _draw_accuracy(rows: Sequence[ResolutionRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    colour = model_colours(rows)
    for model, lines in _lines(rows).items():
        for index, line in enumerate(lines):
            steps = [row.run_dt_ms for row in line]
            low, high = [row.low for row in line], [row.high for row in line]
            ax.fill_between(steps, low, high, color=colour[model], alpha=0.1 if index else 0.16, linewidth=0.0)
            _plot(ax, steps, [row.accuracy for row in line], colour[model], dashed=index > 0)
    ax.set_ylim(0.0, 1.03)
    percent_axis(ax.yaxis)
    _finish(ax, rows, "test accuracy")


def _draw_spikes(rows: Sequence[ResolutionRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    colour = model_colours(rows)
    for model, lines in _lines(rows).items():
        for index, line in enumerate(lines):
            steps = [row.run_dt_ms for row in line]
            _plot(ax, steps, [row.spikes_per_neuron_s for row in line], colour[model], dashed=index > 0)
    ax.set_ylim(0.0, 1.1 * max(row.spikes_per_neuron_s for row in rows) or 1.0)
    _finish(ax, rows, "spikes per neuron per second")


def _draw_memory(rows: Sequence[ResolutionRow], figure: Figure) -> None:
    ax = figure.add_subplot()
    colour = model_colours(rows)
    for model, (line, _) in _lines(rows).items():
        known = [(row.run_dt_ms, mib) for row in line if (mib := _memory_mib(row)) is not None]
        if known:
            _plot(ax, [step for step, _ in known], [mib for _, mib in known], colour[model], dashed=False)
    ax.set_yscale("log")
    _finish(ax, rows, "memory of a batch [MiB]")


def _memory_mib(row: ResolutionRow) -> float | None:
    """Return the memory that learning a batch took above the loaded process, None where it was not measured."""
    mib = row.rest.get("train_step_mib")
    return float(mib) if isinstance(mib, int | float) and mib > 0 else None


def _lines(rows: Sequence[ResolutionRow]) -> dict[str, list[list[ResolutionRow]]]:
    """Return, for each model, the rows trained at each step, then those of one net run at all steps."""
    task = rows[0].task
    models = dict.fromkeys(row.model for row in rows)
    return {model: [trained(rows, task, model), carried(rows, task, model)] for model in models}


def _plot(ax: Axes, steps: Sequence[float], values: Sequence[float], colour: str, *, dashed: bool) -> None:
    if dashed:
        ax.plot(steps, values, "o", linestyle=_DASHED, color=colour, markersize=5.5, fillstyle="none", linewidth=1.4)
    else:
        ax.plot(steps, values, "o-", color=colour, markersize=3.5, linewidth=1.8)


def _finish(ax: Axes, rows: Sequence[ResolutionRow], y: str) -> None:
    steps = sorted({row.run_dt_ms for row in rows})
    ax.set_xscale("log")
    ax.set_xticks(steps, [f"{step:g}" for step in steps])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    tidy(ax, x="time step [ms]", y=y)
    colour = model_colours(rows)
    legend(ax, [(model_name(model), colour[model]) for model in dict.fromkeys(row.model for row in rows)], columns=4)
